#!/bin/sh
# All golden fixtures again, in place: make.sh [PYTHON], about four minutes. PYTHON has what requirements.txt lists (python3 -m venv DIR; DIR/bin/pip
# install -r requirements.txt). Everything but smollm2/ comes out byte for byte the same with the same versions on the same kind of processor.
# smollm2/ needs the network, and Debian's package lists in English: apt-get update -o Acquire::Languages=en
set -eu
cd "$(dirname "$0")"
python=${1:-python3}
export PYTHONDONTWRITEBYTECODE=1
"$python" models.py
"$python" methods.py
"$python" words.py
"$python" chrf.py
"$python" smollm2.py "$(../../../tools/models/smollm2.sh --gguf-only)"
