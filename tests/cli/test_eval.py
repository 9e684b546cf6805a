#!/usr/bin/env python3
"""Drives hone eval: test_eval.py HONE [unittest arguments]. Standard library only."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

HONE = ""


def hone(*arguments):
    return subprocess.run([HONE, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)


class Eval(unittest.TestCase):
    """Two tiny models with random weights: their drafts are noise, but the same noise whoever asks."""

    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="hone-eval-")
        rows = [{"prompt": f"sort {i} b a =", "chosen": f" a b {i}", "rejected": f" b {i} a"} for i in range(11)]
        cls.data = cls.write("in.jsonl", rows)
        cls.other = cls.write("out.jsonl", [{"prompt": f"{i} =", "reference": " x"} for i in range(3)])
        cls.tokenizer = cls.path("tokenizer")
        cls.must("tokenizer", "train", "--data", cls.data, "--vocab", 280, "--out", cls.tokenizer)
        for name, seed in (("one", 1), ("two", 2)):
            cls.must("init", "--tokenizer", cls.tokenizer, "--width", 16, "--layers", 2, "--heads", 2, "--kv-heads", 1,
                     "--hidden", 24, "--max-positions", 256, "--initializer-range", 0.3, "--seed", seed, "--out",
                     cls.path(name))

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
    def must(cls, *arguments):
        done = hone(*arguments)
        if done.returncode != 0:
            raise AssertionError(f"{arguments}: {done.returncode}: {done.stderr}")
        return done

    def evaluate(self, out, *more, models=("one", "two")):
        arguments = [word for name in models for word in ("--model", f"{name}={self.path(name)}")]
        done = self.must("eval", *arguments, "--data", self.data, "--out", self.path(out), "--max-tokens", 6,
                         "--temperature", 1, "--json", *more)
        return json.loads(done.stdout)

    def lines(self, out):
        with open(self.path(out, "drafts.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def test_results_follow_from_the_drafts(self):
        result = self.evaluate("whole", "--ood", self.other, "--revisions", 2, "--judge", "rules")
        with open(self.path("whole", "results.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file), result)
        lines = self.lines("whole")
        self.assertEqual(len(lines), 2 * (11 + 3))
        self.assertTrue(all(len(line["drafts"]) == 3 for line in lines))
        self.assertEqual(len(result["results"]), 2 * 2 * 3)
        self.assertEqual([entry["rows"] for entry in result["sets"]], [11, 3])
        for entry in result["results"]:
            drafts = [line["drafts"] for line in lines if line["policy"] == entry["policy"] and line["set"] == entry["set"]]
            now = [row[entry["revision"]] for row in drafts]
            self.assertAlmostEqual(entry["tokens"], sum(d["tokens"] for d in now) / len(now))
            self.assertAlmostEqual(entry["ended"], sum(d["ended"] for d in now) / len(now))
            if entry["revision"] == 0:
                self.assertIsNone(entry["changed"])
            else:
                changed = [row[entry["revision"]]["text"] != row[entry["revision"] - 1]["text"] for row in drafts]
                self.assertAlmostEqual(entry["changed"], sum(changed) / len(now))
            self.assertEqual(entry["wins"] + entry["draws"] + entry["losses"], len(now))
            self.assertEqual(entry["failed"], 0)
            self.assertAlmostEqual(entry["win_rate"]["value"], (entry["wins"] + entry["draws"] / 2) / len(now))
        self.assertEqual(len(result["head_to_head"]), 2 * 2)
        self.assertEqual(len(result["paired"]), 2 * (3 + 2 * 2))
        self.assertEqual(result["judged"]["failed"], 0)

    def test_what_a_model_keeps_itself(self):
        result = self.evaluate("kept", "--revisions", 3, "--judge", "chrf", "--reference", self.path("two"))
        self.assertEqual([(k["policy"], k["by"]) for k in result["kept"]],
                         [("one", "likeliest"), ("one", "best"), ("two", "likeliest"), ("two", "best")])
        drafts = [line["drafts"] for line in self.lines("kept") if line["policy"] == "one"]
        likeliest = [max(range(4), key=lambda n: row[n]["logp"]) for row in drafts]
        revised = self.must("revise", "--model", self.path("one"), "--reference", self.path("two"), "--data", self.data, "-n", 3,
                            "--max-tokens", 6, "--temperature", 1, "--keep", "best", "--json").stdout.splitlines()
        best = [json.loads(line)["kept"] for line in revised]
        self.assertEqual([d["text"] for d in json.loads(revised[0])["drafts"]], [d["text"] for d in drafts[0]])
        only = self.evaluate("kept", "--revisions", 3, "--judge", "chrf", "--show", 11)
        scores = [policy["drafts"] for row in only["examples"] for policy in row["policies"] if policy["name"] == "one"]
        for entry, kept in zip(result["kept"], (likeliest, best)):
            self.assertAlmostEqual(entry["revision"], sum(kept) / 11)
            self.assertAlmostEqual(entry["score"]["value"], sum(row[n]["score"] for row, n in zip(scores, kept)) / 11)
            self.assertEqual(entry["wins"] + entry["draws"] + entry["losses"] + entry["failed"], 11)
        # A model is not improvable by itself more at one draft than at another: the first stays.
        self.assertEqual(result["kept"][3]["revision"], 0)
        self.assertEqual({k["by"] for k in only["kept"]}, {"likeliest"})
        self.assertEqual(self.evaluate("kept", "--revisions", 0)["kept"], [])
        table = self.must("eval", "--model", f"one={self.path('one')}", "--data", self.data, "--out", self.path("kept"), "--max-tokens", 6,
                          "--temperature", 1, "--revisions", 3, "--judge", "chrf").stdout
        self.assertIn("likeliest", table)

    def test_a_picture_of_the_scores(self):
        options = ["--ood", self.other, "--revisions", 2, "--judge", "rules", "--figure"]
        if not shutil.which("gnuplot"):
            self.skipTest("gnuplot is not installed")
        self.evaluate("drawn", *options, self.path("scores.svg"))
        with open(self.path("scores.svg"), encoding="utf-8") as file:
            picture = file.read()
        for text in ("<svg", "in distribution", "out of distribution", "revisions", "score, %", "one", "two", "likeliest"):
            self.assertIn(text, picture)
        self.assertFalse([name for name in os.listdir(self.root) if ".svg.tmp" in name])
        refused = hone("eval", "--model", self.path("one"), "--data", self.data, "--out", self.path("not-drawn"), "--figure", "scores.png")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("scores.png: the name must end in .svg", refused.stderr)
        self.assertFalse(os.path.exists(self.path("not-drawn")))

    def test_resume_draws_what_it_would_have_drawn(self):
        whole = self.evaluate("a", "--revisions", 1, "--judge", "chrf")
        lines = self.lines("a")
        os.mkdir(self.path("b"))
        text = "".join(json.dumps(line) + "\n" for line in lines[:5]) + '{"key":"cut off'
        with open(self.path("b", "drafts.jsonl"), "w", encoding="utf-8") as file:
            file.write(text)
        self.assertEqual(self.evaluate("b", "--revisions", 1, "--judge", "chrf", "--batch", 3), whole)
        self.assertEqual([{**line, "drafts": [d["text"] for d in line["drafts"]]} for line in self.lines("b")],
                         [{**line, "drafts": [d["text"] for d in line["drafts"]]} for line in lines])

    def test_what_is_there_is_not_sampled_again(self):
        self.evaluate("c", "--revisions", 1)
        before = self.lines("c")
        self.evaluate("c", "--revisions", 0, "--judge", "chrf")
        self.assertEqual(self.lines("c"), before)
        self.evaluate("c", "--revisions", 1, "--limit", 4)
        self.assertEqual(self.lines("c"), before)
        self.evaluate("c", "--revisions", 1, "--limit", 4, "--seed", 1)
        self.assertEqual(len(self.lines("c")), len(before) + 2 * 4)

    def test_against_itself_is_a_draw(self):
        result = self.evaluate("d", "--against", "one", "--judge", "chrf")
        mine = [entry for entry in result["results"] if entry["policy"] == "one"][0]
        self.assertEqual((mine["wins"], mine["draws"], mine["losses"]), (0, 11, 0))
        self.assertEqual((mine["win_rate"]["mean"], mine["win_rate"]["deviation"]), (0.5, 0))
        other = [entry for entry in result["results"] if entry["policy"] == "two"][0]
        match = result["head_to_head"][0]
        self.assertEqual((match["wins"], match["draws"], match["losses"]), (other["losses"], other["draws"], other["wins"]))

    def test_adapters(self):
        run = self.path("run")
        self.must("train", "--model", self.path("one"), "--data", self.data, "--method", "dpo", "--out", run, "--steps", 2,
                  "--lr", 0.05, "--lora-rank", 2)
        done = self.must("eval", "--model", self.path("one"), "--adapter", f"tuned={run}/final", "--data", self.data,
                         "--out", self.path("e"), "--max-tokens", 4)
        self.assertIn("tuned", done.stdout)
        self.assertIn("Win rate against reference", done.stdout)
        self.assertEqual({line["policy"] for line in self.lines("e")}, {"tuned"})

    def test_held_out(self):
        run = self.path("learned")
        self.must("train", "--model", self.path("one"), "--data", self.data, "--method", "srpo", "--beta", 0.5, "--out", run,
                  "--steps", 40, "--batch-pairs", 11, "--lr", 0.01, "--lora-rank", 4, "--lora-targets", "all-linear")
        arguments = ["eval", "--held-out", "--model", self.path("one"), "--data", self.data, "--beta", 0.5]
        adapter = ["--adapter", f"learned={run}/final"]
        out = json.loads(self.must(*arguments, *adapter, "--json").stdout)
        mine = out["held_out"][0]
        scores = self.must("score", "--model", self.path("one"), "--adapter", f"{run}/final", "--data", self.data, "--method",
                           "srpo", "--beta", 0.5, "--json").stdout.splitlines()
        rows = [json.loads(line) for line in scores]
        r = [{key: row["policy"][key] - row["reference"][key] for key in row["policy"]} for row in rows]
        self.assertEqual(mine["rows"], 11)
        self.assertAlmostEqual(mine["loss"], sum(row["loss"] for row in rows) / 11, places=9)
        self.assertAlmostEqual(mine["margin"], sum(0.5 * (x["w"] - x["l"]) for x in r) / 11, places=9)
        self.assertAlmostEqual(mine["accuracy"], sum(x["w"] > x["l"] for x in r) / 11)
        right = [(x["w|l"] - x["l|l"]) - (x["l|w"] - x["w|w"]) > 0 for x in r]
        self.assertAlmostEqual(mine["preference_accuracy"], sum(right) / 11)
        self.assertEqual(sum(entry["count"] for entry in mine["calibration"]), 22)
        # What it was trained on, it should have learned: 3/4 is the loss of the reference.
        self.assertLess(mine["loss"], 0.7)
        self.assertIn("preference model", self.must(*arguments, *adapter, "--limit", 2).stdout)
        same = json.loads(self.must(*arguments, "--reference", self.path("one"), "--limit", 3, "--json").stdout)["held_out"][0]
        self.assertEqual((same["rows"], same["accuracy"]), (3, 0.5))
        self.assertAlmostEqual(same["loss"], 0.75)
        for more, says in (([], "--reference"), (["--method", "sft", "--figure", "x.svg"], "leave it out"),
                           ([*adapter, "--figure", self.path("x.pdf")], ".svg")):
            done = hone(*arguments, *more)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(says, done.stderr)

    @unittest.skipUnless(shutil.which("gnuplot"), "draws with gnuplot")
    def test_calibration_figure(self):
        picture = self.path("calibration.svg")
        self.must("eval", "--held-out", "--model", f"it's <one>={self.path('one')}", "--model", f"two={self.path('two')}",
                  "--reference", self.path("one"), "--data", self.data, "--figure", picture)
        root = xml.etree.ElementTree.parse(picture).getroot()
        text = "".join(root.itertext())
        for words in ("predicted probability", "how often it is", "<one>", "two", "calibrated"):
            self.assertIn(words, text)
        self.assertEqual([name for name in os.listdir(self.path()) if ".tmp-" in name], [])

    def test_held_out_completions(self):
        sft = self.write("completions.jsonl", [{"prompt": "sort b a =", "completion": " a b"},
                                               {"prompt": "sort b a =", "draft": " b a", "completion": " a b c"}])
        models = ["--model", self.path("one"), "--model", self.path("two")]
        out = json.loads(self.must("eval", "--held-out", "--method", "sft", *models, "--data", sft, "--json").stdout)["held_out"]
        self.assertEqual([entry["policy"] for entry in out], ["one", "two"])
        for entry in out:
            scores = self.must("score", "--model", self.path(entry["policy"]), "--data", sft, "--method", "sft", "--json")
            rows = [json.loads(line) for line in scores.stdout.splitlines()]
            self.assertAlmostEqual(entry["loss"], -sum(row["policy"]["w"] for row in rows) /
                                   sum(row["tokens"]["w"] for row in rows), places=9)
            self.assertEqual((entry["rows"], entry["margin"], entry["brier"]), (2, None, None))
        text = self.must("eval", "--held-out", "--method", "sft", *models, "--data", sft, "--limit", 1).stdout
        self.assertIn("one: 1 rows  loss", text)
        self.assertIn("perplexity", text)
        done = hone("eval", "--held-out", *models, "--reference", self.path("one"), "--data", sft)
        self.assertIn("--method sft", done.stderr)

    def test_refusals(self):
        model = ["--model", self.path("one"), "--data", self.data]
        no_reference = self.write("bare.jsonl", [{"prompt": "a"}])
        cases = [
            (2, "required", ["--data", self.data]),
            (2, "--model that it belongs to", ["--adapter", "x=y"]),
            (1, "not one of exact", [*model, "--out", self.path("f"), "--judge", "oracle"]),
            (1, "distinct", [*model, "--out", self.path("f"), "--model", self.path("one")]),
            (1, "none of the models", [*model, "--out", self.path("f"), "--against", "two"]),
            (1, "--resamples is 1", [*model, "--out", self.path("f"), "--max-tokens", 2, "--resamples", 1]),
            (1, "--limit", [*model, "--out", self.path("f"), "--limit", -1]),
            (1, "--revisions", [*model, "--out", self.path("f"), "--revisions", -1]),
            (1, "reference", ["--model", self.path("one"), "--data", no_reference, "--out", self.path("f"), "--judge",
                              "rules", "--max-tokens", 2]),
        ]
        for code, says, arguments in cases:
            with self.subTest(says=says):
                done = hone("eval", *arguments)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(says, done.stderr)
                self.assertNotIn("results.json", os.listdir(self.path("f")) if os.path.isdir(self.path("f")) else [])

    def test_rows_of_many_kinds(self):
        rows = [{"prompt": "a", "answer": "r"}, {"prompt": "a", "completion": "r"},
                {"prompt": [{"role": "user", "content": "a"}], "chosen": [{"role": "assistant", "content": "r"}], "rejected": "x"},
                {"prompt": "a", "reference": "r", "chosen": "x", "package": "p"},
                {side: [{"role": "user", "content": "a"}, {"role": "assistant", "content": text}]
                 for side, text in (("chosen", "r"), ("rejected", "x"))}, {"chosen": "ar", "rejected": "ax"},
                {"chosen": "ax", "rejected": "ay", "reference": "r"}]
        data = self.write("kinds.jsonl", rows)
        self.must("eval", "--model", self.path("one"), "--data", data, "--out", self.path("h"), "--max-tokens", 2)
        self.assertEqual([(line["prompt"], line["reference"]) for line in self.lines("h")], [("a", "r")] * 7)
        for row, says in (("{", "bad.jsonl:2"), ("[]", "bad.jsonl:2"), ('{"prompt":1}', '"prompt" must be'),
                          ('{"prompt":"a","reference":[]}', '"reference" must be'),
                          ('{"prompt":[{"content":"a"},{"content":"b"}]}', "2 messages"),
                          ('{"prompt":"a","package":1}', '"package" must be'),
                          ('{"chosen":"b","rejected":"c"}', "no beginning in common")):
            with self.subTest(row=row):
                with open(self.path("bad.jsonl"), "w", encoding="utf-8") as file:
                    file.write(json.dumps(rows[0]) + "\n" + row + "\n")
                done = hone("eval", "--model", self.path("one"), "--data", self.path("bad.jsonl"), "--out", self.path("i"))
                self.assertEqual(done.returncode, 1)
                self.assertIn("bad.jsonl:2", done.stderr)
                self.assertIn(says, done.stderr)

    def test_a_damaged_line_is_named(self):
        self.evaluate("g", "--limit", 2)
        with open(self.path("g", "drafts.jsonl"), "a", encoding="utf-8") as file:
            file.write('{"key":"k","drafts":[]}\n')
        done = hone("eval", "--model", self.path("one"), "--data", self.data, "--out", self.path("g"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("drafts.jsonl:5", done.stderr)


if __name__ == "__main__":
    HONE = sys.argv.pop(1)
    unittest.main()
