# What `cmake --install` puts where: the static libraries and their headers, the command, and a
# package that find_package(leat) finds. tests/package builds a consumer against the result.
include(CMakePackageConfigHelpers)

set(leat_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/leat)

install(TARGETS leat leat_core leat_connector leat_parser leat_state leat_executor
  EXPORT leatTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT leatTargets NAMESPACE leat:: DESTINATION ${leat_package_dir})
if(TARGET leat_cli)
  install(TARGETS leat_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/leatConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/leatConfig.cmake
  INSTALL_DESTINATION ${leat_package_dir})
# Before 1.0 a minor version may change the API.
write_basic_package_version_file(
  ${CMAKE_CURRENT_BINARY_DIR}/leatConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES ${CMAKE_CURRENT_BINARY_DIR}/leatConfig.cmake
        ${CMAKE_CURRENT_BINARY_DIR}/leatConfigVersion.cmake
        ${CMAKE_CURRENT_LIST_DIR}/FindCsv.cmake
        ${CMAKE_CURRENT_LIST_DIR}/FindIsal.cmake
        ${CMAKE_CURRENT_LIST_DIR}/FindLz4Frame.cmake
  DESTINATION ${leat_package_dir})
