# cmake --install: libraries, headers, the command, and what find_package(hone) and pkg-config need.
include(CMakePackageConfigHelpers)

set(HONE_PRIVATE_LIBRARIES openblas zstd z jansson yaml pcre2-8 utf8proc xxhash m dl pthread)
if(HONE_WITH_ONEDNN)
  list(PREPEND HONE_PRIVATE_LIBRARIES dnnl)
endif()
list(TRANSFORM HONE_PRIVATE_LIBRARIES PREPEND -l OUTPUT_VARIABLE HONE_PRIVATE_FLAGS)
list(JOIN HONE_PRIVATE_FLAGS " " HONE_PRIVATE_FLAGS)

install(TARGETS hone LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS hone_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/hone DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
if(TARGET hone_command)
  install(TARGETS hone_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if(TARGET hone-conformance)
  install(TARGETS hone-conformance RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
configure_package_config_file(cmake/honeConfig.cmake.in ${PROJECT_BINARY_DIR}/honeConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/hone
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/honeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/honeConfig.cmake ${PROJECT_BINARY_DIR}/honeConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/hone)
# The prefix is known when installing, and may be given there.
install(CODE "
  set(PROJECT_VERSION \"${PROJECT_VERSION}\")
  set(PROJECT_DESCRIPTION \"${PROJECT_DESCRIPTION}\")
  set(CMAKE_INSTALL_LIBDIR \"${CMAKE_INSTALL_LIBDIR}\")
  set(CMAKE_INSTALL_INCLUDEDIR \"${CMAKE_INSTALL_INCLUDEDIR}\")
  set(HONE_PRIVATE_FLAGS \"${HONE_PRIVATE_FLAGS}\")
  configure_file(\"${PROJECT_SOURCE_DIR}/cmake/hone.pc.in\"
                 \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig/hone.pc\" @ONLY)")
