#!/usr/bin/env bash
# Installs what hone is built and tested with: the one list of Debian packages. Installs nothing that is there already.
# `tools/setup.sh --tests` adds what the tests alone want. `--check` only lists what is missing (exit 1 when something is).
set -euo pipefail

packages=(
    gcc libc6-dev make cmake ninja-build ccache pkg-config git ca-certificates
    clang-format clang-tidy
    libopenblas-dev libdnnl-dev
    libzstd-dev zlib1g-dev libxxhash-dev librandom123-dev
    libpcre2-dev libutf8proc-dev libjansson-dev libyaml-dev libpopt-dev libcurl4-openssl-dev
    libcmocka-dev g++ gnuplot-nox
    python3 python3-pip unzip zstd
)

# The report is looked at in a browser; dpkg-deb, file, groff and zsh look at the package, the manual and a completion.
test_packages=(chromium dpkg-dev file groff-base zsh)

check=
for argument; do
    case $argument in
    --tests) packages+=("${test_packages[@]}") ;;
    --check) check=1 ;;
    *) sed -n '2,3s/^# //p' "$0" >&2; exit 2 ;;
    esac
done

missing=()
for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done

if [ -n "$check" ]; then
    [ ${#missing[@]} -eq 0 ] || { printf '%s\n' "${missing[@]}"; exit 1; }
    exit 0
fi
if [ ${#missing[@]} -eq 0 ]; then
    echo "setup: all ${#packages[@]} packages are there" >&2
    exit 0
fi

root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "setup: these packages are missing, and there is neither root nor sudo: ${missing[*]}" >&2; exit 1; }
    root=(sudo)
fi
echo "setup: installing ${missing[*]}" >&2
log=$(mktemp)
if ! { "${root[@]}" apt-get update -qq && DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    cat "$log" >&2
    echo "setup: the packages could not be installed" >&2
    exit 1
fi
rm -f "$log"
