# What `cmake --install` gives besides the programs (tools/): libhone shared and static, headers, and what
# find_package(hone) and pkg-config need. The installed tree may be moved.
include_guard(GLOBAL)
include(CMakePackageConfigHelpers)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/hone)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/hone DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

# hone::hone and hone::hone_static are sets of their own, so that users of the shared library need none of its dependencies.
install(TARGETS hone EXPORT hone_shared DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS hone_static EXPORT hone_static DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT hone_shared NAMESPACE hone:: FILE honeShared.cmake DESTINATION ${package})
install(EXPORT hone_static NAMESPACE hone:: FILE honeStatic.cmake DESTINATION ${package})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/package/honeConfig.cmake.in ${PROJECT_BINARY_DIR}/honeConfig.cmake
                              INSTALL_DESTINATION ${package} NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/honeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/honeConfig.cmake ${PROJECT_BINARY_DIR}/honeConfigVersion.cmake
              ${PROJECT_SOURCE_DIR}/cmake/HoneFind.cmake ${PROJECT_SOURCE_DIR}/cmake/HoneDependencies.cmake
        DESTINATION ${package})

# Libs.private: the static library's dependencies as linker flags.
set(private "")
foreach(library IN LISTS HONE_LIBRARIES)
  if(library STREQUAL "Threads::Threads")
    list(APPEND private -pthread)
  elseif(TARGET ${library})
    get_target_property(files ${library} INTERFACE_LINK_LIBRARIES)
    foreach(file IN LISTS files)
      if(EXISTS "${file}")
        get_filename_component(folder ${file} DIRECTORY)
        get_filename_component(name ${file} NAME_WE)
        if(NOT folder IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
          list(APPEND private -L${folder})
        endif()
        string(REGEX REPLACE "^lib" "-l" name ${name})
        list(APPEND private ${name})
      endif()
    endforeach()
  else()
    list(APPEND private -l${library})
  endif()
endforeach()
list(REMOVE_DUPLICATES private)
list(JOIN private " " HONE_PC_PRIVATE)
file(RELATIVE_PATH HONE_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" HONE_PC_PREFIX ${HONE_PC_PREFIX})
configure_file(${PROJECT_SOURCE_DIR}/cmake/package/hone.pc.in ${PROJECT_BINARY_DIR}/hone.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/hone.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
