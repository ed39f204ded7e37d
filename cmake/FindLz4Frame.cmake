# Finds lz4 (https://github.com/lz4/lz4) and defines Lz4::frame.
find_path(Lz4Frame_INCLUDE_DIR lz4frame.h)
find_library(Lz4Frame_LIBRARY lz4)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Lz4Frame REQUIRED_VARS Lz4Frame_LIBRARY Lz4Frame_INCLUDE_DIR)
if(Lz4Frame_FOUND AND NOT TARGET Lz4::frame)
  add_library(Lz4::frame UNKNOWN IMPORTED)
  set_target_properties(Lz4::frame PROPERTIES
    IMPORTED_LOCATION ${Lz4Frame_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${Lz4Frame_INCLUDE_DIR})
endif()
mark_as_advanced(Lz4Frame_INCLUDE_DIR Lz4Frame_LIBRARY)
