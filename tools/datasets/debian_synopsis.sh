#!/usr/bin/env bash
# Debian's package descriptions as a data set: from the long description, written by people, to its one-line synopsis.
#
#   tools/datasets/debian_synopsis.sh DIR
#       DIR/train.jsonl valid.jsonl test.jsonl   prompt, completion
#       DIR/ood.jsonl                            the same, of archive sections that train.jsonl has none of
#   tools/datasets/debian_synopsis.sh --pairs N MODEL DIR
#       DIR/pairs.jsonl: the first N rows of train.jsonl with the synopsis as `chosen` and what MODEL itself writes as
#       `rejected` (hone generate, temperature 0.8, seed 0); needs DIR/train.jsonl. TEMPLATE: default auto, the model's own
#
# The texts are read from apt's lists on this machine at run time. HONE names the command (default: the build's, or PATH).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

usage() { sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 2; }

find_hone() {
    if [ -n "${HONE:-}" ]; then echo "$HONE"; return; fi
    local built="$here/../../build/release/bin/hone"
    if [ -x "$built" ]; then echo "$built"; else command -v hone || { echo "debian_synopsis: no hone command: build it, or set HONE" >&2; exit 1; }; fi
}

# Long descriptions come in lists of their own, which apt fetches when told to.
refresh_lists() {
    compgen -G '/var/lib/apt/lists/*Translation-en*' >/dev/null && compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null && return
    local root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    "${root[@]}" apt-get update -qq -o Acquire::Languages=en
}

make_rows() { # DIR
    refresh_lists
    mkdir -p "$1"
    python3 "$here/debian_synopsis.py" "$1" \
        <(/usr/lib/apt/apt-helper cat-file /var/lib/apt/lists/*Translation-en*) \
        <(/usr/lib/apt/apt-helper cat-file /var/lib/apt/lists/*_Packages*)
}

make_pairs() { # N MODEL DIR
    local hone
    hone=$(find_hone)
    "$hone" generate --model "$2" --data "$3/train.jsonl" --limit "$1" --template "${TEMPLATE:-auto}" --max-tokens 48 --temperature 0.8 --top-p 0.95 \
        --batch 32 --seed 0 --json >"$3/answers.jsonl"
    python3 - "$3" "$1" <<'PYTHON'
import json, os, sys
folder, count = sys.argv[1], int(sys.argv[2])
pairs = 0
with open(f"{folder}/train.jsonl") as rows, open(f"{folder}/answers.jsonl") as answers, open(f"{folder}/pairs.tmp", "w") as out:
    for row, answer in zip(map(json.loads, rows), map(json.loads, answers)):
        # A synopsis is one line: what follows it is cut, as a user would cut it.
        written = answer["text"].strip().split("\n")[0].rstrip()
        if not written or written == row["completion"]:
            continue
        out.write(json.dumps({"prompt": row["prompt"], "chosen": row["completion"], "rejected": written}, ensure_ascii=False) + "\n")
        pairs += 1
os.replace(f"{folder}/pairs.tmp", f"{folder}/pairs.jsonl")
print(f"{folder}/pairs.jsonl: {pairs} pairs", file=sys.stderr)
PYTHON
}

case "${1:-}" in
--pairs) [ $# -eq 4 ] || usage; make_pairs "$2" "$3" "$4" ;;
-* | '') usage ;;
*) [ $# -eq 1 ] || usage; make_rows "$1" ;;
esac
