# Everything comes from Debian 12 packages: scripts/setup installs them.
# cmake/leatConfig.cmake.in repeats them: a static leat needs the same when it is linked.
find_package(Threads REQUIRED)
find_package(CURL 7.88 REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(EXPAT REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(PostgreSQL 15 REQUIRED)
find_package(RocksDB 7 REQUIRED)
# Programs get the static one: calls within it, and its thread-local variables, make a look-up up to a
# third cheaper. Debian builds it for programs alone, so shared libraries that leat is linked into get
# the shared one.
set(LEAT_ROCKSDB
  $<IF:$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>,RocksDB::rocksdb,RocksDB::rocksdb-shared>)
if(LEAT_SHARED_ROCKSDB)
  set(LEAT_ROCKSDB RocksDB::rocksdb-shared)
endif()
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
