#!/usr/bin/env bash
# clang-tidy over some sources: tools/lint.sh BUILD FILE... A file is not looked at again while its text, the headers of
# ours that it includes, and the checks are as they were when it passed last.
set -euo pipefail
build=$1
shift
cache=build/lint
mkdir -p "$cache"
checks=$(clang-tidy --version; cat .clang-tidy)
status=0
for file in "$@"; do
    home=$(cut -d/ -f1,2 <<<"$file")
    seen=$(cc -MM -w -D_GNU_SOURCE -Iinclude -Ilib -Itools/hone -Itools/bench -I"$home" -MT x "$file" | tr -d '\\\n' | cut -d: -f2)
    # shellcheck disable=SC2086
    key=$( (echo "$checks" "$file"; cat $seen) | sha256sum | cut -d' ' -f1)
    [ -e "$cache/$key" ] && continue
    if output=$(clang-tidy --quiet -p "$build" "$file" 2>"$cache/$key.err"); then
        touch "$cache/$key"
    else
        printf '%s\n' "$output"
        grep -vE '^[0-9]+ warnings? (generated|treated)' "$cache/$key.err" || true
        status=1
    fi
    rm -f "$cache/$key.err"
done
exit $status
