# One imported target a dependency, with an error that says what to install.
#
#   hone_find_library(NAME zstd TARGET zstd::zstd HEADER zstd.h LIBRARIES zstd PACKAGE libzstd-dev)
#
# HINTS are folders to look into when the usual ones have nothing.
# Installed with the package too: a static libhone needs the same targets again. There a missing library makes
# find_package(hone) say so instead of stopping the build.
include_guard(GLOBAL)

macro(hone_missing text)
  if(CMAKE_FIND_PACKAGE_NAME STREQUAL "hone")
    set(hone_FOUND FALSE PARENT_SCOPE)
    set(hone_NOT_FOUND_MESSAGE "${text}" PARENT_SCOPE)
    return()
  endif()
  message(FATAL_ERROR "${text}; or run tools/setup.sh")
endmacro()

function(hone_find_library)
  cmake_parse_arguments(ARG "" "NAME;TARGET;HEADER;PACKAGE" "LIBRARIES;HINTS" ${ARGN})
  if(TARGET ${ARG_TARGET})
    return()
  endif()
  string(TOUPPER "HONE_${ARG_NAME}" prefix)
  find_path(${prefix}_INCLUDE NAMES ${ARG_HEADER})
  find_path(${prefix}_INCLUDE NAMES ${ARG_HEADER} PATH_SUFFIXES ${ARG_HINTS})
  mark_as_advanced(${prefix}_INCLUDE)
  if(NOT ${prefix}_INCLUDE)
    hone_missing("${ARG_NAME} is missing (header ${ARG_HEADER}). On Debian: apt-get install ${ARG_PACKAGE}")
  endif()
  if(ARG_LIBRARIES)
    find_library(${prefix}_LIBRARY NAMES ${ARG_LIBRARIES})
    find_library(${prefix}_LIBRARY NAMES ${ARG_LIBRARIES} PATH_SUFFIXES ${ARG_HINTS})
    mark_as_advanced(${prefix}_LIBRARY)
    if(NOT ${prefix}_LIBRARY)
      hone_missing("${ARG_NAME} is missing (library ${ARG_LIBRARIES}). On Debian: apt-get install ${ARG_PACKAGE}")
    endif()
  endif()
  add_library(${ARG_TARGET} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${ARG_TARGET} SYSTEM INTERFACE ${${prefix}_INCLUDE})
  if(ARG_LIBRARIES)
    target_link_libraries(${ARG_TARGET} INTERFACE ${${prefix}_LIBRARY})
  endif()
endfunction()
