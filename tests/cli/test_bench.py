#!/usr/bin/env python3
"""hone bench: what it prints, not how fast it is. test_bench.py HONE [unittest arguments]. Standard library only."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HONE = ""
PARTS = ["step", "decode", "gemm", "pack", "load", "checkpoint", "revise"]
SHAPE = "16,24,2,2,1,60"
SMALL = ["--prompt-tokens", 20, "--completion-tokens", 5, "--steps", 2, "--threads", 1]


def hone(*arguments):
    return subprocess.run([HONE, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=300)


class Bench(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="hone-bench-")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.root)

    def must(self, *arguments):
        done = hone("bench", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def json(self, *arguments):
        lines = self.must(*arguments, "--json").splitlines()
        self.assertEqual(len(lines), 1)
        return json.loads(lines[0])

    def bad(self, *arguments, code, says):
        done = hone("bench", *arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertIn(says, done.stderr)

    def times(self, times, runs=None):
        self.assertLess(0, times["min"])
        self.assertLessEqual(times["min"], times["median"])
        self.assertLessEqual(times["median"], times["max"])
        if runs is not None:
            self.assertEqual(times["runs"], runs)

    def test_help(self):
        for text in [self.must("--help")] + [self.must(part, "--help") for part in PARTS]:
            self.assertIn("Example", text)
        self.bad(code=2, says="Parts")
        self.bad("nothing", code=2, says="nothing")

    def test_what_is_wrong(self):
        self.bad("step", code=2, says="--model")
        for shape in ("1,2,3", "16,24,2,2,1,60,7", "16,24,2,2,1,x", "16,,2,2,1,60", "16,24,2,0,1,60", ""):
            self.bad("step", "--shape", shape, code=2, says="six numbers")
        self.bad("step", "--shape", "16,24,2,3,1,60", code=1, says="head")
        self.bad("step", "--shape", SHAPE, "--pack", "tight", code=2, says="tight")
        self.bad("step", "--shape", SHAPE, "--method", "ppo", code=1, says="ppo")
        self.bad("step", "--shape", SHAPE, "--prompt-tokens", 0, code=1, says="prompts of 0")
        self.bad("step", "--model", os.path.join(self.root, "none"), code=1, says="none")

    def test_step(self):
        report = self.json("step", "--shape", SHAPE, "--method", "srpo", "--lora-rank", 4, *SMALL)
        self.assertEqual(report["bench"], "step")
        self.assertEqual(report["packed_tokens"], 20 + 6 * 4 + 2 * 8)
        self.assertEqual(report["naive_tokens"], 2 * 25 + 4 * 37)
        self.assertAlmostEqual(report["tree_ratio"], report["naive_tokens"] / report["packed_tokens"])
        self.times(report["seconds"], runs=2)
        self.assertAlmostEqual(report["pairs_per_s"], 1 / report["seconds"]["median"])
        self.assertAlmostEqual(report["tokens_per_s"], report["packed_tokens"] / report["seconds"]["median"])
        self.assertTrue(0 < report["share_of_peak"] < 1)
        self.assertLess(0, report["device_peak_bytes"])
        self.assertLess(report["device_peak_bytes"], report["peak_bytes"])
        self.assertEqual(report["settings"]["threads"], 1)
        rows = report["operations"]
        self.assertLessEqual({"linear", "linear_backward", "attention", "adamw"}, {row["name"] for row in rows})
        self.assertEqual([row["seconds"] for row in rows], sorted((row["seconds"] for row in rows), reverse=True))
        self.assertAlmostEqual(sum(row["flops"] for row in rows), report["flops"])
        spent = sum(row["seconds"] for row in rows) + report["host_seconds"]
        self.assertAlmostEqual(spent, report["profiled_seconds"])

    def test_step_in_full(self):
        report = self.json("step", "--shape", SHAPE, "--full", "--pack", "naive", *SMALL)
        self.assertEqual(report["trainable"], report["parameters"])
        self.assertEqual(report["packed_tokens"], report["padded_tokens"])
        text = self.must("step", "--shape", SHAPE, "--full", *SMALL)
        for word in ("pairs/s", "tokens/s", "GFLOP/s", "memory", "linear_backward", "host", "all weights"):
            self.assertIn(word, text)

    def test_decode(self):
        arguments = ["decode", "--shape", SHAPE, "--prompt-tokens", 9, "--tokens", 3, "--batch", 5, "--rounds", 2,
                     "--threads", 1]
        report = self.json(*arguments)
        self.assertEqual([row["name"] for row in report["batches"]], ["1", "2", "4"])
        weights = 60 * 16 + 16 + 2 * (2 * 16 + 2 * 16 * 16 + 2 * 8 * 16 + 3 * 16 * 24)
        self.assertTrue(4 * weights <= report["weight_bytes"] < 4 * weights + 128 * 20)
        self.assertEqual(report["cache_bytes"], 2 * 4 * 2 * 8 * (9 + 2))
        for row in report["batches"]:
            self.times(row["seconds"], runs=6)
            self.assertAlmostEqual(row["tokens_per_s"], int(row["name"]) / row["seconds"]["median"])
            self.assertEqual(row["bytes"], report["weight_bytes"] + int(row["name"]) * report["cache_bytes"])
            self.assertLess(0, row["bandwidth_share"])
        self.assertEqual(report["batch1_tokens_per_s"], report["batches"][0]["tokens_per_s"])
        self.assertEqual(report["bandwidth_share"], report["batches"][0]["bandwidth_share"])
        self.assertEqual(next(row["calls"] for row in report["operations"] if row["name"] == "attention"), 2 * 3)
        text = self.must(*arguments)
        for word in ("tokens/s", "bandwidth", "sequences", "linear"):
            self.assertIn(word, text)
        self.bad(*arguments, "--batch", 0, code=1, says="0 sequences")
        self.bad(*arguments, "--adapter", os.path.join(self.root, "none"), code=1, says="none")

    def test_gemm(self):
        arguments = ["gemm", "--shape", SHAPE, "--tokens", 7, "--head-rows", 3, "--lora-rank", 4, "--runs", 3,
                     "--threads", 1]
        report = self.json(*arguments)
        shapes = {row["name"]: (row["tokens"], row["inputs"], row["outputs"], row["uses"])
                  for row in report["products"]}
        self.assertEqual(shapes, {"q_proj,o_proj": (7, 16, 16, 4), "k_proj,v_proj": (7, 16, 8, 4),
                                  "gate_proj,up_proj": (7, 16, 24, 4), "down_proj": (7, 24, 16, 2),
                                  "q_proj.lora_A,v_proj.lora_A": (7, 16, 4, 4), "q_proj.lora_B": (7, 4, 16, 2),
                                  "v_proj.lora_B": (7, 4, 8, 2), "head": (3, 16, 60, 1)})
        for row in report["products"]:
            for part in ("forward", "dx", "dw"):
                self.times(row[part]["seconds"], runs=3)
                flops = 2 * row["tokens"] * row["inputs"] * row["outputs"]
                self.assertAlmostEqual(row[part]["flops_per_s"], flops / row[part]["seconds"]["median"])
                self.assertAlmostEqual(row[part]["share_of_peak"],
                                       row[part]["flops_per_s"] / report["peak_flops_per_s"])
        self.assertNotIn("lora", self.must(*arguments, "--lora-rank", 0))
        text = self.must(*arguments)
        for word in ("GFLOP/s", "down_proj", "dw", "of peak"):
            self.assertIn(word, text)
        rows = {row["name"]: row for row in self.json("gemm", "--shape", SHAPE, "--runs", 1)["products"]}
        self.assertEqual(rows["down_proj"]["tokens"], 350 + 6 * 34 + 2 * 8)
        self.bad(*arguments, "--runs", 0, code=1, says="timed")

    def test_pack(self):
        arguments = ["pack", "--shape", SHAPE, *SMALL]
        report = self.json(*arguments)
        rows = {row["name"]: row for row in report["layouts"]}
        self.assertEqual(list(rows), ["trie", "sequences", "padded", "naive"])
        self.assertEqual(rows["trie"]["tokens"], 20 + 6 * 4 + 2 * 8)
        self.assertEqual(rows["sequences"]["tokens"], 2 * 24 + 4 * 36)
        self.assertEqual(rows["padded"]["tokens"], rows["naive"]["tokens"])
        self.assertLess(rows["sequences"]["tokens"], rows["padded"]["tokens"])
        for one, more in (("trie", "sequences"), ("sequences", "padded"), ("padded", "naive")):
            self.assertLess(rows[one]["flops"], rows[more]["flops"])
        self.assertLess(rows["trie"]["plan_bytes"], rows["sequences"]["plan_bytes"])
        for row in rows.values():
            self.times(row["seconds"], runs=2)
            self.assertAlmostEqual(row["times_trie"], row["seconds"]["median"] / rows["trie"]["seconds"]["median"])
            self.assertAlmostEqual(row["pairs_per_s"], 1 / row["seconds"]["median"])
        text = self.must(*arguments, "--full", "--pairs", 2)
        for word in ("trie", "sequences", "padded", "naive", "pairs/s", "all weights"):
            self.assertIn(word, text)

    def make_model(self):
        """A folder with a tokenizer; made once."""
        model = os.path.join(self.root, "model")
        if os.path.exists(model):
            return model
        texts, tokenizer = os.path.join(self.root, "texts"), os.path.join(self.root, "tokenizer")
        with open(texts, "w", encoding="utf-8") as file:
            file.write("Hello there, a few words\n")
        for arguments in (["tokenizer", "train", "--data", texts, "--vocab", 270, "--out", tokenizer],
                          ["init", "--tokenizer", tokenizer, "--width", 16, "--layers", 2, "--heads", 2,
                           "--hidden", 24, "--max-positions", 256, "--out", model]):
            done = hone(*arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
        return model

    def test_load(self):
        arguments = ["load", "--model", self.make_model(), "--runs", 3, "--threads", 1]
        report = self.json(*arguments)
        for key in ("tokenizer", "model", "first_token", "ready"):
            self.times(report[key], runs=3)
        self.assertLess(report["model"]["min"], report["ready"]["min"])
        self.assertEqual(report["ready_seconds"], report["ready"]["median"])
        self.assertEqual(report["file_bytes"],
                         os.path.getsize(os.path.join(self.make_model(), "model.safetensors")))
        self.assertLessEqual(4 * report["parameters"], report["weight_bytes"])
        self.assertIn("ready", self.must(*arguments))
        self.bad("load", code=2, says="--model")
        self.bad("load", "--shape", SHAPE, "--model", "x", code=2, says="--shape")
        self.bad("load", "--model", os.path.join(self.root, "none"), code=1, says="none")
        self.bad(*arguments, "--runs", 0, code=1, says="timed")

    def test_checkpoint(self):
        folder = os.path.join(self.root, "checkpoints")
        arguments = ["checkpoint", "--shape", SHAPE, "--runs", 2, "--threads", 1, "--folder", folder]
        report = self.json(*arguments)
        kinds = {row["name"]: row for row in report["kinds"]}
        self.assertEqual(list(kinds), ["weights f32", "weights bf16", "first moments f32", "second moments f32"])
        for row in kinds.values():
            self.assertEqual(row["raw_bytes"], (2 if "bf16" in row["name"] else 4) * report["parameters"])
            self.assertAlmostEqual(row["ratio"], row["stored_bytes"] / row["raw_bytes"])
            self.assertTrue(0 < row["ratio"] < 1.1 and 0 < row["plain_ratio"] < 1.1)
            for key in ("save", "load", "plain"):
                self.times(row[key], runs=2)
            self.assertLess(0, row["save_bytes_per_core_s"])
        self.assertEqual(os.listdir(folder), [])
        text = self.must(*arguments)
        for word in ("weights bf16", "plain zstd", "load MB/s"):
            self.assertIn(word, text)
        self.bad(*arguments, "--folder", "/proc/none", code=1, says="/proc/none")

    def test_revise(self):
        arguments = ["revise", "--model", self.make_model(), "--prompt-tokens", 40, "--tokens", 6, "-n", 3, "--rounds", 2,
                     "--threads", 1]
        report = self.json(*arguments)
        kept, afresh = report["kept"], report["afresh"]
        self.assertGreaterEqual(report["settings"]["prompt_tokens"], 40)
        self.assertEqual(afresh["reused_tokens"], 0)
        self.assertGreaterEqual(kept["reused_tokens"], 3 * 40)
        self.assertLess(kept["prefilled_tokens"], afresh["prefilled_tokens"])
        self.assertEqual(kept["written_tokens"], afresh["written_tokens"])
        self.assertEqual(kept["prefilled_tokens"] + kept["reused_tokens"], afresh["prefilled_tokens"])
        for way in (kept, afresh):
            self.times(way["prefill"], runs=2)
            self.times(way["whole"], runs=2)
            self.assertLess(way["prefill"]["min"], way["whole"]["min"])
        self.assertAlmostEqual(report["prefill_ratio"], kept["prefill"]["median"] / afresh["prefill"]["median"])
        self.assertIn("times afresh", self.must(*arguments))
        self.bad(*arguments, "-n", 0, code=1, says="0 revisions")
        self.bad(*arguments, "--template", "none", code=1, says="none")
        self.bad("revise", "--shape", SHAPE, code=2, says="--model")

    def test_compare(self):
        arguments = ["step", "--shape", SHAPE, *SMALL]
        earlier = os.path.join(self.root, "earlier.json")
        report = self.json(*arguments)
        report["pairs_per_s"] *= 4
        report["operations"][0]["calls"] *= 2
        with open(earlier, "w", encoding="utf-8") as file:
            json.dump(report, file)
        again = self.json(*arguments, "--compare", earlier)
        ratios = again["compare"]
        self.assertAlmostEqual(ratios["pairs_per_s"], again["pairs_per_s"] / report["pairs_per_s"])
        self.assertEqual(ratios[f"operations[{report['operations'][0]['name']}].calls"], 0.5)
        self.assertEqual(ratios["packed_tokens"], 1)
        self.assertFalse([key for key in ratios if key.startswith("settings")])
        text = self.must(*arguments, "--compare", earlier)
        self.assertRegex(text, r"packed_tokens +1\.000")
        done = hone("bench", *arguments, "--pairs", 2, "--compare", earlier)
        self.assertIn('"pairs" is 2, it was 1', done.stderr)
        self.bad(*arguments, "--compare", os.path.join(self.root, "none.json"), code=1, says="none.json")
        with open(earlier, "w", encoding="utf-8") as file:
            file.write('{"bench": "decode"}')
        self.bad(*arguments, "--compare", earlier, code=1, says="bench step --json")


if __name__ == "__main__":
    HONE = sys.argv.pop(1)
    unittest.main(verbosity=2)
