"""The peers' pairs: the trie of SRPO's six sequences, against the sequences themselves."""
import subprocess
import sys
import unittest
from pathlib import Path

PEERS = Path(__file__).resolve().parents[2] / "tools" / "bench" / "peers"
sys.path.insert(0, str(PEERS))
import pairs  # noqa: E402


class Peers(unittest.TestCase):
    def test_the_trie_has_the_tokens_that_the_mathematics_says(self):
        for p, c, k in ((350, 35, 8), (20, 5, 3), (1, 1, 1), (7, 2, 0)):
            items = pairs.sequences(pairs.make_pair(1, 50000, p, c, k))
            tokens, positions, parents, edges = pairs.trie(items)
            # P + 2C drafts + 2k instructions + 4(C - 1) revisions: what is not shared by two sequences. With no
            # instruction the last token of a draft still stands before a revision.
            self.assertEqual(len(tokens), p + 2 * c + 2 * k + 4 * (c - 1))
            self.assertEqual(len(tokens), len(positions))
            self.assertEqual([len(e) for e in edges], [c] * 6)

    def test_every_row_sees_its_own_sequence(self):
        items = pairs.sequences(pairs.make_pair(3, 30, 9, 4, 2))
        tokens, positions, parents, edges = pairs.trie(items)
        seen = pairs.ancestors(parents)
        for (context, completion), sequence in zip(items, edges):
            for i, (row, target) in enumerate(sequence):
                self.assertEqual([tokens[j] for j in seen[row]], context + completion[:i])
                self.assertEqual(target, completion[i])
                self.assertEqual(positions[row], len(context) + i - 1)
        for i, parent in enumerate(parents):
            self.assertLess(parent, i)  # pre-order

    def test_equal_sides_share_everything(self):
        x, w, _, k = pairs.make_pair(5, 50000, 6, 3, 2)
        tokens, _, _, edges = pairs.trie(pairs.sequences((x, w, w, k)))
        self.assertEqual(len(tokens), 6 + 3 + 2 + 2)
        self.assertEqual(edges[0], edges[1])

    def test_the_command_explains_itself(self):
        out = subprocess.run([str(PEERS / "run.sh"), "--help"], capture_output=True, text=True)
        self.assertEqual(out.returncode, 0)
        self.assertIn("--model", out.stdout)


if __name__ == "__main__":
    unittest.main()
