#!/usr/bin/env python3
"""A built-in problem: put letters in order. sorting.py DIR [--seed S] [--rows N]

The behaviour policy that wrote the data is careless: it sorts, then makes 0 to 3 swaps of neighbours. One answer is
preferred to another when it has fewer inversions. Files of DIR:

    sft.jsonl    prompt, completion: what the behaviour policy answers, and how it revises (a second, independent try)
    pairs.jsonl  prompt, chosen, rejected: two tries of the behaviour policy, ranked
    test.jsonl   prompt, answer: other letters, and the right order
"""
import argparse
import json
import random

SEPARATOR = "\n\nBetter:"


def inversions(letters):
    return sum(a > b for i, a in enumerate(letters) for b in letters[i + 1:])


def careless(rng, letters):
    result = sorted(letters)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        i = rng.randrange(len(result) - 1)
        result[i], result[i + 1] = result[i + 1], result[i]
    return result


def text(letters):
    return " " + " ".join(letters)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=3000)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)

    def problem():
        letters = rng.sample("abcdefghij", 5)
        return letters, "sort" + text(letters) + " ="

    def write(name, rows):
        with open(f"{arguments.folder}/{name}.jsonl", "w", encoding="utf-8") as out:
            for row in rows:
                out.write(json.dumps(row) + "\n")

    sft, pairs = [], []
    while len(pairs) < arguments.rows:
        letters, prompt = problem()
        first, second = careless(rng, letters), careless(rng, letters)
        sft.append({"prompt": prompt, "completion": text(first)})
        sft.append({"prompt": prompt + text(first) + SEPARATOR, "completion": text(second)})
        if inversions(first) == inversions(second):
            continue
        better, worse = sorted((first, second), key=inversions)
        pairs.append({"prompt": prompt, "chosen": text(better), "rejected": text(worse)})
    write("sft", sft[:arguments.rows])
    write("pairs", pairs)
    write("test", [{"prompt": prompt, "answer": text(sorted(letters))} for letters, prompt in (problem() for _ in range(256))])


if __name__ == "__main__":
    main()
