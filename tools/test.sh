#!/usr/bin/env bash
# Installs what is missing, builds, and passes the tests: release and sanitizers, without oneDNN, format, lint.
#   tools/test.sh           everything
#   tools/test.sh --quick   release tests and format alone
set -euo pipefail
cd "$(dirname "$0")/.."

quick=false
case "${1:-}" in
'') ;;
--quick) quick=true ;;
*) sed -n '2,4s/^# //p' "$0"; exit 2 ;;
esac

# The Debian package is installed, used and removed again where that disturbs nobody.
if [ "$(id -u)" -eq 0 ] && ! dpkg-query -W -f '${Status}' hone 2>/dev/null | grep -q 'ok installed'; then
    export HONE_TEST_INSTALL_DEB=1
fi

# One cache for all build folders: only where debug information says it was compiled differs between them.
export CCACHE_NOHASHDIR=1
passed=0
failed=0
skipped=0
failures=()

note() { # NAME STATUS
    if [ "$2" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); failures+=("$1"); fi
}

build() { # PRESET [TARGET...]
    local preset=$1
    shift
    echo "== build $preset"
    cmake --preset "$preset" >"build/$preset.configure.log" 2>&1 || { cat "build/$preset.configure.log"; return 1; }
    cmake --build --preset "$preset" ${1:+--target "$@"} -- -k 0 >"build/$preset.build.log" 2>&1 || {
        grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking)' "build/$preset.build.log" | tail -n 60
        return 1
    }
}

# Adds up ctest's own record; names what failed, and what was skipped with the reason it gave.
count() { # PRESET
    python3 - "build/$1/tests.xml" <<'PYTHON'
import sys
import xml.etree.ElementTree as xml
passed = failed = skipped = 0
for case in xml.parse(sys.argv[1]).getroot().iter("testcase"):
    said = (case.findtext("system-out") or "").strip().splitlines() or ["no reason given"]
    if case.get("status") == "run":
        passed += 1
    elif case.find("skipped") is not None and "SKIP" in (case.find("skipped").get("message") or ""):
        skipped += 1
        print(f"skipped: {case.get('name')}: {said[-1]}", file=sys.stderr)
    else:
        failed += 1
        print(f"failed: {case.get('name')}", file=sys.stderr)
print(passed, failed, skipped)
PYTHON
}

run_tests() { # PRESET [CTEST-OPTION...]
    local preset=$1 status=0 numbers
    shift
    echo "== test $preset"
    rm -f "build/$preset/tests.xml"
    ctest --test-dir "build/$preset" -j2 --no-tests=error --output-on-failure --output-junit tests.xml "$@" \
        >"build/$preset.test.log" 2>&1 || status=$?
    [ "$status" -eq 0 ] || grep -vE '^ *[0-9]+/[0-9]+ Test .* Passed|^ +Start +[0-9]+' "build/$preset.test.log" | tail -n 300
    if ! numbers=$(count "$preset"); then note "tests of $preset" 1; return; fi
    read -r good bad left <<<"$numbers"
    echo "   $good passed, $bad failed, $left skipped"
    passed=$((passed + good))
    failed=$((failed + bad))
    skipped=$((skipped + left))
    [ "$bad" -eq 0 ] || failures+=("$bad tests of $preset")
    if [ "$bad" -eq 0 ] && [ "$status" -ne 0 ]; then note "ctest of $preset" 1; fi
}

check() { # PRESET [REGEX TARGET...]
    local preset=$1 tests=${2:-.}
    shift $(($# < 2 ? $# : 2))
    if build "$preset" "$@"; then
        note "build $preset" 0
        run_tests "$preset" -R "$tests"
    else
        note "build $preset" 1
    fi
}

check_format() {
    echo "== format"
    git ls-files '*.c' '*.h' | xargs -r clang-format --dry-run -Werror
}

check_lint() {
    echo "== clang-tidy"
    git ls-files 'lib/*.c' 'backends/*.c' 'tools/*.c' | xargs -r -P 2 -n 4 tools/lint.sh build/release
}

tools/setup.sh --tests
mkdir -p build
check release
if ! $quick; then
    check asan
    # Without oneDNN: what multiplies matrices, and what rests on it.
    check lean '^(unit_matmul|unit_operations|unit_trie_model|conformance_cpu_.*)$' \
        hone_conformance unit_matmul unit_operations unit_trie_model hone_faraway hone_oracle_module
fi
status=0; check_format || status=$?; note format "$status"
if ! $quick; then status=0; check_lint || status=$?; note clang-tidy "$status"; fi

for failure in ${failures[@]+"${failures[@]}"}; do echo "failed: $failure"; done
[ "$skipped" -eq 0 ] || echo "$skipped skipped (reasons above)"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
