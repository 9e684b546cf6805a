#!/usr/bin/env python3
"""What tools/recipes/synopsis.sh needs besides hone.

    synopsis.py short ROWS LONGEST OUT              the rows whose prompt has at most so many characters
    synopsis.py revisions ROWS DRAFTS ANSWERS OUT   SFT rows: what people wrote with a draft in view, and a quarter of plain answers
    synopsis.py choose RESULTS OUT                  of each method's runs METHOD-BETA-RATE, the one of the largest score at any revision
    synopsis.py arguments CHOSEN METHOD [NAME...]   its beta and lr (or those named), as arguments
    synopsis.py name CHOSEN METHOD                  METHOD-BETA-RATE
    synopsis.py tables DIR                          everything that was measured, as Markdown
"""
import json
import os
import sys

METHODS = ("srpo", "ipo", "dpo")


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def replace(path, text):
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".tmp", path)


def short(rows, longest, out):
    replace(out, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in lines(rows) if len(row["prompt"]) <= int(longest)))


def revisions(rows, drafts, answers, out):
    made = [{"prompt": row["prompt"], "draft": draft["text"], "completion": row["completion"]}
            for row, draft in zip(lines(rows), lines(drafts)) if draft["ended"] and draft["text"].strip()]
    plain = [{key: row[key] for key in ("prompt", "completion")} for row in lines(answers)[:len(made) // 2]]
    replace(out, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made + plain))


def scores(results, of="score", of_set="in"):
    """{policy: [estimate of revision 0, 1, ...]}"""
    table = {}
    for entry in results["results"]:
        if entry["set"] == of_set:
            table.setdefault(entry["policy"], {})[entry["revision"]] = entry[of]
    return {policy: [each[n] for n in sorted(each)] for policy, each in table.items()}


def choose(path, out):
    table = scores(read(path))
    chosen = {}
    for method in METHODS:
        runs = {name: max(e["value"] for e in each) for name, each in table.items() if name.split("-")[0] == method}
        best = max(runs, key=runs.get)
        _, beta, rate = best.split("-", 2)
        chosen[method] = {"beta": beta, "lr": rate, "score": runs[best]}
    replace(out, json.dumps(chosen, indent=1) + "\n")


def arguments(path, method, *names):
    chosen = read(path)[method]
    print(*(f"--{name} {chosen[name]}" for name in names or ("beta", "lr")))


def name(path, method):
    chosen = read(path)[method]
    print(method, chosen["beta"], chosen["lr"], sep="-")


def cell(e):
    return f"{100 * e['mean']:.1f} ± {100 * e['deviation']:.1f}"


def table(title, rows, kept=None):
    """`kept`: {policy: estimate of the draft that it would keep itself}"""
    width = len(next(iter(rows.values())))
    print(f"\n{title}\n\n| | " + " | ".join(f"{n}-revision" for n in range(width)) + (" | likeliest |" if kept else " |"))
    print("|---" * (width + 1 + bool(kept)) + "|")
    for name, each in rows.items():
        print(f"| {name} | " + " | ".join(cell(e) for e in each + ([kept[name]] if kept else [])) + " |")


def likeliest(results, of, of_set):
    return {e["policy"]: e[of] for e in results.get("kept", []) if e["set"] == of_set and e["by"] == "likeliest"}


def learned(folder):
    """What of the judge's preference the methods agree with, on pairs that they were not trained on."""
    print("\nPairs of validation prompts: agreement with the judge, %\n\n| | pairs | margin's sign | p^ | Brier score of p^ |\n" + "|---" * 5 + "|")
    for method in METHODS:
        entry = read(f"{folder}/{method}.json")["held_out"][0]
        print(f"| {method} | {entry['rows']} | {100 * entry['accuracy']:.1f} | {100 * entry['preference_accuracy']:.1f} | {entry['brier']:.3f} |")


def examples(folder, policies, count=5):
    """The first rows of the test set, whole."""
    drafts = {}
    for line in lines(f"{folder}/drafts.jsonl"):
        if line["set"] == "in" and line["row"] < count:
            drafts.setdefault(line["row"], {})[line["policy"]] = line
    for row in sorted(drafts):
        print(f"\n{row + 1}. people: \"{drafts[row][policies[0]]['reference']}\"")
        for policy in policies:
            texts = [draft["text"] for draft in drafts[row][policy]["drafts"]]
            print(f"   - {policy}: " + " → ".join(f'"{text}"' for text in texts))


def tables(folder):
    if os.path.exists(f"{folder}/sweep/eval/results.json"):
        table("Sweep, validation set, score (chrF 0.7, rules 0.3), %; METHOD-BETA-RATE",
              scores(read(f"{folder}/sweep/eval/results.json")))
        print("\nchosen:", json.dumps(read(f"{folder}/chosen.json")))
    tested(f"{folder}/eval", "Test")
    if os.path.exists(f"{folder}/held/{METHODS[-1]}.json"):
        learned(f"{folder}/held")
    if os.path.exists(f"{folder}/alpha/eval/results.json"):
        table("SRPO over alpha, validation set, score, %", scores(read(f"{folder}/alpha/eval/results.json")))
    if os.path.exists(f"{folder}/search/eval/results.json"):
        table("Search, all pairs, 512 validation rows, score, %; METHOD-BETA-RATE", scores(read(f"{folder}/search/eval/results.json")))
        print("\nchosen:", json.dumps(read(f"{folder}/search/chosen.json")))
    if os.path.exists(f"{folder}/search/greedy/results.json"):
        table("Greedy answers, validation set, score, %", scores(read(f"{folder}/search/greedy/results.json")))
    tested(f"{folder}/confirm", "Test, numbers of the search")


def tested(folder, title):
    """Both test sets, paired differences, five rows whole."""
    if os.path.exists(f"{folder}/results.json"):
        results = read(f"{folder}/results.json")
        for of, name in (("win_rate", "win rate against SFT's draft 0, %"), ("score", "score (chrF 0.7, rules 0.3), %")):
            for of_set, where in (("in", "in distribution"), ("out", "out of distribution")):
                table(f"{title}, {where}: {name}", scores(results, of, of_set), likeliest(results, of, of_set))
        print("\nPaired on the same rows (score):\n\n| set | | difference [95 %] | wins/draws/losses | p (signs) | p (bootstrap) |")
        print("|---" * 6 + "|")
        for p in results["paired"]:
            if p["on"] == "score" and (p["a"] == p["b"] and p["a_revision"] == 1 or p["a_revision"] == p["b_revision"] < 2):
                print(f"| {p['set']} | {p['a']}/{p['a_revision']} - {p['b']}/{p['b_revision']} | {100 * p['difference']:+.1f} "
                      f"[{100 * p['low']:+.1f}, {100 * p['high']:+.1f}] | {p['wins']}/{p['draws']}/{p['losses']} | "
                      f"{p['sign_p']:.3g} | {p['bootstrap_p']:.3g} |")
        examples(folder, [policy["name"] for policy in results["policies"]])


if __name__ == "__main__":
    commands = {"short": short, "revisions": revisions, "choose": choose, "arguments": arguments, "name": name, "tables": tables}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
