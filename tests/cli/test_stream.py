#!/usr/bin/env python3
"""Data larger than memory: test_stream.py HONE [unittest arguments]."""

import gzip
import hashlib
import json
import os
import random
import sys
import unittest

import test_cli
from test_cli import Case


def content(path):
    with open(path, "rb") as file:
        return file.read()


class Stream(Case):
    def run_with(self, out, data, *more, method="srpo"):
        return self.must("train", "--model", self.model, "--data", data, "--method", method, "--out", self.path(out), "--lr", "1e-2",
                         "--batch-pairs", 2, "--threads", 1, "--cache", self.path("cache"), *more)

    def result(self, out):
        weights = content(self.path(out, "final", "adapter_model.safetensors"))
        return hashlib.sha256(weights).hexdigest(), [row["loss"] for row in self.metrics(self.path(out))]

    def token_files(self):
        folder = self.path("cache")
        return sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.startswith("tokens-"))

    def test_the_same_run_to_the_bit(self):
        self.run_with("memory", self.data, "--epochs", 2, "--eval-split", 0.3, "--eval-every", 2)
        first = self.run_with("stream", self.data, "--epochs", 2, "--eval-split", 0.3, "--eval-every", 2, "--stream")
        self.assertEqual(self.result("memory"), self.result("stream"))
        self.assertIn("tokens are kept in", first.stderr)
        # Again: what is there is used; a resumed run goes on with it.
        again = self.run_with("part", self.data, "--epochs", 2, "--steps", 3, "--schedule", "constant", "--stream", "--seed", 5)
        self.must("train", "--out", self.path("part"), "--resume", "--steps", 6, "--quiet")
        self.run_with("whole", self.data, "--epochs", 2, "--steps", 6, "--schedule", "constant", "--seed", 5)
        self.assertEqual(self.result("part"), self.result("whole"))
        self.assertIn("tokens are kept in", again.stderr)  # without a split these are other rows
        last = self.run_with("last", self.data, "--epochs", 2, "--stream", "--seed", 6)
        self.assertRegex(last.stderr, "tokens are in .* from before")

    def test_content_is_the_key(self):
        before = set(self.token_files()) if os.path.isdir(self.path("cache")) else set()
        rows = content(self.data)
        self.run_with("a", self.write("a.jsonl", rows), "--stream", method="simpo")
        self.run_with("b", self.write("b.jsonl", rows), "--stream", method="simpo")
        self.assertEqual(len(set(self.token_files()) - before), 1)
        self.run_with("c", self.write("b.jsonl", rows.replace(b"sort 3", b"sort 5")), "--stream", method="simpo")
        self.assertEqual(len(set(self.token_files()) - before), 2)
        self.run_with("d", self.write("d.jsonl.gz", gzip.compress(rows)), "--stream", method="simpo")
        self.assertEqual(self.result("a"), self.result("b"))
        self.assertEqual(self.result("a"), self.result("d"))
        self.assertNotEqual(self.result("a"), self.result("c"))

    def test_a_damaged_file_is_made_again(self):
        data = self.write("damaged.jsonl", content(self.data).replace(b"sort", b"order"))
        before = set(self.token_files()) if os.path.isdir(self.path("cache")) else set()
        self.run_with("good", data, "--stream")
        (path,) = set(self.token_files()) - before
        good = content(path)
        for damage in (good[:-1], good[:100], b"", good[:200] + bytes([good[200] ^ 1]) + good[201:]):
            with open(path, "wb") as file:
                file.write(damage)
            done = self.run_with("again", data, "--stream")
            self.assertIn("token file not used: " + path, done.stderr)
            self.assertEqual(content(path), good)
            self.assertEqual(self.result("good"), self.result("again"))
            os.rename(self.path("again"), self.path("again-" + str(len(damage))))

    def test_bad_rows_are_refused_and_leave_nothing(self):
        data = self.write("bad.jsonl", content(self.data) + b'{"prompt":"p","chosen":"c"}\n')
        cache = self.path("bad-cache")
        self.bad("train", "--model", self.model, "--data", data, "--method", "srpo", "--out", self.path("never"), "--stream", "--cache", cache,
                 "--quiet", says=["bad.jsonl:11", "rejected"])
        self.assertEqual(os.listdir(cache), [])
        file = self.write("a-file", "")
        self.bad("train", "--model", self.model, "--data", self.data, "--method", "srpo", "--out", self.path("never"), "--stream", "--cache",
                 file, "--quiet", says="a-file")

    def test_memory_does_not_grow_with_the_data(self):
        draw = random.Random(1)
        row = lambda i: json.dumps({"prompt": f"{i} " + "".join(draw.choices("bcdfghjklm", k=240)), "chosen": " yes", "rejected": " no"})
        data = self.write("large.jsonl", "".join(row(i) + "\n" for i in range(25000)))
        peak = {}
        for out, more in (("large-memory", []), ("large-stream", ["--stream"]), ("large-again", ["--stream"])):
            done = self.run_with(out, data, "--steps", 2, "--json", "--quiet", *more, method="simpo")
            peak[out] = json.loads(done.stdout)["peak_bytes"]
        tokens = max(os.path.getsize(path) for path in self.token_files())
        self.assertGreater(tokens, 20e6)
        self.assertEqual(self.result("large-memory"), self.result("large-stream"))
        self.assertEqual(self.result("large-memory"), self.result("large-again"))
        for out in ("large-stream", "large-again"):
            self.assertLess(peak[out] + 0.35 * tokens, peak["large-memory"], (peak, tokens))

    def test_few_of_many_rows_need_no_pass_over_all(self):
        data = self.write("many.jsonl", "".join(json.dumps({"prompt": f"q{i}", "chosen": f" {i % 9} a", "rejected": f" {i % 7} b"}) + "\n"
                                                for i in range(4200)))
        cache = self.path("many-cache")
        common = ["train", "--model", self.model, "--data", data, "--method", "srpo", "--steps", 4, "--lr", "1e-2", "--cache", cache]
        few = self.must(*common, "--out", self.path("few"))
        self.assertNotIn("reference log-probabilities", few.stderr)
        self.assertFalse(os.path.exists(cache))
        named = self.must(*common, "--out", self.path("named"), "--reference", self.model)
        self.assertIn("reference log-probabilities", named.stderr)
        for a, b in zip(self.metrics(self.path("few")), self.metrics(self.path("named"))):
            self.assertAlmostEqual(a["loss"], b["loss"], delta=1e-5)
            self.assertAlmostEqual(a["rewards/margins"], b["rewards/margins"], delta=1e-4)
        self.must(*common[:-2], "--cache", cache, "--out", self.path("cut"), "--steps", 2, "--quiet", "--schedule", "constant")
        self.must("train", "--out", self.path("cut"), "--resume", "--steps", 4, "--quiet")
        self.must(*common, "--out", self.path("uncut"), "--quiet", "--schedule", "constant")
        self.assertEqual(self.result("cut"), self.result("uncut"))


if __name__ == "__main__":
    test_cli.HONE = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
