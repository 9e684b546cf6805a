#!/usr/bin/env bash
# Installs the build into an empty prefix; an outside program finds it by find_package and by pkg-config, as C and as C++.
#   test.sh BUILD SOURCE
set -euo pipefail
build=$1
source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" >"$work/install.log"
"$work/prefix/bin/hone" --version
cmake -S "$source/tests/package/outside" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/configure.log"
cmake --build "$work/build" >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
for program in c_hone cxx_hone c_hone_static cxx_hone_static; do
    echo "$program: $("$work/build/$program")"
done

libdir=$(dirname "$(find "$work/prefix" -name hone.pc)")
export PKG_CONFIG_PATH=$libdir
flags=$(pkg-config --cflags --libs hone)
# shellcheck disable=SC2086
cc -Wall -Wextra -Werror "$source/tests/package/outside/program.c" $flags -Wl,-rpath,"${libdir%/pkgconfig}" -o "$work/by_pkg_config"
echo "pkg-config, C: $("$work/by_pkg_config")"
# shellcheck disable=SC2086
c++ -Wall -Wextra -Werror -x c++ "$source/tests/package/outside/program.c" -x none $flags -Wl,-rpath,"${libdir%/pkgconfig}" -o "$work/by_pkg_config"
echo "pkg-config, C++: $("$work/by_pkg_config")"
