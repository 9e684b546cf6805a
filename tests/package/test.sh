#!/usr/bin/env bash
# Installs the build into an empty prefix and moves that elsewhere; an outside program finds it by find_package and by
# pkg-config, shared and static, as C and as C++; every header stands alone in both languages; the library shows only
# what is meant to be seen.
#   test.sh BUILD SOURCE VERSION [FLAG...]      FLAG: what an instrumented library asks of programs
set -euo pipefail
build=$1
source=$2
version=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CFLAGS="$*" CXXFLAGS="$*"
export LDFLAGS="$*"

fail() { echo "package: $*" >&2; exit 1; }
expect() { # WHAT PROGRAM: it runs and names the version
    local said
    said=$("$2") || fail "$1: the program failed: $said"
    [[ $said == "hone $version on cpu"* ]] || fail "$1: the program said '$said'"
    echo "$1: $said"
}

cmake --install "$build" --prefix "$work/installed" >"$work/log" 2>&1 || { cat "$work/log"; fail "it can't be installed"; }
prefix=$work/moved
mv "$work/installed" "$prefix"
[ "$("$prefix/bin/hone" --version)" = "hone $version" ] || fail "the installed command does not run"
[ -x "$prefix/bin/hone-conformance" ] || fail "hone-conformance is not installed"
if grep -rl -e "$work" -e "$build" -e "$source" "$prefix" --include='*.cmake' --include='*.pc'; then fail "these name folders of the build"; fi

cmake -S "$source/tests/package/outside" -B "$work/build" -DCMAKE_PREFIX_PATH="$prefix" >"$work/log" 2>&1 || { cat "$work/log"; fail "find_package"; }
cmake --build "$work/build" >"$work/log" 2>&1 || { cat "$work/log"; fail "the outside programs do not build"; }
for program in c_hone cxx_hone c_hone_static cxx_hone_static; do
    expect "find_package, $program" "$work/build/$program"
done

pc=$(find "$prefix" -name hone.pc)
libdir=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH=${pc%/*}
[ "$(pkg-config --modversion hone)" = "$version" ] || fail "hone.pc has another version"
cp "$source/tests/package/outside/program.c" "$work/program.c"
cp "$work/program.c" "$work/program.cc"
read -ra cflags <<<"$(pkg-config --cflags hone)"
read -ra shared <<<"$(pkg-config --libs hone)"
static=$(pkg-config --static --libs hone)
read -ra static <<<"${static/-lhone/-l:libhone.a}"
for suffix in c cc; do
    compiler=cc
    [ "$suffix" = c ] || compiler=c++
    "$compiler" "$@" -Wall -Wextra -Werror "${cflags[@]}" "$work/program.$suffix" "${shared[@]}" -Wl,-rpath,"$libdir" -o "$work/program"
    expect "pkg-config, $compiler" "$work/program"
    "$compiler" "$@" -Wall -Wextra -Werror "${cflags[@]}" "$work/program.$suffix" "${static[@]}" -o "$work/program"
    expect "pkg-config --static, $compiler" "$work/program"
done

for header in "$prefix"/include/hone/*.h; do
    case ${header##*/} in
    hone.h | backend.h) ;;
    *) grep -q "<hone/${header##*/}>" "$prefix/include/hone/hone.h" || fail "hone.h lacks ${header##*/}" ;;
    esac
    for dialect in c:c11 c++:c++11; do
        compiler=cc
        [ "${dialect%%:*}" = c ] || compiler=c++
        printf '#include <hone/%s>\n#include <hone/%s>\nextern int unused;\n' "${header##*/}" "${header##*/}" |
            "$compiler" -std="${dialect##*:}" -Wall -Wextra -Wpedantic -Werror -fsyntax-only "${cflags[@]}" -x "${dialect%%:*}" - ||
            fail "${header##*/} does not stand alone as ${dialect##*:}"
    done
done

if nm -D --defined-only "$libdir/libhone.so" | awk '{print $3}' | grep -vE '^(hone_|__(asan|odr_asan|ubsan|tsan|gcov|lsan))'; then
    fail "the library shows these names, which are not its interface"
fi
