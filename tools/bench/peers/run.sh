#!/bin/sh
# run.sh [OPTION...]: hone beside PyTorch and llama.cpp, one after the other; see run.sh --help.
# Makes an environment of its own from PyPI: $HONE_PEERS, else ~/.cache/hone/peers.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${HONE_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/hone/peers}
for word in "$@"; do
    case $word in -h | --help) exec python3 "$here/run.py" --help ;; esac
done
if ! [ -e "$venv/ready" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --upgrade pip
    # The builds for the processor alone, where PyPI's index has them.
    "$venv/bin/pip" install --quiet -r "$here/requirements.txt"
    touch "$venv/ready"
fi
exec "$venv/bin/python" "$here/run.py" "$@"
