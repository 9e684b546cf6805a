#!/usr/bin/env python3
"""A built-in problem: put five animals in order. sorting.py DIR [--seed S] [--demonstrations N] [--prompts N] [--tests N]

The people who demonstrate it are careless. They sort, and then swap neighbours up to three times. Shown a list that should be
in order they read it once from left to right, and turn round six out of ten neighbours that are in the wrong order; now and then
they also swap two that were right. So an answer is useful work for its revision, and a revision is seldom the end of it.

Files of DIR, JSONL:

    sft.jsonl      prompt, completion: demonstrated answers; prompt, draft, completion: demonstrated revisions
    prompts.jsonl  prompt, reference (the right order): to sample preference pairs from
    valid.jsonl    the same, to choose numbers on
    test.jsonl     the same, to report on
    ood.jsonl      out of distribution: animals that are near neighbours in the alphabet, which in the other files meet by chance
                   alone; so the comparisons that it takes are the ones that were practised least
"""
import argparse
import json
import os
import random

ANIMALS = """ant bat bee bug cat clam colt crab cub doe dove eel emu fawn flea fox gnat goose hare heron horse jay lamb lion lynx mole mouse
newt otter ox pig puma ram raven seal sheep skunk slug snake stag swan toad trout viper whale worm yak""".split()
WORDS, WINDOW = 5, 10
assert ANIMALS == sorted(ANIMALS)


def anywhere(rng):
    return rng.sample(ANIMALS, WORDS)


def neighbours(rng):
    first = rng.randrange(len(ANIMALS) - WINDOW + 1)
    return rng.sample(ANIMALS[first:first + WINDOW], WORDS)


def swap(rng, words):
    i = rng.randrange(len(words) - 1)
    words[i], words[i + 1] = words[i + 1], words[i]


def answer(rng, words):
    result = sorted(words)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        swap(rng, result)
    return result


def revision(rng, draft):
    result = list(draft)
    for i in range(len(result) - 1):
        if result[i] > result[i + 1] and rng.random() < 0.6:
            result[i], result[i + 1] = result[i + 1], result[i]
    if rng.random() < 0.15:
        swap(rng, result)
    return result


def text(words):
    return " " + " ".join(words)


def prompt(words):
    return "sort" + text(words) + " ="


def demonstrations(rng, count):
    """Answers, and revisions of drafts that were revised up to twice before."""
    for _ in range(count // 2):
        words = anywhere(rng)
        yield {"prompt": prompt(words), "completion": text(answer(rng, words))}
        words = anywhere(rng)
        draft = answer(rng, words)
        for _ in range(rng.choice((0, 0, 1, 1, 2))):
            draft = revision(rng, draft)
        yield {"prompt": prompt(words), "draft": text(draft), "completion": text(revision(rng, draft))}


def problems(rng, draw, count):
    for _ in range(count):
        words = draw(rng)
        yield {"prompt": prompt(words), "reference": text(sorted(words))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--demonstrations", type=int, default=12000)
    parser.add_argument("--prompts", type=int, default=3000)
    parser.add_argument("--tests", type=int, default=512)
    arguments = parser.parse_args()
    files = {"sft": lambda rng: demonstrations(rng, arguments.demonstrations),
             "prompts": lambda rng: problems(rng, anywhere, arguments.prompts),
             "valid": lambda rng: problems(rng, anywhere, arguments.tests),
             "test": lambda rng: problems(rng, anywhere, arguments.tests),
             "ood": lambda rng: problems(rng, neighbours, arguments.tests)}
    os.makedirs(arguments.folder, exist_ok=True)
    for name, rows in files.items():
        with open(f"{arguments.folder}/{name}.jsonl", "w", encoding="utf-8") as out:
            for row in rows(random.Random(f"{name} {arguments.seed}")):
                out.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
