#!/usr/bin/env bash
# Installs what is missing, builds, and runs the main job on a built-in problem, in minutes:
# the bandit figure; a tiny model trained from nothing on careless answers (SFT); the same model taught by preference
# pairs to answer better and to improve its own answers (SRPO); revisions to read, a win-rate table, a report.
#   tools/demo.sh [DIR]     results go to DIR (build/demo)
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build/demo}

tools/setup.sh
mkdir -p build
echo "== build"
cmake --preset release >build/demo.configure.log 2>&1 || { cat build/demo.configure.log; exit 1; }
cmake --build --preset release --target hone_command >build/demo.build.log 2>&1 || { tail -n 40 build/demo.build.log; exit 1; }
hone=$PWD/build/release/bin/hone
rm -rf "$out"
mkdir -p "$out"
python3 tools/datasets/sorting.py "$out"
tests=$PWD/tools/recipes/sorting_table.py
cd "$out"

echo "== the bandit of the paper's section 5: policies under a uniform and a skewed behaviour policy"
for method in srpo ipo dpo; do
    "$hone" bandit --method $method --beta 1 --alpha 0.5 --behaviour 0.2,0.7,0.1 --expected
done
"$hone" bandit --method srpo --beta 1 --behaviour 0.2,0.7,0.1 --expected --figure bandit.svg >/dev/null
"$hone" bandit --method srpo --beta 1 --behaviour 0.2,0.7,0.1 --expected --figure bandit.png >/dev/null

echo "== a tiny model from nothing, trained on careless answers (SFT)"
"$hone" tokenizer train --data sft.jsonl --vocab 290 --out tokenizer
"$hone" init --tokenizer tokenizer --width 96 --layers 4 --heads 4 --hidden 256 --out base
"$hone" train --model base --data sft.jsonl --method sft --full --lr 2e-3 --schedule cosine --warmup 0.05 \
    --batch-pairs 32 --epochs 6 --out sft

echo "== preference pairs: answer better, and improve your own answers (SRPO)"
"$hone" train --model sft/final --data pairs.jsonl --method srpo --full --beta 0.2 --alpha 0.8 --lr 1e-4 --schedule cosine \
    --warmup 0.05 --batch-pairs 32 --epochs 3 --out srpo

echo "== answers and three revisions, drawn at temperature 1"
for model in sft srpo; do
    "$hone" revise --model $model/final --data test.jsonl -n 3 --temperature 1 --max-tokens 12 --batch 64 --json >$model.drafts.jsonl
done
python3 "$tests" test.jsonl report.md SFT=sft.drafts.jsonl SRPO=srpo.drafts.jsonl
echo
echo "report: $out/report.md   figure: $out/bandit.svg   metrics: $out/srpo/metrics.jsonl"
