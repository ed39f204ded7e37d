# Everything comes from Debian 12 packages: scripts/setup installs them.
# cmake/leatConfig.cmake.in repeats them: a static leat needs the same when it is linked.
find_package(Threads REQUIRED)
find_package(CURL 7.88 REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(EXPAT REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(RocksDB 7 REQUIRED)
# CONFIG: RocksDB brings a finder module of the same name along.
find_package(TBB CONFIG REQUIRED)
find_package(Csv REQUIRED)
find_package(FastFloat REQUIRED)
find_package(hwy 1.0 CONFIG REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(Isal REQUIRED)
find_package(zstd 1.5 CONFIG REQUIRED)
find_package(BZip2 REQUIRED)
find_package(LibLZMA REQUIRED)
find_package(Lz4Frame REQUIRED)
