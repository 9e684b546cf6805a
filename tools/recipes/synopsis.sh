#!/usr/bin/env bash
# Real text, for real: SmolLM2-135M learns to write, and to revise, one-line synopses of Debian packages.
#   tools/recipes/synopsis.sh DIR      some hours; every stage is kept in DIR, a second call goes on where the first stopped
#
#   data    descriptions and the synopses that people wrote, by archive section (out of distribution: sections never trained on)
#   sft     LoRA on SFT answers; the model drafts SFT_DRAFTS others, LoRA on what people wrote with such a draft in view
#   pairs   two samples a prompt of the SFT model, judged by chrF and the archive's house rules, soft labels
#   sweep   SRPO, IPO, DPO over beta and rate on SWEEP pairs; chosen on the validation set alone (best score over 0..2 revisions)
#   final   all pairs with the chosen numbers; test sets in and out of distribution, 0..REVISIONS (5), win rate against SFT's draft 0;
#           and what each model keeps of its own drafts
#   learned how well each method's own margins, and SRPO's free preference model, agree with the judge on pairs of validation prompts:
#           what of the judge's preference can be learnt from the text at all
#   alpha   SRPO over alpha on SWEEP pairs (the paper's figure 4), on the validation set
#   search  what the sweep was too small to see: the runs of SEARCH on all pairs, compared on the whole validation set; greedy answers
#   confirm the test sets once more, with the numbers that the search chose
#
# Sizes: SFT, SFT_DRAFTS, PAIRS, FINAL (of these, for the final runs: all), SWEEP, VALID, TEST; LONGEST (characters of a prompt: shorter ones are faster); BETAS, RATES, ALPHAS; SEED.
# HONE names the command (default: the build's, or PATH).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { sed -n '2,19s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"
cd "$1"
built=$here/../../build/release/bin/hone
hone=${HONE:-$([ -x "$built" ] && echo "$built" || echo hone)}
seed=${SEED:-0}
form="--template $here/synopsis.json --dtype bf16"
judge="--judge chrf:0.7,rules:0.3"
sampling="--temperature 0.7 --max-tokens 40 --batch 64 --seed $seed"
betas=${BETAS:-0.03 0.1 0.3}
rates=${RATES:-1e-4 3e-4}
say() { printf '== %s  %s\n' "$(date +%H:%M:%S)" "$*" >&2; }

# train OUT ARGUMENTS...: nothing when it is finished, on from its last checkpoint when it was cut.
train() {
    local out=$1
    shift
    [ ! -d "$out/final" ] || return 0
    say "train $out"
    if [ -e "$out/config.yaml" ] && compgen -G "$out/checkpoints/*" >/dev/null; then
        "$hone" train --out "$out" --resume
    else
        rm -rf "$out"
        "$hone" train --out "$out" --seed "$seed" --batch-pairs 16 --epochs 1 --schedule cosine --warmup 0.05 --pack-tokens 4096 \
            --max-length 500 --save-every 25 --keep 1 $form "$@"
    fi
}

# Rows of a file by number, written once.
rows() { [ -s "$1" ] || { sed -n "$3" "$2" >"$1.tmp" && mv "$1.tmp" "$1"; }; }

stage_data() {
    [ -d smollm2 ] || "$here/../models/smollm2.sh" smollm2
    [ -s data/train.jsonl ] || HONE=$hone "$here/../datasets/debian_synopsis.sh" data
    mkdir -p short
    local name
    for name in train valid test ood; do
        [ -s "short/$name.jsonl" ] || python3 "$here/synopsis.py" short "data/$name.jsonl" "${LONGEST:-100000}" "short/$name.jsonl"
    done
    rows answers.jsonl short/train.jsonl "1,${SFT:-4000}p"
    rows drafted.jsonl short/train.jsonl "$((${SFT:-4000} + 1)),$((${SFT:-4000} + ${SFT_DRAFTS:-2000}))p"
    rows pool.jsonl short/train.jsonl "$((${SFT:-4000} + ${SFT_DRAFTS:-2000} + 1)),$((${SFT:-4000} + ${SFT_DRAFTS:-2000} + ${PAIRS:-3000}))p"
    rows valid.jsonl short/valid.jsonl "1,${VALID:-128}p"
    rows test.jsonl short/test.jsonl "1,${TEST:-512}p"
    rows ood.jsonl short/ood.jsonl "1,${TEST:-512}p"
}

stage_sft() {
    train sft1 --model smollm2 --data answers.jsonl --method sft --lora-targets all-linear --lr 2e-4
    [ -s sft1-model/config.json ] || "$hone" merge --model smollm2 --adapter sft1/final --out sft1-model
    [ -s drafts.jsonl ] || { say drafts; "$hone" generate --model sft1-model --data drafted.jsonl $form --temperature 0.9 --max-tokens 40 \
        --batch 32 --seed "$seed" --json >drafts.tmp && mv drafts.tmp drafts.jsonl; }
    [ -s revisions.jsonl ] || python3 "$here/synopsis.py" revisions drafted.jsonl drafts.jsonl answers.jsonl revisions.jsonl
    train sft2 --model sft1-model --data revisions.jsonl --method sft --lora-targets all-linear --lr 1e-4
    [ -s sft/config.json ] || "$hone" merge --model sft1-model --adapter sft2/final --out sft
}

stage_pairs() {
    [ -s pairs/pairs.jsonl ] || "$hone" pairs --model sft --data pool.jsonl $form $judge --judge-temperature 0.05 --samples 2 \
        --temperature 0.9 --max-tokens 40 --batch 64 --seed "$seed" --out pairs
    rows final.jsonl pairs/pairs.jsonl "1,${FINAL:-1000000}p"
    rows sweep.jsonl pairs/pairs.jsonl "1,${SWEEP:-600}p"
}

# One method's arguments, so that all share everything but beta and rate. SRPO and IPO on sums.
method() { case $1 in srpo) echo "--method srpo --alpha ${2:-0.5}" ;; ipo) echo "--method ipo --ipo-sums" ;; dpo) echo "--method dpo" ;; esac; }

stage_sweep() {
    local adapters=() m b r
    for m in srpo ipo dpo; do
        for r in $rates; do
            for b in $betas; do
                train "sweep/$m-$b-$r" --model sft --data sweep.jsonl $(method $m) --beta "$b" --lr "$r"
                adapters+=(--adapter "$m-$b-$r=sweep/$m-$b-$r/final")
            done
        done
    done
    say "evaluate the sweep"
    "$hone" eval --model sft=sft "${adapters[@]}" --data valid.jsonl --against sft --revisions 2 $form $judge $sampling --out sweep/eval >sweep/eval.txt
    python3 "$here/synopsis.py" choose sweep/eval/results.json chosen.json
}

stage_final() {
    local m
    for m in srpo ipo dpo; do
        train "$m" --model sft --data final.jsonl $(method $m) $(python3 "$here/synopsis.py" arguments chosen.json $m)
    done
    say "evaluate on the test sets"
    "$hone" eval --model sft=sft --adapter srpo=srpo/final --adapter ipo=ipo/final --adapter dpo=dpo/final --data test.jsonl --ood ood.jsonl \
        --against sft --revisions "${REVISIONS:-5}" --show 5 $form $judge $sampling --out eval | tee eval.txt
}

stage_learned() {
    local m
    [ -s held/pairs.jsonl ] || "$hone" pairs --model sft --data valid.jsonl $form $judge --judge-temperature 0.05 --samples 2 \
        --temperature 0.9 --max-tokens 40 --batch 64 --seed "$seed" --out held
    for m in srpo ipo dpo; do
        [ -s held/$m.json ] || {
            say "held-out pairs, $m"
            "$hone" eval --held-out --method $m $(python3 "$here/synopsis.py" arguments chosen.json $m beta) --model sft --adapter $m=$m/final \
                --data held/pairs.jsonl $form --json >held/tmp && mv held/tmp held/$m.json
        }
    done
}

stage_alpha() {
    local adapters=() a
    for a in ${ALPHAS:-0 0.25 0.5 0.75 1}; do
        train "alpha/$a" --model sft --data sweep.jsonl $(method srpo $a) $(python3 "$here/synopsis.py" arguments chosen.json srpo)
        adapters+=(--adapter "alpha-$a=alpha/$a/final")
    done
    say "evaluate alpha"
    "$hone" eval --model sft=sft "${adapters[@]}" --data valid.jsonl --against sft --revisions 2 $form $judge $sampling --out alpha/eval | tee alpha.txt
}

# METHOD-BETA-RATE each.
stage_search() {
    local adapters=() run m rest
    mkdir -p search
    rows search/valid.jsonl short/valid.jsonl "1,512p"
    for run in ${SEARCH:-srpo-0.03-3e-4 srpo-0.01-3e-4 srpo-0.03-1e-3 srpo-0.1-1e-3 ipo-0.01-3e-4 ipo-0.03-1e-3 dpo-0.1-1e-3 dpo-0.3-1e-3}; do
        m=${run%%-*} rest=${run#*-}
        train "search/$run" --model sft --data final.jsonl $(method "$m") --beta "${rest%%-*}" --lr "${rest#*-}"
        adapters+=(--adapter "$run=search/$run/final")
    done
    for m in srpo ipo dpo; do
        adapters+=(--adapter "$(python3 "$here/synopsis.py" name chosen.json $m)=$m/final")
    done
    say "evaluate the search"
    "$hone" eval --model sft=sft "${adapters[@]}" --data search/valid.jsonl --against sft --revisions 1 $form $judge $sampling --out search/eval >search/eval.txt
    python3 "$here/synopsis.py" choose search/eval/results.json search/chosen.json
}

# Adapters of the runs that the search chose, wherever they are.
chosen() {
    local m name
    for m in srpo ipo dpo; do
        name=$(python3 "$here/synopsis.py" name search/chosen.json $m)
        echo "--adapter $m=$([ -d "search/$name" ] && echo "search/$name" || echo "$m")/final"
    done
}

stage_confirm() {
    say "greedy answers, validation set"
    "$hone" eval --model sft=sft $(chosen) --data search/valid.jsonl --against sft --revisions 2 $form $judge $sampling --temperature 0 --out search/greedy >search/greedy.txt
    say "the test sets again"
    "$hone" eval --model sft=sft $(chosen) --data test.jsonl --ood ood.jsonl --against sft --revisions 5 $form $judge $sampling --out confirm | tee confirm.txt
}

for stage in ${STAGES:-data sft pairs sweep final learned alpha search confirm}; do
    say "stage $stage"
    stage_$stage
done
[ -s eval/results.json ] || exit 0
say tables
python3 "$here/synopsis.py" tables . | tee tables.md
"$hone" report srpo ipo dpo eval --out report.html
