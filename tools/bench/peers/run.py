"""hone and its peers, one after the other on the same machine: prints Markdown tables, and JSON with --json.

  training   seconds a pair of SRPO (P=350, C=35), LoRA r 16 on q_proj and v_proj of --model
  full       the same, all weights of a random model of 15M (288,768,6,6,6,32000)
  decoding   tokens/s of one sequence, and of a prompt

Every row is a process of its own. hone runs before and after the peers of its table, and its row is the mean of the
two.
"""
import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHAPE = "288,768,6,6,6,32000"


def call(command, args):
    print("  " + " ".join(map(str, command)), file=sys.stderr, flush=True)
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1] if command[0] == sys.executable else done.stdout)


def hone_step(args, what, extra):
    report = call([args.hone, "bench", "step", *what, "--method", "srpo", "--prompt-tokens", "350",
                   "--completion-tokens", "35", "--lora-rank", "16", "--json", "--threads", str(args.threads),
                   *extra], args)
    return {"seconds": 1 / report["pairs_per_s"], "peak_bytes": report["peak_bytes"]}


def peer_step(args, peer, what, dtype):
    return call([sys.executable, HERE / "train.py", peer, *what, "--dtype", dtype, "--steps", str(args.steps),
                 "--threads", str(args.threads)], args)


def table(title, rows, base):
    print(f"\n{title}\n\n| | s a pair | peak memory | times hone's time | times hone's memory |\n|---|---|---|---|---|")
    for name, row in rows:
        print(f"| {name} | {row['seconds']:.2f} | {row['peak_bytes'] / 1e9:.2f} GB "
              f"| {row['seconds'] / base['seconds']:.2f} | {row['peak_bytes'] / base['peak_bytes']:.2f} |")


def mean(a, b):
    return {"seconds": (a["seconds"] + b["seconds"]) / 2, "peak_bytes": max(a["peak_bytes"], b["peak_bytes"])}


def training(args, title, what, full, hone_rows, dtypes):
    """hone_rows: (name, options of hone)."""
    flag = ["--full"] if full else []
    before = [hone_step(args, what + flag, extra) for _, extra in hone_rows]
    peers = [(f"PyTorch {dtype}, {text}", peer_step(args, peer, what + flag, dtype))
             for dtype in dtypes
             for peer, text in (("padded", "six padded rows, reference each step"),
                                ("cached", "six padded rows, reference once"),
                                ("trie", "one trie row, dense mask, reference once"))]
    after = [hone_step(args, what + flag, extra) for _, extra in hone_rows]
    rows = [(name, mean(b, a)) for (name, _), b, a in zip(hone_rows, before, after)]
    table(title, rows + peers, rows[0][1])
    return {name: row for name, row in rows + peers}


def decoding(args):
    def hone(weights):
        report = call([args.hone, "bench", "decode", "--model", args.model, "--weights", weights, "--batch", "1",
                       "--json", "--threads", str(args.threads)], args)
        return {"peer": f"hone {weights}", "decode_tokens_per_s": report["batch1_tokens_per_s"],
                "prompt_tokens_per_s": report["prompt_tokens_per_s"]}

    rows = [hone("f32"), hone("q8")]
    rows.append(call([sys.executable, HERE / "decode.py", "transformers", "--model", args.model, "--threads",
                      str(args.threads)], args))
    if args.gguf:
        rows.append(call([sys.executable, HERE / "decode.py", "llama", "--gguf", args.gguf, "--threads",
                          str(args.threads)], args))
    rows += [hone("f32"), hone("q8")]
    print("\nDecoding, one sequence after a prompt of 128\n\n| | tokens/s | tokens/s of the prompt |\n|---|---|---|")
    for row in rows:
        print(f"| {row['peer']} | {row['decode_tokens_per_s']:.1f} | {row['prompt_tokens_per_s']:.0f} |")
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hone", default="build/release/bin/hone", help="the command")
    parser.add_argument("--model", required=True, help="model folder (SmolLM2-135M: tools/models/smollm2.sh)")
    parser.add_argument("--gguf", help="GGUF file of the same model, for llama.cpp")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--steps", type=int, default=3, help="timed steps of each peer, after one")
    parser.add_argument("--only", choices=["training", "full", "decoding"], action="append")
    parser.add_argument("--bf16", action="store_true", help="the peers in bfloat16 too")
    parser.add_argument("--json", metavar="FILE", help="results as JSON")
    args = parser.parse_args()
    wanted = args.only or ["training", "full", "decoding"]
    dtypes = ["float32", "bfloat16"] if args.bf16 else ["float32"]
    results = {}
    if "training" in wanted:
        results["training"] = training(args, "SRPO, LoRA r 16 on q_proj and v_proj, P=350, C=35",
                                       ["--model", args.model], False,
                                       [("hone f32", []), ("hone bf16", ["--dtype", "bf16"]),
                                        ("hone f32, q8 base", ["--weights", "q8"])], dtypes)
    if "full" in wanted:
        results["full"] = training(args, f"SRPO, all weights of {SHAPE}, P=350, C=35", ["--shape", SHAPE], True,
                                   [("hone f32", []), ("hone bf16", ["--dtype", "bf16"])], dtypes[:1])
    if "decoding" in wanted:
        results["decoding"] = decoding(args)
    if args.json:
        Path(args.json).write_text(json.dumps(results, indent=1) + "\n")


main()
