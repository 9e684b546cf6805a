#!/usr/bin/env python3
"""Judges the answers of the sorting problem: sorting_table.py TEST REPORT NAME=DRAFTS...

TEST has prompt and answer a line, DRAFTS a line of `hone revise --json` a prompt. Prints, for each model and revision, how
many answers are exactly right, and the win rate against the first model's first draft (fewer wrong places wins, a draw is
half a win; mean and deviation of 20 bootstrap resamples of 512), and writes the same as Markdown to REPORT.
"""
import json
import random
import sys

RESAMPLES, SIZE = 20, 512


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def wrong_places(text, answer):
    given, wanted = text.split(), answer.split()
    return sum(a != b for a, b in zip(given, wanted)) + abs(len(given) - len(wanted))


def win_rate(errors, reference, rng):
    points = [1.0 if a < b else 0.5 if a == b else 0.0 for a, b in zip(errors, reference)]
    means = [sum(rng.choices(points, k=SIZE)) / SIZE for _ in range(RESAMPLES)]
    mean = sum(means) / RESAMPLES
    return mean, (sum((m - mean) ** 2 for m in means) / (RESAMPLES - 1)) ** 0.5


def main():
    test, report, *named = sys.argv[1:]
    answers = [row["answer"] for row in read(test)]
    prompts = [row["prompt"] for row in read(test)]
    models = {name: [[d["text"] for d in row["drafts"]] for row in read(path)] for name, path in (n.split("=", 1) for n in named)}
    first = next(iter(models.values()))
    reference = [wrong_places(drafts[0], answer) for drafts, answer in zip(first, answers)]
    rng = random.Random(0)

    lines = ["| model | revision | exactly right | win rate against " + next(iter(models)) + ", draft 0 |", "|---|---|---|---|"]
    for name, rows in models.items():
        for n in range(len(rows[0])):
            errors = [wrong_places(drafts[n], answer) for drafts, answer in zip(rows, answers)]
            right = sum(e == 0 for e in errors) / len(errors)
            mean, deviation = win_rate(errors, reference, rng)
            lines.append(f"| {name} | {n} | {100 * right:.1f} % | {100 * mean:.1f} ± {100 * deviation:.1f} % |")
    lines += ["", "Answers, draft by draft:", ""]
    for i in range(4):
        lines.append(f"    {prompts[i]}   (right: {answers[i].strip()})")
        for name, rows in models.items():
            lines.append(f"      {name:5s} " + "  ->  ".join(draft.strip() for draft in rows[i]))
    text = "\n".join(lines)
    print(text)
    with open(report, "w", encoding="utf-8") as out:
        out.write("# Putting letters in order\n\n" + text + "\n\nThe bandit of the paper's section 5:\n\n![bandit](bandit.svg)\n")


if __name__ == "__main__":
    main()
