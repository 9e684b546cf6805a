"""Synthetic pairs, SRPO's six sequences of a pair, and their trie: plain Python, shared by all peers.

A pair is prompt (P), chosen and rejected (C each), instruction (K), all random token ids, the same for every peer. The
instruction follows the draft, as hone's templates have it: context of a revision = prompt + draft + instruction.
"""
import random

W, L, WL, LL, WW, LW = range(6)


def make_pair(seed, vocabulary, prompt, completion, instruction):
    """(prompt, chosen, rejected, instruction) as lists of ids."""
    rng = random.Random(seed)
    draw = lambda n: [rng.randrange(10, vocabulary) for _ in range(n)]
    return draw(prompt), draw(completion), draw(completion), draw(instruction)


def sequences(pair):
    """The six (context, completion) of SRPO: w, l, w|l, l|l, w|w, l|w."""
    x, w, l, k = pair
    return [(x, w), (x, l), (x + l + k, w), (x + l + k, l), (x + w + k, w), (x + w + k, l)]


def trie(items):
    """Merges equal prefixes. Returns (tokens, positions, parents, edges): tokens in depth-first pre-order; parents[i] is
    the row before token i (-1: a root); edges[s] = [(row, target)] of sequence s's completion."""
    root = {"row": -1, "children": {}}
    tokens, positions, parents = [], [], []
    nodes = []

    def child(node, token):
        if token not in node["children"]:
            node["children"][token] = {"children": {}}
        return node["children"][token]

    paths = []
    for context, completion in items:
        node, path = root, []
        for token in context + completion[:-1]:
            node = child(node, token)
            path.append(node)
        paths.append((path, len(context), completion))

    stack = [(token, node, -1, 0) for token, node in reversed(list(root["children"].items()))]
    while stack:
        token, node, parent, depth = stack.pop()
        node["row"] = len(tokens)
        tokens.append(token)
        positions.append(depth)
        parents.append(parent)
        nodes.append(node)
        stack.extend((t, n, node["row"], depth + 1) for t, n in reversed(list(node["children"].items())))
    edges = [[(path[n - 1 + i]["row"], target) for i, target in enumerate(completion)]
             for path, n, completion in paths]
    return tokens, positions, parents, edges


def ancestors(parents):
    """For every row the rows it sees, itself included."""
    seen = []
    for i, parent in enumerate(parents):
        seen.append((seen[parent] if parent >= 0 else []) + [i])
    return seen
