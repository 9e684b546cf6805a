#!/usr/bin/env bash
# The robustness experiment of the paper's section 5 on the sorting problem: the same preferences, other behaviour policies.
#   tools/recipes/robustness.sh DIR [SEEDS]   five seeds unless told; about 5 minutes a seed; a second call goes on where the first stopped
#   tools/recipes/robustness.sh --sweep DIR   beta and rate of each method on seed 0's validation set
#   tools/recipes/robustness.sh --alpha DIR [SEEDS]   SRPO over alpha (the paper's figure 4), one seed unless told
#
# The SFT model's answers to the same prompts are drawn into pairs by two behaviour policies: one that prefers its worse answers
# (score:-1.5), one that prefers its better ones (score:1.5). Who wins a pair does not change. Each method is trained on either, and
#   move   = 1/2 (KL(p|q) + KL(q|p)) of the two policies that result, in nats an answer, on 256 answers drawn from each
#   gap    = |exact(p) - exact(q)|, points of per cent, at 0 and 1 revision
# say how far the behaviour policy moved it. A third behaviour, the model's own (uniform), gives the table of methods.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mode=robustness
case ${1:-} in --sweep | --alpha) mode=${1#--}; shift ;; esac
[ $# -ge 1 ] && [ $# -le 2 ] || { sed -n '2,14s/^# \{0,1\}//p' "$0" >&2; exit 2; }
built=$here/../../build/release/bin/hone
hone=${HONE:-$([ -x "$built" ] && echo "$built" || echo hone)}
sorting_data=$here/../datasets/sorting.py
. "$here/sorting.sh"
methods="srpo ipo dpo rpo"
behaviours="uniform worse better"
judge="--judge exact --temperature 1 --max-tokens 24 --batch 128"
mkdir -p "$1"
cd "$1"

behaviour() { case $1 in uniform) echo score:0 ;; worse) echo score:-1.5 ;; better) echo score:1.5 ;; esac; }

# The samples of a seed are drawn once: all behaviours draw their pairs of the same answers.
pairs() { # DIR SEED BEHAVIOUR
    mkdir -p "$1/$3"
    [ ! -s "$1/uniform/drafts.jsonl" ] || [ -s "$1/$3/drafts.jsonl" ] || cp "$1/uniform/drafts.jsonl" "$1/$3/drafts.jsonl"
    sorting_pairs "$1" "$3" "$2" "$(behaviour "$3")"
}

if [ $mode = alpha ]; then
    for seed in $(seq 0 $((${2:-1} - 1))); do
        sorting_start $seed $seed
        pairs $seed $seed uniform
        policies=(--model sft=$seed/sft/final)
        for a in ${ALPHAS:-0 0.1 0.25 0.5 0.75 0.9 1}; do
            sorting_train $seed uniform srpo alpha/$a $seed --alpha $a --quiet
            policies+=(--model alpha-$a=$seed/alpha/$a/final)
        done
        "$hone" eval "${policies[@]}" --data $seed/test.jsonl --ood $seed/ood.jsonl $judge --limit 256 --against sft --revisions 5 \
            --seed $seed --out $seed/alpha/eval >$seed/alpha.txt
    done
    python3 "$here/robustness.py" alpha [0-9]*/alpha/eval/results.json | tee alpha.md
    exit
fi

if [ $mode = sweep ]; then
    sorting_start . 0
    pairs . 0 uniform
    policies=()
    for m in $methods; do
        for lr in 3e-5 1e-4 2e-4; do
            for b in 0.05 0.1 0.2; do
                sorting_train . uniform $m "sweep/$m-$b-$lr" 0 --beta $b --lr $lr --quiet
                policies+=(--model "$m-$b-$lr=sweep/$m-$b-$lr/final")
            done
        done
    done
    "$hone" eval --model sft=sft/final "${policies[@]}" --data valid.jsonl $judge --revisions 2 --limit 256 --out sweep/eval >/dev/null
    python3 "$here/robustness.py" sweep sweep/eval/results.json
    exit
fi

# cross SEED METHOD P Q: log-probabilities of P's answers under Q, a row an answer.
cross() {
    local out=$1/cross/$2-$3-$4.jsonl
    [ -s "$out" ] && return
    mkdir -p "$1/cross"
    python3 "$here/robustness.py" answers "$1/eval/drafts.jsonl" "$2-$3" >"$1/cross/answers.jsonl"
    "$hone" score --model "$1/$2-$4/final" --data "$1/cross/answers.jsonl" --method sft --json >"$out.tmp"
    mv "$out.tmp" "$out"
}

for seed in $(seq 0 $((${2:-5} - 1))); do
    sorting_start $seed $seed
    policies=(--model sft=$seed/sft/final)
    for b in $behaviours; do
        pairs $seed $seed $b
        for m in $methods; do
            sorting_train $seed $b $m $m-$b $seed --quiet
            policies+=(--model $m-$b=$seed/$m-$b/final)
        done
    done
    [ -s $seed/eval/results.json ] || "$hone" eval "${policies[@]}" --data $seed/test.jsonl --ood $seed/ood.jsonl $judge --limit 256 \
        --against sft --revisions 5 --seed $seed --out $seed/eval >$seed/eval.txt
    for m in $methods; do
        for p in worse better; do for q in worse better; do cross $seed $m $p $q; done; done
    done
    echo "seed $seed done" >&2
done
python3 "$here/robustness.py" tables [0-9]* | tee tables.md
