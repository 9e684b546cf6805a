#!/usr/bin/env bash
# The Debian package: made, looked at, unpacked and run; with HONE_TEST_INSTALL_DEB=1 (as root) also installed, used and removed.
#   deb.sh BUILD VERSION
set -euo pipefail
build=$1 version=$2
for tool in dpkg-deb dpkg-shlibdeps cpack; do
    command -v $tool >/dev/null || { echo "deb: $tool is not here (Debian: dpkg-dev, cmake)"; exit 77; }
done
work=$(mktemp -d)
installed=
finish() { [ -z "$installed" ] || dpkg -P hone >/dev/null; rm -rf "$work"; }
trap finish EXIT
fail() { echo "deb: $*"; exit 1; }

cpack --config "$build/CPackConfig.cmake" -B "$work" >"$work/log" 2>&1 || { cat "$work/log"; fail "cpack failed"; }
deb=$work/hone_${version}_$(dpkg --print-architecture).deb
[ -s "$deb" ] || { ls "$work"; fail "$deb is not there"; }
[ "$(dpkg-deb -f "$deb" Version)" = "$version" ] || fail "another version"
dpkg-deb -f "$deb" Depends | grep -q 'libc6 (>=.*libzstd1' || fail "dependencies: $(dpkg-deb -f "$deb" Depends)"

# A small life with it: a tokenizer, a model, an answer, a manual page, a completion.
use() { # ROOT
    local hone=$1/usr/bin/hone
    [ "$("$hone" --version)" = "hone $version" ] || fail "version"
    "$hone" devices --json | grep -q '"cpu:0"' || fail "devices"
    printf '{"prompt":"sort b a =","completion":" a b"}\n' >"$work/rows.jsonl"
    rm -rf "$work/tokenizer" "$work/model"
    "$hone" tokenizer train --data "$work/rows.jsonl" --vocab 260 --out "$work/tokenizer" --json >/dev/null
    "$hone" init --tokenizer "$work/tokenizer" --width 16 --layers 1 --heads 2 --hidden 24 --out "$work/model" --json >/dev/null
    "$hone" generate --model "$work/model" --prompt 'sort b a =' --max-tokens 4 >/dev/null || fail "generate"
    "$hone" check --device cpu --isa scalar --operation add >/dev/null || fail "check"
    gzip -t "$1/usr/share/man/man1/hone-train.1.gz" || fail "manual"
    bash -n "$1/usr/share/bash-completion/completions/hone" || fail "completion"
    [ -s "$1/usr/share/doc/hone/copyright" ] && [ -s "$1/usr/include/hone/hone.h" ] || fail "copyright or headers"
}

dpkg-deb -x "$deb" "$work/root"
use "$work/root"
echo "unpacked and run: $(du -k "$deb" | cut -f1) kB"

[ "${HONE_TEST_INSTALL_DEB:-}" = 1 ] || exit 0
[ "$(id -u)" -eq 0 ] || fail "HONE_TEST_INSTALL_DEB needs root"
[ -z "$(dpkg-query -W -f '${Status}' hone 2>/dev/null | grep 'ok installed')" ] || fail "a hone is installed already"
installed=1
dpkg -i "$deb" >"$work/log" 2>&1 || { cat "$work/log"; fail "dpkg -i"; }
use ""
echo "installed and run: $(dpkg -L hone | wc -l) files"
