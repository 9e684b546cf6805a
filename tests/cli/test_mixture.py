#!/usr/bin/env python3
"""Training on several files, and on a part of them: test_mixture.py HONE [unittest arguments]."""

import json
import os
import sys
import unittest

import test_cli
from test_cli import Case


class Mixture(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.one, cls.two = (cls.write(f"{name}.jsonl", "".join(
            json.dumps({"prompt": f"sort {name} {i} =", "chosen": f" a {i}", "rejected": f" {i} a"}) + "\n" for i in range(count)))
            for name, count in (("one", 8), ("two", 6)))

    def run_with(self, out, data, *more):
        self.must("train", "--model", self.model, "--data", data, "--method", "srpo", "--out", self.path(out), "--lr", "1e-2",
                  "--batch-pairs", 1, "--threads", 1, "--quiet", *more)
        return self.metrics(self.path(out))

    def weights(self, out):
        with open(self.path(out, "final", "adapter_model.safetensors"), "rb") as file:
            return file.read()

    def test_an_epoch_has_the_weights(self):
        self.assertEqual(len(self.run_with("both", f"{self.one},{self.two}")), 14)
        self.assertEqual(len(self.run_with("weighted", f"{self.one}:0.5,{self.two}:2.5", "--epochs", 2)), 2 * (4 + 15))
        config = self.must("train", "--out", self.path("weighted"), "--resume", "--steps", 40, "--quiet")
        self.assertEqual(config.stdout, "")

    def test_one_file_is_as_before(self):
        self.run_with("plain", self.one)
        self.run_with("same", self.one + ":1")
        self.assertEqual(self.weights("plain"), self.weights("same"))

    def test_resume_within_an_epoch(self):
        data = f"{self.one}:0.5,{self.two}:1.5"
        whole = self.run_with("whole", data, "--steps", 11, "--schedule", "constant")
        self.run_with("parts", data, "--steps", 5, "--schedule", "constant")
        self.must("train", "--out", self.path("parts"), "--resume", "--steps", 11, "--quiet")
        self.assertEqual(self.weights("whole"), self.weights("parts"))
        self.assertEqual([row["loss"] for row in whole], [row["loss"] for row in self.metrics(self.path("parts"))])

    def test_another_weight_is_another_run(self):
        self.run_with("first", f"{self.one}:0.5,{self.two}", "--steps", 2)
        done = test_cli.hone("train", "--out", self.path("first"), "--resume", "--steps", 4, "--quiet", "--data",
                             f"{self.one}:0.25,{self.two}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("its data is", done.stderr)

    def test_a_split_by_prompts(self):
        # Every prompt twice: both rows are on one side.
        rows = [json.loads(line) for name in (self.one, self.two) for line in open(name, encoding="utf-8")]
        rows += [{**row, "chosen": row["rejected"], "rejected": row["chosen"]} for row in rows]
        data = self.write("twice.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        steps = len(self.run_with("split", data, "--eval-split", 0.3, "--eval-every", 5, "--seed", 3))
        self.assertTrue(0 < steps < 28 and steps % 2 == 0, steps)
        with open(self.path("split", "eval.jsonl"), encoding="utf-8") as file:
            held = [json.loads(line) for line in file]
        self.assertTrue(held)
        self.assertTrue(os.path.exists(self.path("split", "best", "adapter_model.safetensors")))
        # More rows of new prompts move none of the old ones: what was held out stays so.
        more = self.write("more.jsonl", open(data, encoding="utf-8").read() + json.dumps(
            {"prompt": "something new", "chosen": "a", "rejected": "b"}) + "\n")
        self.assertIn(len(self.run_with("grown", more, "--eval-split", 0.3, "--seed", 3)), (steps, steps + 1))

    def test_a_batch_may_hold_a_row_twice(self):
        # Six rows, 24 an epoch: a batch of 16 repeats some, and must find room for the longest of them again and again.
        self.assertEqual(len(self.run_with("repeated", self.two + ":4", "--batch-pairs", 16, "--pack-tokens", 4096)), 2)
        self.assertEqual(len(self.run_with("naive", self.two + ":4", "--batch-pairs", 16, "--pack", "naive", "--pack-tokens", 4096)), 2)

    def test_refusals(self):
        for data, more, says, code in ((f"{self.one}:0,{self.two}", [], "weight", 1), (f"{self.one}:-2", [], "weight", 1),
                                       (f"{self.one},,{self.two}", [], "empty name", 1), (f"{self.one},/no/file", [], "/no/file", 1),
                                       (f"{self.one}:0.01", [], "no row in an epoch", 1),
                                       (self.one, ["--eval-split", 1.5], "--eval-split", 2), (self.one, ["--eval-split", -0.5], "--eval-split", 2),
                                       (self.one, ["--eval-split", 0.5, "--eval-data", self.two], "--eval-data", 2),
                                       (self.one, ["--eval-split", 1e-9], "holds out no row", 1),
                                       (self.one, ["--eval-split", 0.999999], "held out", 1),
                                       (self.one, ["--patience", 2], "--eval-split", 2)):
            with self.subTest(data=data, more=more):
                self.bad("train", "--model", self.model, "--data", data, "--method", "srpo", "--out", self.path("never"), "--quiet", *more,
                         says=says, code=code)
                self.assertFalse(os.path.exists(self.path("never")))


if __name__ == "__main__":
    test_cli.HONE = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
