#!/usr/bin/env bash
# Installs what is missing, builds, and passes the tests: release and sanitizers, format, lint.
#   tools/test.sh           everything
#   tools/test.sh --quick   release tests and format alone
set -euo pipefail
cd "$(dirname "$0")/.."

quick=false
[ "${1:-}" = --quick ] && quick=true

passed=0
failed=0
failures=()

note() { # NAME STATUS
    if [ "$2" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); failures+=("$1"); fi
}

build() { # PRESET
    echo "== build $1"
    cmake --preset "$1" >"build/$1.configure.log" 2>&1 || { cat "build/$1.configure.log"; return 1; }
    cmake --build --preset "$1" -- -k 0 >"build/$1.build.log" 2>&1 || { grep -vE '^\[[0-9]+/[0-9]+\]' "build/$1.build.log" | tail -n 60; return 1; }
}

run_tests() { # PRESET
    local log="build/$1.test.log" status=0
    echo "== test $1"
    ctest --preset "$1" -j2 --no-tests=error >"$log" 2>&1 || status=$?
    grep -E 'Failed|\*\*\*|Skipped' "$log" || true
    if [ "$status" -ne 0 ]; then tail -n 200 "$log"; fi
    local total bad
    total=$(sed -nE 's/.*, ([0-9]+) tests failed out of ([0-9]+)/\2/p' "$log" | tail -n 1)
    bad=$(sed -nE 's/.*, ([0-9]+) tests failed out of ([0-9]+)/\1/p' "$log" | tail -n 1)
    if [ -z "$total" ]; then note "tests of $1" 1; return; fi
    passed=$((passed + total - bad))
    failed=$((failed + bad))
    [ "$bad" -eq 0 ] || failures+=("$bad tests of $1")
}

check_format() {
    echo "== format"
    git ls-files '*.c' '*.h' | xargs -r clang-format --dry-run -Werror
}

check_lint() {
    echo "== clang-tidy"
    git ls-files 'lib/*.c' 'backends/*.c' 'tools/*.c' | xargs -r -P 2 -n 4 tools/lint.sh build/release
}

tools/setup.sh
mkdir -p build
presets=(release)
$quick || presets+=(asan)
for preset in "${presets[@]}"; do
    if build "$preset"; then
        note "build $preset" 0
        run_tests "$preset"
    else
        note "build $preset" 1
    fi
done
status=0; check_format || status=$?; note format "$status"
if ! $quick; then status=0; check_lint || status=$?; note clang-tidy "$status"; fi

for failure in ${failures[@]+"${failures[@]}"}; do echo "failed: $failure"; done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
