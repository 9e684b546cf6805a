#!/usr/bin/env bash
# Installs what is missing, builds, and runs the main job on a built-in problem, in minutes: a small model, trained from nothing on
# careless demonstrations (SFT), learns from preference pairs to answer better and to improve its own answers (SRPO), beside what
# DPO, IPO and RPO learn from the same pairs. Ends in drafts and revisions to read, tables, the bandit figure and a report.
#   tools/demo.sh [DIR]     results go to DIR (build/demo)
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build/demo}
began=$SECONDS

tools/setup.sh
mkdir -p build
echo "== build"
cmake --preset release >build/demo.configure.log 2>&1 || { cat build/demo.configure.log; exit 1; }
cmake --build --preset release --target hone_command >build/demo.build.log 2>&1 || { tail -n 40 build/demo.build.log; exit 1; }
hone=$PWD/build/release/bin/hone
sorting_data=$PWD/tools/datasets/sorting.py
. tools/recipes/sorting.sh
rm -rf "$out"
mkdir -p "$out"
cd "$out"
methods="srpo dpo ipo rpo"

echo "== the bandit of the paper's section 5: policies under a uniform and a skewed behaviour policy"
for method in srpo ipo dpo; do
    "$hone" bandit --method $method --beta 1 --alpha 0.5 --behaviour 0.2,0.7,0.1 --expected
done
for picture in bandit.svg bandit.png; do
    "$hone" bandit --method srpo --beta 1 --behaviour 0.2,0.7,0.1 --expected --figure $picture >/dev/null
done

echo "== a small model from nothing, trained on careless answers and revisions (SFT)"
sorting_start . 0

echo "== preference pairs of its own answers, the bad ones drawn more often than it writes them"
sorting_pairs . pairs 0 score:-0.5

for method in $methods; do
    echo "== $method: the same start, the same pairs"
    sorting_train . pairs $method $method 0
done

echo "== answers and five revisions, drawn at temperature 1"
policies=(--model sft=sft/final)
for method in $methods; do policies+=(--model $method=$method/final); done
"$hone" eval "${policies[@]}" --data test.jsonl --ood ood.jsonl --limit 256 --judge exact --against sft --revisions 5 --temperature 1 \
    --max-tokens 24 --batch 128 --show 6 --out eval --figure scores.svg | tee eval.txt
echo
echo "== the same, always taking the likeliest token: fewer slips, less to revise"
"$hone" eval "${policies[@]}" --data test.jsonl --ood ood.jsonl --limit 256 --judge exact --against sft --revisions 5 --temperature 0 \
    --max-tokens 24 --batch 128 --out greedy | tee greedy.txt | sed -n '/^Score/,/^$/p'
"$hone" report $methods eval --out report.html
echo
echo "$((SECONDS - began)) s; report: $out/report.html   figures: $out/scores.svg, $out/bandit.svg   tables: $out/eval.txt"
