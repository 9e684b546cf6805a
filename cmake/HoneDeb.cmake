# `cpack --config build/PRESET/CPackConfig.cmake` makes hone_VERSION_ARCHITECTURE.deb: command, library, headers, manual, completions.
include_guard(GLOBAL)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME hone)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_VENDOR "the authors of hone")
set(CPACK_PACKAGE_CONTACT "the authors of hone <hone@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "language models that improve their own answers")
set(CPACK_PACKAGE_DESCRIPTION "hone trains language models of the Llama family from preference data to answer, and to improve an
answer that they are shown (SRPO, arXiv 2406.01660), with the baselines SFT, DPO, IPO, RPO and SimPO; LoRA or
all weights, on a CPU. It evaluates them, revises answers, and makes preference pairs.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# The library is found beside the command, and is in this package: dpkg-shlibdeps need not look for it elsewhere.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/lib)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "gnuplot-nox | gnuplot")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
include(CPack)
