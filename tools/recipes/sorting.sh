# The sorting problem's steps, for tools/demo.sh and tools/recipes/robustness.sh; sourced, with $hone set. Each step is left out
# when its result is there.

# Chosen on valid.jsonl of seed 0 (tools/recipes/robustness.sh --sweep): all methods have the same start, pairs and number of steps.
sorting_method() {
    case $1 in
    srpo) echo "--method srpo --alpha 0.5 --beta 0.1 --lr 2e-4" ;;
    ipo) echo "--method ipo --ipo-sums --beta 0.1 --lr 1e-4" ;;
    dpo) echo "--method dpo --beta 0.2 --lr 3e-5" ;;
    rpo) echo "--method rpo --beta 0.2 --lr 2e-4" ;;
    esac
}

# sorting_start DIR SEED: data, tokenizer, and a model of 0.8 million weights trained from nothing on the demonstrations.
sorting_start() {
    mkdir -p "$1"
    [ -s "$1/ood.jsonl" ] || python3 "$sorting_data" "$1" --seed "$2"
    [ -d "$1/base" ] || {
        "$hone" tokenizer train --data "$1/sft.jsonl" --vocab 512 --out "$1/tokenizer" >/dev/null
        "$hone" init --tokenizer "$1/tokenizer" --width 128 --layers 4 --heads 4 --hidden 320 --seed "$2" --out "$1/base"
    }
    [ -d "$1/sft/final" ] || "$hone" train --model "$1/base" --data "$1/sft.jsonl" --method sft --full --lr 2e-3 --schedule cosine \
        --warmup 0.05 --batch-pairs 32 --epochs 4 --seed "$2" --out "$1/sft"
}

# sorting_pairs DIR NAME SEED BEHAVIOUR: four answers of the SFT model to each prompt, each revised once; pairs of them, drawn as the
# behaviour policy would, judged half by exact agreement and half by likeness to the right order, with the preference's probability.
sorting_pairs() {
    [ -s "$1/$2/pairs.jsonl" ] || "$hone" pairs --model "$1/sft/final" --name sft --data "$1/prompts.jsonl" --samples 4 --revisions 1 \
        --judge exact:0.5,chrf:0.5 --judge-temperature 0.1 --behaviour "$4" --max-tokens 24 --batch 64 --seed "$3" --out "$1/$2"
}

# sorting_train DIR PAIRS METHOD RUN SEED [ARGUMENTS]
sorting_train() {
    local dir=$1 pairs=$2 method=$3 run=$4 seed=$5
    shift 5
    [ -d "$dir/$run/final" ] || "$hone" train --model "$dir/sft/final" --data "$dir/$pairs/pairs.jsonl" --full --schedule cosine \
        --warmup 0.05 --batch-pairs 32 --epochs 3 --seed "$seed" $(sorting_method "$method") "$@" --out "$dir/$run"
}
