#!/usr/bin/env bash
# clang-tidy over some sources: tools/lint.sh BUILD FILE... A file whose text, headers and checks are as they were when it
# passed last is not looked at again.
set -euo pipefail
build=$1
shift
cache=build/lint
mkdir -p "$cache"
headers=$(git ls-files '*.h' .clang-tidy | xargs cat | sha256sum)
status=0
for file in "$@"; do
    key=$( (echo "$headers" "$file"; cat "$file") | sha256sum | cut -d' ' -f1)
    [ -e "$cache/$key" ] && continue
    if output=$(clang-tidy --quiet -p "$build" "$file" 2>/dev/null); then
        touch "$cache/$key"
    else
        printf '%s\n' "$output"
        status=1
    fi
done
exit $status
