#!/usr/bin/env python3
"""Held-out rows during training: test_watch.py HONE [unittest arguments]. Standard library only."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HONE = ""


class Watch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="hone-watch-")
        rows = [{"prompt": f"sort {i} b a =", "chosen": f" a b {i}", "rejected": f" b {i} a"} for i in range(12)]
        cls.data, cls.held = cls.write("pairs.jsonl", rows[:8]), cls.write("held.jsonl", rows[8:])
        # What training prefers is what these rows reject: their loss rises from the first step on.
        cls.against = cls.write("against.jsonl",
                                [{"prompt": r["prompt"], "chosen": r["rejected"], "rejected": r["chosen"]} for r in rows[:8]])
        cls.model = cls.path("model")
        cls.must("tokenizer", "train", "--data", cls.data, "--vocab", 280, "--out", cls.path("tokenizer"))
        cls.must("init", "--tokenizer", cls.path("tokenizer"), "--width", 16, "--layers", 2, "--heads", 2, "--kv-heads", 1,
                 "--hidden", 24, "--max-positions", 128, "--initializer-range", 0.1, "--out", cls.model)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.root)

    @classmethod
    def path(cls, *names):
        return os.path.join(cls.root, *names)

    @classmethod
    def write(cls, name, rows):
        with open(cls.path(name), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        return cls.path(name)

    @classmethod
    def hone(cls, *arguments):
        return subprocess.run([HONE, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)

    @classmethod
    def must(cls, *arguments):
        done = cls.hone(*arguments)
        if done.returncode != 0:
            raise AssertionError(f"{arguments}: {done.returncode}: {done.stderr}")
        return done

    def train(self, out, *more, method="srpo", held=None):
        return self.must("train", "--model", self.model, "--data", self.data, "--method", method, "--out", self.path(out),
                         "--lr", 0.01, "--lora-targets", "all-linear", "--lora-dropout", 0.1, "--eval-data", held or self.held,
                         *more)

    def lines(self, out, name="eval.jsonl"):
        with open(self.path(out, name), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def content(self, *names):
        with open(self.path(*names), "rb") as file:
            return file.read()

    def test_every_k_steps_and_at_the_end(self):
        done = self.train("a", "--steps", 7, "--eval-every", 3)
        lines = self.lines("a")
        self.assertEqual([line["step"] for line in lines], [3, 6, 7])
        self.assertEqual(done.stderr.count("held out at step"), 3)
        best = min(lines, key=lambda line: line["eval_loss"])
        lowest = float("inf")
        for line in lines:
            self.assertEqual(line["best"], line["eval_loss"] < lowest)
            lowest = min(lowest, line["eval_loss"])
        # What was saved scores as was said, without dropout, by another command.
        held = json.loads(self.must("eval", "--held-out", "--model", self.model, "--adapter", f"x={self.path('a', 'best')}",
                                    "--data", self.held, "--json").stdout)["held_out"][0]
        self.assertAlmostEqual(held["loss"], best["eval_loss"], places=5)
        self.assertAlmostEqual(held["margin"], best["eval_rewards/margins"], places=5)
        self.assertAlmostEqual(held["accuracy"], best["eval_rewards/accuracies"])

    def test_training_is_the_same(self):
        """Watching changes no bit of what is trained."""
        self.train("b", "--steps", 4, "--eval-every", 1)
        self.must("train", "--model", self.model, "--data", self.data, "--method", "srpo", "--out", self.path("c"), "--lr",
                  0.01, "--lora-targets", "all-linear", "--lora-dropout", 0.1, "--steps", 4)
        self.assertEqual(self.content("b", "final", "adapter_model.safetensors"),
                         self.content("c", "final", "adapter_model.safetensors"))

    def test_patience(self):
        done = self.train("d", "--steps", 50, "--eval-every", 2, "--patience", 3, held=self.against)
        lines = self.lines("d")
        self.assertEqual([line["step"] for line in lines], [2, 4, 6, 8])
        self.assertEqual([line["best"] for line in lines], [True, False, False, False])
        self.assertEqual(len(self.lines("d", "metrics.jsonl")), 8)
        self.assertIn("ended at step 8 of 50: no lower held-out loss in 3 evaluations", done.stderr)
        self.assertIn(f"at step 2: {self.path('d')}/best\n", done.stderr)
        self.assertTrue(os.path.exists(self.path("d", "final")))
        self.assertEqual(sorted(os.listdir(self.path("d", "checkpoints")))[-1], "step-00000008.hone")
        before = self.content("d", "final", "adapter_model.safetensors")
        self.assertNotEqual(before, self.content("d", "best", "adapter_model.safetensors"))
        # A run that had enough has enough.
        again = json.loads(self.must("train", "--out", self.path("d"), "--resume", "--json").stdout)
        self.assertEqual((again["steps"], again["planned_steps"], again["best_step"]), (8, 50, 2))
        self.assertEqual(again["best_loss"], lines[0]["eval_loss"])
        self.assertEqual(self.lines("d"), lines)
        self.assertEqual(self.content("d", "final", "adapter_model.safetensors"), before)

    def test_resume(self):
        self.train("e", "--steps", 8, "--eval-every", 2, "--schedule", "constant")
        self.train("f", "--steps", 5, "--eval-every", 2, "--schedule", "constant")
        self.assertEqual([line["step"] for line in self.lines("f")], [2, 4, 5])
        self.must("train", "--out", self.path("f"), "--resume", "--steps", 8)
        kept = [line for line in self.lines("f") if line["step"] != 5]
        self.assertEqual([(l["step"], l["eval_loss"]) for l in kept], [(l["step"], l["eval_loss"]) for l in self.lines("e")])

    def test_methods_and_full_training(self):
        for method in ("dpo", "ipo", "simpo", "rpo"):
            with self.subTest(method=method):
                self.train(method, "--steps", 2, "--eval-every", 1, method=method)
                self.assertEqual(len(self.lines(method)), 2)
        self.train("full", "--full", "--steps", 2, "--eval-every", 1)
        held = json.loads(self.must("eval", "--held-out", "--model", f"x={self.path('full', 'best')}", "--reference", self.model,
                                    "--data", self.held, "--json").stdout)["held_out"][0]
        self.assertAlmostEqual(held["loss"], min(line["eval_loss"] for line in self.lines("full")), places=5)
        self.must("train", "--out", self.path("full"), "--resume", "--steps", 3)
        held = json.loads(self.must("eval", "--held-out", "--model", f"x={self.path('full', 'final')}", "--reference",
                                    self.model, "--data", self.held, "--json").stdout)["held_out"][0]
        self.assertAlmostEqual(held["loss"], self.lines("full")[-1]["eval_loss"], places=5)
        sft = self.write("sft.jsonl", [{"prompt": "a =", "completion": " b"}, {"prompt": "b =", "completion": " c d"}])
        self.must("train", "--model", self.model, "--data", sft, "--method", "sft", "--out", self.path("sft"), "--lr", 0.01,
                  "--steps", 2, "--eval-data", sft, "--eval-every", 1)
        self.assertEqual(set(self.lines("sft")[0]), {"step", "epoch", "eval_loss", "best"})
        # The rows are the training rows, all in one batch: the loss before step 2 is the loss held out after step 1.
        self.assertAlmostEqual(self.lines("sft")[0]["eval_loss"], self.lines("sft", "metrics.jsonl")[1]["loss"], places=5)

    def test_refusals(self):
        base = ["train", "--model", self.model, "--data", self.data, "--method", "srpo", "--out", self.path("never")]
        for says, more in (("--eval-data", ["--patience", 2]), ("--eval-every", ["--eval-data", self.held, "--eval-every", 0]),
                           ("--patience", ["--eval-data", self.held, "--patience", -1]),
                           ("--pack-tokens", ["--eval-data", self.write("long.jsonl", [
                               {"prompt": "xyz" * 25, "chosen": "a", "rejected": "b"}]), "--pack-tokens", 90]),
                           ("absent", ["--eval-data", self.path("absent")])):
            with self.subTest(says=says):
                done = self.hone(*base, *more)
                self.assertIn(done.returncode, (1, 2))
                self.assertIn(says, done.stderr)
                self.assertFalse(os.path.exists(self.path("never", "checkpoints")))


if __name__ == "__main__":
    HONE = sys.argv.pop(1)
    unittest.main()
