# Manual pages and completions: the command writes them from its own tables, so that they say what it does. Left out where
# what was built can't be run here.
include_guard(GLOBAL)
if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
  return()
endif()

set(documentation ${PROJECT_BINARY_DIR}/documentation)
file(MAKE_DIRECTORY ${documentation}/man1 ${documentation}/bash ${documentation}/zsh)
add_custom_command(
  OUTPUT ${documentation}/stamp
  COMMAND hone_command documentation man ${documentation}/man1
  COMMAND hone_command documentation bash ${documentation}/bash/hone
  COMMAND hone_command documentation zsh ${documentation}/zsh/_hone
  COMMAND sh -c "gzip -9nkf ${documentation}/man1/*.1"
  COMMAND ${CMAKE_COMMAND} -E touch ${documentation}/stamp
  DEPENDS hone_command
  COMMENT "Writing manual pages and completions")
add_custom_target(hone_documentation ALL DEPENDS ${documentation}/stamp)

install(DIRECTORY ${documentation}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR} FILES_MATCHING PATTERN "*.gz")
install(DIRECTORY ${documentation}/bash/ DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(DIRECTORY ${documentation}/zsh/ DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
