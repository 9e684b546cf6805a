#!/usr/bin/env python3
"""What tools/recipes/robustness.sh needs besides hone.

    robustness.py answers DRAFTS POLICY   a policy's first answers as SFT rows: prompt, completion (those that ended)
    robustness.py sweep RESULTS           the score of every run, and each method's best
    robustness.py alpha RESULTS...        Markdown: SRPO over alpha, mean and deviation over the files
    robustness.py tables SEED-DIR...      Markdown: methods over revisions, and how far the behaviour policy moves each
"""
import json
import statistics
import sys

METHODS = ("srpo", "ipo", "dpo", "rpo")


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def results(path):
    """{(policy, set, revision): score in per cent}"""
    with open(path, encoding="utf-8") as file:
        return {(e["policy"], e["set"], e["revision"]): 100 * e["score"]["value"] for e in json.load(file)["results"]}


def answers(path, policy):
    for line in lines(path):
        draft = line["drafts"][0]
        if line["policy"] == policy and line["set"] == "in" and draft["ended"] and draft["text"]:
            print(json.dumps({"prompt": line["prompt"], "completion": draft["text"]}))


def sweep(path):
    table = results(path)
    names = list(dict.fromkeys(policy for policy, _, _ in table))
    print("| run | 0 | 1 | 2 |\n|---|---|---|---|")
    for name in names:
        print(f"| {name} | " + " | ".join(f"{table[name, 'in', n]:.1f}" for n in range(3)) + " |")
    for method in METHODS:
        runs = [name for name in names if name.split("-")[0] == method]
        print("best:", max(runs, key=lambda name: max(table[name, "in", n] for n in range(3))))


def kept(path):
    """{(policy, set): score in per cent of the draft that the policy would keep itself}"""
    with open(path, encoding="utf-8") as file:
        return {(e["policy"], e["set"]): 100 * e["score"]["value"] for e in json.load(file)["kept"] if e["by"] == "likeliest"}


def alpha(*paths):
    found, own = [results(path) for path in paths], [kept(path) for path in paths]
    names = list(dict.fromkeys(policy for policy, _, _ in found[0]))
    for of_set, where in (("in", "in distribution"), ("out", "out of distribution")):
        print(f"\nExactly right, {where}, %; mean ± deviation over {len(paths)} seeds\n")
        print("| | " + " | ".join(f"{n}-revision" for n in range(6)) + " | likeliest |\n" + "|---" * 8 + "|")
        for name in names:
            print(f"| {name} | " + " | ".join(spread([t[name, of_set, n] for t in found]) for n in range(6)) +
                  f" | {spread([t[name, of_set] for t in own])} |")


def logps(folder, method, p, q):
    """log q of the answers that p drew."""
    return [row["policy"]["w"] for row in lines(f"{folder}/cross/{method}-{p}-{q}.jsonl")]


def divergence(folder, method, p, q):
    """KL(p|q) from p's own draws, nats an answer."""
    return statistics.fmean(a - b for a, b in zip(logps(folder, method, p, p), logps(folder, method, p, q)))


def spread(values, digits=1):
    mean = f"{statistics.fmean(values):.{digits}f}"
    return f"{mean} ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else mean


def tables(*folders):
    found = {folder: results(f"{folder}/eval/results.json") for folder in folders}
    own = [kept(f"{folder}/eval/results.json") for folder in folders]
    for of_set, where in (("in", "in distribution"), ("out", "out of distribution")):
        print(f"\nExactly right, {where}, %; mean ± deviation over {len(folders)} seeds\n")
        print("| | " + " | ".join(f"{n}-revision" for n in range(6)) + " | likeliest |\n" + "|---" * 8 + "|")
        for name in ("sft", *(f"{method}-uniform" for method in METHODS)):
            print(f"| {name.split('-')[0]} | " +
                  " | ".join(spread([table[name, of_set, n] for table in found.values()]) for n in range(6)) +
                  f" | {spread([table[name, of_set] for table in own])} |")
    print("\nTwo behaviour policies, the same preferences\n\n| | move, nats an answer | worse: 0, 1 revision | better: 0, 1 revision | "
          "gap: 0, 1 revision |\n" + "|---" * 5 + "|")
    for method in METHODS:
        moves = [(divergence(folder, method, "worse", "better") + divergence(folder, method, "better", "worse")) / 2
                 for folder in folders]
        sides = [", ".join(spread([table[f"{method}-{side}", "in", n] for table in found.values()]) for n in (0, 1))
                 for side in ("worse", "better")]
        gaps = ", ".join(spread([abs(table[f"{method}-worse", "in", n] - table[f"{method}-better", "in", n])
                                 for table in found.values()]) for n in (0, 1))
        print(f"| {method} | {spread(moves, 2)} | {sides[0]} | {sides[1]} | {gaps} |")


if __name__ == "__main__":
    commands = {"answers": answers, "sweep": sweep, "alpha": alpha, "tables": tables}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
