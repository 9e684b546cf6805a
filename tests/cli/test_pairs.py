#!/usr/bin/env python3
"""hone pairs: sampled, judged, drawn, labelled, taken up again. test_pairs.py HONE [unittest arguments]."""

import json
import os
import sys
import unittest

import test_cli
from test_cli import Case


class Pairs(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rows = [{"prompt": f"sort {i} b a =", "answer": f" a b {i}"} for i in range(6)]
        cls.prompts = cls.write("prompts.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        # A model that ends its answers: one that was trained a little.
        cls.must("train", "--model", cls.model, "--data", cls.data, "--method", "sft", "--full", "--lr", "1e-2",
                 "--steps", 60, "--schedule", "constant", "--batch-pairs", 5, "--threads", 1, "--quiet", "--out",
                 cls.path("sft"))
        cls.sft = cls.path("sft", "final")

    def arguments(self, out, *more):
        return ["pairs", "--model", self.sft, "--data", self.prompts, "--judge", "chrf", "--samples", 4, "--max-tokens",
                12, "--threads", 1, "--out", self.path(out), *more]

    def rows(self, out):
        with open(self.path(out, "pairs.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def make(self, out, *more):
        done = self.must(*self.arguments(out, "--json", *more))
        summary = json.loads(done.stdout)
        with open(self.path(out, "summary.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file), summary)
        rows = self.rows(out)
        self.assertEqual(len(rows), summary["pairs"])
        self.assertTrue(summary["policy"]["model"] and summary["data"] and summary["template"] == "plain", summary)
        self.assertGreater(len(rows), 0)
        return summary, rows

    def drafts(self, out):
        with open(self.path(out, "drafts.jsonl"), "rb") as file:
            return file.read()

    def test_rows_say_where_they_come_from(self):
        summary, rows = self.make("plain", "--judge-temperature", 0.1, "--name", "me", "--pairs", 3)
        lines = self.drafts("plain").splitlines()
        self.assertEqual(len(lines), 6 * 4)
        texts = [json.loads(line)["drafts"][0]["text"] for line in lines]
        for row in rows:
            source = row["source"]
            self.assertEqual((source["policy"], source["judge"], source["seed"]), ("me", "chrf", 0))
            self.assertIsNone(source["behaviour"])
            self.assertEqual(row["prompt"], f"sort {source['row']} b a =")
            for side in ("chosen", "rejected"):
                self.assertEqual(texts[source["row"] * 4 + source[side]["sample"]], row[side])
            self.assertGreater(source["p"], 0.5)
            self.assertGreaterEqual(source["chosen"]["score"], source["rejected"]["score"])
            self.assertEqual(row.get("preference", 1.0), source["p"])
        self.assertEqual(summary["candidates"] + summary["unended"] + summary["empty"] + summary["repeated"], 24)
        pairs = [(r["source"]["row"], r["source"]["chosen"]["sample"], r["source"]["rejected"]["sample"]) for r in rows]
        self.assertEqual(len(set(pairs)), len(pairs))

    def test_what_it_writes_is_what_train_reads(self):
        self.make("train", "--revisions", 1)
        self.train("trained", "--steps", 2, "--schedule", "constant", data=self.path("train", "pairs.jsonl"))

    def test_other_judges_and_labels_cost_no_sampling(self):
        _, first = self.make("same", "--select", "all")
        drafts = self.drafts("same")
        summary, hard = self.make("same", "--select", "all", "--label", "hard", "--behaviour", "length:3")
        self.assertEqual(self.drafts("same"), drafts)
        self.assertEqual(summary["behaviour"], "length:3")
        self.assertTrue(all("preference" not in row for row in hard))
        self.assertEqual(len(first), len(hard))
        _, again = self.make("same", "--select", "all")
        self.assertEqual(first, again)

    def test_best_is_best(self):
        _, everything = self.make("best", "--select", "all")
        _, best = self.make("best", "--select", "best")
        for row in best:
            mine = [r for r in everything if r["source"]["row"] == row["source"]["row"]]
            scores = [r["source"][side]["score"] for r in mine for side in ("chosen", "rejected")]
            self.assertEqual(row["source"]["chosen"]["score"], max(scores))
            self.assertEqual(row["source"]["rejected"]["score"], min(scores))

    def test_a_cut_run_goes_on(self):
        _, whole = self.make("whole")
        drafts = self.drafts("whole")
        lines = drafts.splitlines(keepends=True)
        os.makedirs(self.path("cut"))
        with open(self.path("cut", "drafts.jsonl"), "wb") as file:
            file.write(b"".join(lines[:7]) + lines[7][:20])
        _, rest = self.make("cut")
        self.assertEqual(rest, whole)
        # Log-probabilities may differ in the last bit: what is left runs in other batches.
        texts = [sorted((line["key"], line["drafts"][0]["text"]) for line in map(json.loads, part.splitlines()))
                 for part in (drafts, self.drafts("cut"))]
        self.assertEqual(*texts)

    def test_behaviour_skews_the_pairs(self):
        means = []
        for strength in (-4, 0, 4):
            summary, rows = self.make("skew", "--samples", 12, "--pairs", 4, "--behaviour", f"length:{strength}")
            means.append(sum(r["source"][s]["tokens"] for r in rows for s in ("chosen", "rejected")) / len(rows))
        self.assertLess(means[0], means[1])
        self.assertLess(means[1], means[2])

    def test_sampled_labels(self):
        _, rows = self.make("sampled", "--select", "all", "--samples", 12, "--label", "sampled", "--judge-temperature",
                            0.3)
        p = [row["source"]["p"] for row in rows]
        self.assertTrue(any(x < 0.5 for x in p) and any(x > 0.5 for x in p))
        self.assertTrue(all("preference" not in row for row in rows))

    def test_refusals(self):
        out = "refused"
        for more, says, code in ((["--samples", 1], "--samples", 1), (["--temperature", 0], "--temperature", 1),
                                 (["--behaviour", "beauty:1"], "beauty", 1), (["--pairs", 0], "--pairs", 1),
                                 (["--select", "worst"], "worst", 2), (["--label", "maybe"], "maybe", 2),
                                 (["--samples", 5000], "5000", 1), (["--limit", -1], "--limit", 1),
                                 (["--judge", "taste"], "taste", 1), (["--weights", "q3"], "q3", 2),
                                 (["--judge", "command", "--judge-command", "cat", "--behaviour", "score:1"],
                                  "no score", 1)):
            with self.subTest(more=more):
                self.bad(*self.arguments(out, *more), code=code, says=says)
                self.assertFalse(os.path.exists(self.path(out, "pairs.jsonl")))
        self.bad("pairs", "--model", self.sft, code=2, says="--data")
        done = test_cli.hone(*self.arguments("none", "--max-tokens", 1))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr.splitlines()[-1], r"\Ahone: .*no pair.* 1 tokens\Z")
        self.assertEqual(os.listdir(self.path("none")), ["drafts.jsonl"])


if __name__ == "__main__":
    test_cli.HONE = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
