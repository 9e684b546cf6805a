#!/usr/bin/env python3
"""What people look at: event files, data facts, reports. test_seeing.py HONE [unittest arguments]."""

import gzip
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
import time
import unittest
import xml.etree.ElementTree

import test_cli
from event_file import events, single
from test_cli import Case, on_terminal


class TensorBoard(Case):
    def files(self, run):
        folder = self.path(run, "tensorboard")
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]

    def agree(self, found, rows):
        self.assertEqual([event["step"] for event in found], [row["step"] for row in rows])
        for event, row in zip(found, rows):
            self.assertEqual(event["scalars"],
                             {f"train/{key}": single(value) for key, value in row.items() if key != "step"})
            self.assertLess(abs(event["wall_time"] - time.time()), 3600)

    def test_same_numbers_as_the_metrics(self):
        rows = self.train("run", "--epochs", 1, "--tensorboard")
        (path,) = self.files("run")
        self.assertIn("tfevents", os.path.basename(path))
        first, second, *rest = events(path)
        self.assertEqual(first["version"], "brain.Event:2")
        self.assertEqual((second["start"], second["step"]), (True, 1))
        self.agree(rest, rows)

    def test_resume_begins_a_file_at_its_step(self):
        self.train("more", "--steps", 3, "--schedule", "constant", "--tensorboard")
        self.must("train", "--out", self.path("more"), "--resume", "--steps", 5, "--quiet")
        first, second = (list(events(path)) for path in self.files("more"))
        rows = self.metrics(self.path("more"))
        self.agree(first[2:], rows[:3])
        self.assertEqual((second[1]["start"], second[1]["step"]), (True, 4))
        self.agree(second[2:], rows[3:])

    def test_held_out_rows_are_a_group_of_their_own(self):
        self.train("watched", "--steps", 4, "--tensorboard", "--eval-data", self.data, "--eval-every", 2)
        (path,) = self.files("watched")
        found = [event for event in events(path) if "eval/loss" in event["scalars"]]
        with open(self.path("watched", "eval.jsonl"), encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        self.assertEqual([event["step"] for event in found], [2, 4])
        for event, row in zip(found, rows):
            self.assertEqual(event["scalars"], {"eval/" + key[5:]: single(value) for key, value in row.items() if key.startswith("eval_")})

    def test_not_unless_asked(self):
        self.train("silent", "--steps", 1)
        self.assertFalse(os.path.exists(self.path("silent", "tensorboard")))


class DataCheck(Case):
    ROWS = [
        {"prompt": "a", "chosen": "long one", "rejected": "short"},
        {"prompt": "a", "chosen": "long one", "rejected": "short"},
        {"prompt": "b", "chosen": "same", "rejected": "same"},
        {"prompt": "c", "chosen": "no", "rejected": "longer", "preference": 0.25},
        {"prompt": "d", "chosen": "\u00e9\u00e9", "rejected": "abc"},
    ]

    def rows(self, name, rows):
        return self.write(name, "".join(json.dumps(row) + "\n" for row in rows))

    def check(self, *arguments):
        return json.loads(self.must("data", "check", *arguments, "--json").stdout)["files"]

    def test_counts(self):
        (facts,) = self.check(self.rows("counts.jsonl", self.ROWS), "--pairs-per-second", 2)
        self.assertEqual({key: facts[key] for key in ("rows", "prompts", "duplicates", "equal_sides", "empty", "unsure",
                                                      "leaked_prompts", "different_lengths", "longer_preferred")},
                         {"rows": 5, "prompts": 4, "duplicates": 1, "equal_sides": 1, "empty": 0, "unsure": 1,
                          "leaked_prompts": 0, "different_lengths": 4, "longer_preferred": 3})
        # Wilson's interval of 3 of 4, from its formula.
        z, n, share = 1.959963984540054, 4, 0.75
        middle, half = share + z * z / (2 * n), z * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
        self.assertAlmostEqual(facts["longer_low"], (middle - half) / (1 + z * z / n), 12)
        self.assertAlmostEqual(facts["longer_high"], (middle + half) / (1 + z * z / n), 12)
        self.assertEqual(facts["unit"], "characters")
        self.assertEqual(facts["chosen"], {"least": 2, "median": 4, "ninety_percent": 8, "most": 8, "total": 24,
                                           "histogram": [[2, 2], [4, 1], [8, 2]]})
        self.assertEqual(facts["seconds_per_epoch"], 2.5)

    def test_leaks_and_compressed_files(self):
        train = self.rows("train.jsonl", self.ROWS)
        with open(train, "rb") as file:
            packed = self.write("test.jsonl.gz", gzip.compress(file.read()))
        other = self.rows("other.jsonl", [{"prompt": p, "chosen": "x", "rejected": "y"} for p in "azd"])
        first, second, third = self.check(train, packed, other)
        self.assertEqual([first["leaked_prompts"], second["leaked_prompts"]], [0, 4])
        self.assertEqual({**first, "file": "", "leaks": []} | {"leaked_prompts": 4}, {**second, "file": "", "leaks": []})
        # Two prompts that both earlier files have: they are counted once, and named for each.
        self.assertEqual(third["leaked_prompts"], 2)
        self.assertEqual(third["leaks"], [{"file": train, "prompts": 2}, {"file": packed, "prompts": 2}])
        self.assertEqual(second["leaks"], [{"file": train, "prompts": 4}])
        text = self.must("data", "check", train, other).stdout
        self.assertIn(f"2          prompts that {train} has as well", text)

    def test_packing_agrees_with_inspect_and_the_budget(self):
        (facts,) = self.check(self.data, "--model", self.model, "--no-time")
        self.assertNotIn("seconds_per_epoch", facts)
        known = json.loads(self.must("inspect", "--model", self.model, "--data", self.data, "--pack", "--json").stdout)
        for key in ("packed_tokens", "naive_tokens", "tree_ratio", "longest_row"):
            self.assertEqual(facts[key], known[key])
        self.assertEqual((facts["over_budget"], facts["unit"]), (0, "tokens"))
        (tight,) = self.check(self.data, "--model", self.model, "--pack-tokens", known["longest_row"] - 1)
        self.assertGreater(tight["over_budget"], 0)
        self.assertIn("over --pack-tokens", self.must("data", "check", self.data, "--model", self.model,
                                                      "--pack-tokens", 5).stdout)

    def test_text_says_what_is_wrong(self):
        text = self.must("data", "check", self.rows("text.jsonl", self.ROWS)).stdout
        for words in ("5 rows (pairs), 4 prompts", "repeat an earlier one (the first in line 2)",
                      "equal sides: nothing to learn from them (the first in line 3)", "75.0 % of 4 pairs"):
            self.assertIn(words, text)

    def test_text_has_the_histograms(self):
        lines = self.must("data", "check", self.rows("bins.jsonl", self.ROWS)).stdout.splitlines()
        table = [line.split() for line in lines[lines.index(next(l for l in lines if l.split()[0] == "characters")):]][:4]
        self.assertEqual(table, [["characters", "prompt", "chosen", "rejected"], ["1", "5", "0", "0"],
                                 ["2", "to", "3", "0", "2", "1"], ["4", "to", "7", "0", "1", "4"]])

    def test_rows_are_recognised(self):
        sft = self.rows("sft.jsonl", [
            {"prompt": "p", "completion": "abc"}, {"prompt": "p", "draft": "ab", "completion": "abc"},
            {"prompt": "p", "draft": "ac", "completion": "abc"}, {"prompt": "p", "draft": "ac", "completion": "abc"}])
        prompts = self.rows("prompts.jsonl", [{"prompt": "q", "reference": "r"}, {"prompt": "p", "answer": "r"}])
        lists = self.rows("lists.jsonl", [{side: [{"role": "user", "content": "q"}, {"role": "assistant", "content": side}]
                                           for side in ("chosen", "rejected")}])
        first, second, third = self.check(sft, prompts, lists)
        self.assertEqual([f["kind"] for f in (first, second, third)], ["completions", "prompts", "pairs"])
        self.assertEqual((first["rows"], first["completion"]["most"], first["draft"]["total"]), (4, 3, 6))
        self.assertNotIn("rejected", first)
        # Two revisions of different drafts into the same text are two rows, not one that is repeated.
        self.assertEqual((first["duplicates"], first["first_lines"]), (1, {"duplicates": 4}))
        self.assertEqual((second["leaked_prompts"], third["leaked_prompts"]), (1, 1))
        self.assertEqual(third["leaks"], [{"file": prompts, "prompts": 1}])
        # SFT reads the better side of pairs; a method of pairs finds none in completions.
        (facts,) = self.check(lists, "--method", "sft")
        self.assertEqual((facts["kind"], facts["completion"]["most"]), ("completions", 6))
        self.bad("data", "check", sft, "--method", "dpo", says=["sft.jsonl:1", "\"chosen\" is missing", "--method sft"])

    def test_a_model_finds_the_same_mistakes(self):
        rows = self.ROWS + [{"prompt": "e", "chosen": "", "rejected": "x"}]
        path = self.rows("mistakes.jsonl", rows)
        (facts,) = self.check(path, "--model", self.model)
        self.assertEqual((facts["refused"], facts["equal_sides"], facts["empty"]), (2, 1, 1))
        self.assertEqual(facts["first_lines"], {"duplicates": 2, "equal_sides": 3, "empty": 6})
        good = self.rows("good.jsonl", [row for row in rows if row["chosen"] not in ("", "same")])
        (clean,) = self.check(good, "--model", self.model)
        self.assertEqual((clean["packed_tokens"], clean["refused"]), (facts["packed_tokens"], 0))

    def test_a_model_gives_the_time(self):
        prompts = self.rows("untrained.jsonl", [{"prompt": "a"}])
        for more in ((), ("--full",)):
            facts, alone = self.check(self.data, prompts, "--model", self.model, *more)
            self.assertGreater(facts["tokens_per_second"], 0)
            self.assertAlmostEqual(facts["seconds_per_epoch"] * facts["tokens_per_second"], facts["packed_tokens"], 3)
            self.assertNotIn("seconds_per_epoch", alone)
        self.assertIn("an epoch takes about", self.must("data", "check", self.data, "--model", self.model).stdout)
        # Without weights there is no time, and all else.
        bare = self.path("bare")
        shutil.copytree(self.model, bare)
        os.unlink(os.path.join(bare, "model.safetensors"))
        (facts,) = self.check(self.data, "--model", bare)
        self.assertIn("safetensors", facts["untimed"])
        self.assertGreater(facts["tree_ratio"], 1)
        self.assertIn("no estimate of the time", self.must("data", "check", self.data, "--model", bare).stdout)

    @unittest.skipUnless(shutil.which("gnuplot"), "draws with gnuplot")
    def test_figure(self):
        hostile = self.rows("it's {Bold=99 <x>}.jsonl", self.ROWS)
        self.must("data", "check", hostile, self.data, "--figure", self.path("lengths.svg"))
        root = xml.etree.ElementTree.parse(self.path("lengths.svg")).getroot()
        self.assertTrue(root.tag.endswith("svg"))
        self.assertIn("rejected", "".join(root.itertext()))

    @unittest.skipUnless(shutil.which("gnuplot"), "draws with gnuplot")
    def test_figure_shows_the_lengths_that_are_there(self):
        rows = self.rows("lengths.jsonl", [{"prompt": "x" * n, "completion": "y" * (n + 30)} for n in (100, 119)])
        self.must("data", "check", rows, "--method", "sft", "--figure", self.path("fine.svg"))
        root = xml.etree.ElementTree.parse(self.path("fine.svg")).getroot()
        words = [text.strip() for text in root.itertext()]
        lengths = [int(word) for word in words if word.isdigit() and int(word) > 2]
        self.assertEqual(lengths, [96, 112, 128])  # four bins an octave, from the first that holds something to the last
        self.assertIn("completion", words)
        self.assertNotIn("chosen", words)

    def test_refusals(self):
        self.bad("data", code=2, says="FILE is missing")
        self.bad("data", self.data, code=2, says="hone data check")
        self.bad("data", "check", self.path("none"), says="none")
        self.bad("data", "check", self.write("bad.jsonl", '{"prompt":"a","chosen":"b"}\n'), says=["bad.jsonl:1", "rejected"])
        self.bad("data", "check", self.data, "--pairs-per-second", -1, code=2, says="positive")
        self.bad("data", "check", self.data, "--figure", self.path("x.pdf"), code=2, says=".svg")


VOID = {"meta", "br", "link", "img", "use", "path"}


class Page(html.parser.HTMLParser):
    """Checks that tags are balanced; collects the text of each kind of tag, and every tag and attribute."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.text, self.attributes = [], [], {}, []
        self.feed(text)
        self.close()
        if self.open:
            raise AssertionError(f"left open: {self.open}")

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)
            self.text.setdefault(tag, []).append("")

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            raise AssertionError(f"</{tag}> closes nothing")

    def handle_data(self, data):
        for tag in set(self.open):
            self.text[tag][-1] += data


@unittest.skipUnless(shutil.which("gnuplot"), "draws with gnuplot")
class Report(Case):
    EVIL = "<script>alert(1)</script>\"'&<b>\x01"

    def page(self, *runs, more=()):
        done = self.must("report", *runs, "--out", self.path("report.html"), *more)
        self.assertEqual(done.stderr, "")
        with open(self.path("report.html"), encoding="utf-8") as file:
            text = file.read()
        page = Page(text)
        self.assertNotIn("script", page.seen)
        self.assertNotIn("gnuplot", text.lower())  # what it calls its parts would show under the pointer
        for name, value in page.attributes:
            self.assertFalse(name.startswith("on"), name)
            if name in ("src", "href", "xlink:href"):
                self.assertTrue(value.startswith("#"), value)
        return page

    def evaluation(self, name, drafts):
        os.makedirs(self.path(name), exist_ok=True)
        rates = [{"policy": policy, "set": "in", "revision": n,
                  "win_rate": {"mean": 0.5 + n / 10, "deviation": 0.02, "low": 0.45 + n / 10, "high": 0.55 + n / 10}}
                 for policy in ("srpo", self.EVIL) for n in range(3)]
        self.write(os.path.join(name, "results.json"), json.dumps({"results": rates}))
        self.write(os.path.join(name, "drafts.jsonl"), "".join(json.dumps(row) + "\n" for row in drafts))
        return self.path(name)

    @staticmethod
    def captions(page):
        return [text.split()[0] for text in page.text["figcaption"]]

    def test_run(self):
        self.train("seen", "--steps", 4)
        page = self.page(self.path("seen"))
        captions = self.captions(page)
        for name in ("loss", "rewards/margins", "learning_rate"):
            self.assertIn(name, captions)
        self.assertEqual(page.seen.count("svg"), len(captions))
        with open(self.path("seen", "config.yaml"), encoding="utf-8") as file:
            self.assertEqual(page.text["pre"], [file.read()])
        self.assertTrue(any("10 rows, 10 prompts" in text for text in page.text["p"]))
        self.assertIn("prefers-color-scheme:dark", page.text["style"][0])
        self.assertIn("@media print", page.text["style"][0])

    def test_evaluation(self):
        drafts = [{"policy": "srpo", "set": "in", "row": 3, "prompt": "p", "reference": "r",
                   "drafts": [{"text": "the quick fox"}, {"text": "the slow fox jumps"}, {"text": "the slow fox jumps"}]}]
        page = self.page(self.evaluation("measured", drafts))
        self.assertIn("70.0 \u00b1 2.065.0 to 75.0", page.text["td"])  # the interval stands below
        self.assertEqual(page.attributes.count(("class", "best")), 2)
        self.assertEqual((page.text["del"], page.text["ins"]), (["takes away", "quick"], ["adds", "slow", "jumps"]))  # the first explain
        self.assertEqual(page.text["h4"], ["draft", "revision 1", "revision 2"])
        self.assertIn("reference: r", page.text["p"])

    def test_hostile_text_stays_text(self):
        drafts = [{"policy": self.EVIL, "set": self.EVIL, "row": 0, "prompt": self.EVIL, "reference": self.EVIL,
                   "drafts": [{"text": self.EVIL}, {"text": "a " + self.EVIL}, {"text": None}, 7]},
                  {"policy": 1, "drafts": {}}]
        page = self.page(self.evaluation("hostile", drafts))
        shown = self.EVIL.replace("\x01", "\ufffd")
        self.assertIn(shown, page.text["p"])
        self.assertIn("\u25a0 " + shown, page.text["th"])
        self.assertEqual(page.attributes.count(("class", "card")), 2)

    def test_long_drafts_and_few_rows(self):
        long = " ".join(map(str, range(5000)))
        row = {"policy": "a", "set": "b", "row": 0, "prompt": "", "drafts": [{"text": long}, {"text": long + " x"}]}
        page = self.page(self.evaluation("long", [{**row, "row": i} for i in range(5)]), more=["--drafts", 2])
        self.assertEqual(page.attributes.count(("class", "card")), 2)
        self.assertTrue(any("3 more lines of drafts" in text for text in page.text["p"]))
        self.assertIn(long + " x", page.text["p"])

    def test_policies_stand_side_by_side(self):
        rows = [{"policy": policy, "set": "in", "row": row, "prompt": f"p{row}", "drafts": [{"text": policy}]}
                for policy in ("one", "two") for row in range(3)]
        page = self.page(self.evaluation("beside", rows))
        self.assertEqual(page.attributes.count(("class", "card")), 3)
        self.assertEqual(page.text["summary"], ["\u25b2 one", "\u25c6 two"] * 3)

    def test_held_out_curve(self):
        held = self.write("held.jsonl", "".join(json.dumps({"prompt": f"sort {i} d =", "chosen": f" d {i}", "rejected": f" {i} d"}) + "\n"
                                                for i in range(3)))
        self.train("held", "--steps", 4, "--eval-data", held, "--eval-every", 2)
        self.assertIn("eval_loss", self.captions(self.page(self.path("held"))))

    def findings(self, name, rates, paired=(), key="win_rate"):
        """rates: policy, set, revision, share; paired: a, its revision, b, its revision, difference, low, high. Returns leads and notes."""
        results = [{"policy": p, "set": s, "revision": n, key: {"mean": m, "deviation": 0.02, "low": m - 0.04, "high": m + 0.04}}
                   for p, s, n, m in rates]
        tests = [{"set": "in", "on": key, "a": a, "a_revision": n, "b": b, "b_revision": m, "difference": d, "low": low, "high": high}
                 for a, n, b, m, d, low, high in paired]
        os.makedirs(self.path(name), exist_ok=True)
        self.write(os.path.join(name, "results.json"), json.dumps({"judge": "exact", "opponent": "sft", "results": results, "paired": tests}))
        page = self.page(self.path(name))
        self.page_text = page
        return [text for text in page.text["p"] if "%" in text and ":" in text], page.text.get("li", [])

    def test_findings_name_the_best_and_how_sure(self):
        rates = [("sft", "in", 0, 0.3), ("sft", "in", 1, 0.35), ("srpo", "in", 0, 0.5), ("srpo", "in", 1, 0.6), ("srpo", "in", 2, 0.6),
                 ("dpo", "in", 0, 0.55), ("dpo", "in", 1, 0.58), ("sft", "out", 0, 0.1), ("srpo", "out", 0, 0.1)]
        paired = [("dpo", 1, "srpo", 1, -0.02, -0.05, 0.0), ("srpo", 1, "srpo", 0, 0.1, 0.06, 0.14), ("srpo", 1, "sft", 1, 0.3, 0.2, 0.4)]
        leads, notes = self.findings("verdict", rates, paired, "score")
        # Of equal means the fewest revisions. Its rival is the best of those that revised as often.
        self.assertEqual(leads[:2], ["\u25a0 srpo, after 1 revision: 60.0 % 95 %: 56.0 to 64.0", "All alike: 10.0 %"])
        self.assertEqual(notes, ["Against \u25b2 dpo, after 1 revision (58.0 %): +2.0 points on the same rows, 95 %: +0.0 to +5.0, may be chance",
                                 "Against its own first answers (50.0 %): +10.0 points on the same rows, 95 %: +6.0 to +14.0, more than chance"])
        self.assertIn("Score by exact, in distribution", self.page_text.text["h3"])

    def test_findings_where_revising_does_not_help(self):
        leads, notes = self.findings("first", [("a", "in", 0, 0.6), ("a", "in", 1, 0.5)], [("a", 1, "a", 0, -0.1, -0.2, -0.01)])
        self.assertEqual(leads[0], "\u25cf a, first answers: 60.0 % 95 %: 56.0 to 64.0")
        self.assertEqual(notes, ["Revised once (50.0 %): -10.0 points on the same rows, 95 %: -20.0 to -1.0, more than chance"])
        self.assertIn("Win rate against sft, in distribution", self.page_text.text["h3"])
        _, notes = self.findings("untested", [("a", "in", 0, 0.5), ("a", "in", 1, 0.6)])
        self.assertEqual(notes, ["Against its own first answers (50.0 %): +10.0 points, not tested"])

    def test_one_name_one_colour(self):
        for name in ("dpo", "srpo"):
            os.makedirs(self.path("runs", name), exist_ok=True)
            self.write(f"runs/{name}/metrics.jsonl", '{"step":1,"loss":2}\n{"step":2,"loss":1}\n')
            self.write(f"runs/{name}/config.yaml", f"method: {name}\n")
        results = [{"policy": p, "set": "in", "revision": 0, "win_rate": {"mean": 0.5, "low": 0.4, "high": 0.6}} for p in ("base", "S", "dpo")]
        os.makedirs(self.path("colours"), exist_ok=True)
        self.write("colours/results.json", json.dumps({"results": results, "policies": [
            {"name": "S", "model": "m", "adapter": "somewhere/runs/srpo/final"}, {"name": "dpo", "model": "runs/dpo/final", "adapter": None}]}))
        self.page(self.path("runs", "dpo"), self.path("runs", "srpo"), self.path("colours"))
        with open(self.path("report.html"), encoding="utf-8") as file:
            text = file.read()
        marks = set(re.findall(r'<b style="color:(#[0-9a-f]{6})">.</b> (\w+)</span>', text))
        self.assertEqual(marks, {("#0072b2", "base"), ("#d55e00", "S"), ("#009e73", "dpo")})
        losses = re.findall(r"<figcaption>loss <small>(\w+):.*?</figure>", text, re.S)
        figures = re.findall(r"<figcaption>loss .*?</figure>", text, re.S)
        self.assertEqual(losses, ["dpo", "srpo"])  # a loss has a scale of its own: a figure each
        for figure, colour in zip(figures, ("  0, 158, 115", "213,  94,   0")):
            self.assertIn(f"rgb({colour})", figure)

    def test_drafts_of_all_sets_with_scores(self):
        rows = [{"policy": "a", "set": where, "row": row, "prompt": f"{where} {row}", "reference": " right",
                 "drafts": [{"text": " wrong"}, {"text": "right\n"}, {"text": "right"}]} for where in ("in", "out") for row in range(3)]
        folder = self.evaluation("sets", rows)
        with open(os.path.join(folder, "results.json"), encoding="utf-8") as file:
            results = json.load(file)
        results["examples"] = [{"set": "out", "row": 0, "prompt": "out 0", "policies": [
            {"name": "a", "drafts": [{"text": " wrong", "score": 0.25}, {"text": "right", "score": 1}, {"text": "right", "score": None}]}]}]
        self.write("sets/results.json", json.dumps(results))
        page = self.page(folder, more=["--drafts", 2])
        self.assertEqual([text for text in page.text["p"] if text in ("in 0", "in 1", "out 0", "out 1")], ["in 0", "out 0"])
        self.assertEqual(page.text["h4"], ["draft", "revision 1 \u2713", "revision 2 \u2713", "draft 25 %", "revision 1 \u2713 100 %", "revision 2 \u2713"])
        self.assertEqual(page.attributes.count(("class", "same")), 1 + 2)  # the explanation, and the last revision of each

    def test_what_models_keep_stands_beside_the_revisions(self):
        def rate(mean):
            return {"mean": mean, "deviation": 0.01, "low": mean - 0.02, "high": mean + 0.02}
        results = [{"policy": p, "set": "in", "revision": n, "win_rate": rate(0.5)} for p in ("a", "b") for n in (0, 1)]
        kept = [{"policy": "b", "set": "in", "by": "likeliest", "win_rate": rate(0.75)}, {"policy": "a", "set": "out", "by": "best", "win_rate": rate(0.9)}]
        os.makedirs(self.path("kept"))
        self.write("kept/results.json", json.dumps({"results": results, "kept": kept}))
        cells = self.page(self.path("kept")).text
        self.assertEqual(cells["th"][:4], ["policy", "0-revision", "1-revision", "likeliest draft"])
        self.assertEqual(cells["td"][2::3], ["", "75.0 \u00b1 1.073.0 to 77.0"])
        self.assertNotIn("best by r(y|y)", cells["th"])

    def test_white_space_of_drafts_stays(self):
        row = {"policy": "a", "set": "in", "row": 0, "prompt": "p", "drafts": [{"text": "  one\n\n  two  three "}, {"text": " one\n\n  four  three\n"}]}
        page = self.page(self.evaluation("space", [row]))
        self.assertIn("one\n\n  two  three", page.text["p"])
        self.assertIn("one\n\n  two\n\n  four  three", page.text["p"])  # "two" struck through
        self.assertIn(("dir", "auto"), page.attributes)

    def test_nothing_yet(self):
        os.makedirs(self.path("begun"))
        self.write("begun/metrics.jsonl", "")
        os.makedirs(self.path("void"))
        self.write("void/results.json", '{"results":[]}')
        page = self.page(self.path("begun"), self.path("void"))
        self.assertNotIn("figure", page.seen)
        self.assertLessEqual({"No step yet.", "No result in it."}, set(page.text["p"]))

    def test_numbers_that_no_axis_holds(self):
        os.makedirs(self.path("extreme"))
        self.write("extreme/metrics.jsonl", "".join(f'{{"step":{n},"loss":{x}}}\n' for n, x in enumerate(("1e308", "-1e308", "2"))))
        self.write("extreme/results.json", json.dumps({"results": [
            {"policy": "a", "set": "in", "revision": n, "win_rate": {"mean": m}} for n, m in ((-3, 1e300), (1e9, 0.5), (0, 1e300), (1, 0.5))]
            + [{"policy": None}, 5], "paired": [1], "head_to_head": {"a": 1}, "sets": [3], "sampling": 7}))
        self.assertEqual(self.captions(self.page(self.path("extreme"))), ["Win", "loss"])

    def test_facts_of_every_file(self):
        more = self.write("more.jsonl", '{"prompt":"x","chosen":"yes","rejected":"no"}\n')
        gone = self.write("gone.jsonl", '{"prompt":"z","chosen":"yes","rejected":"no"}\n')
        self.train("mixed", "--steps", 1, "--eval-data", gone, data=f"{self.data},{more}:2")
        os.remove(gone)
        facts = [text for text in self.page(self.path("mixed")).text["p"] if "ata: " in text]
        self.assertEqual([text.split(";")[0] for text in facts], [
            f"Data: {self.data}: 10 rows, 10 prompts, 0 repeated rows, 0 pairs with equal sides",
            f"Data: {more}: 1 rows, 1 prompts, 0 repeated rows, 0 pairs with equal sides",
            f"Held-out data: {gone}: can't be read from here."])

    def test_damaged_files(self):
        """A last line may be cut; others that can't be read are left out with a warning, and half an evaluation is none."""
        os.makedirs(self.path("damaged"))
        self.write("damaged/metrics.jsonl", '{"step":1,"loss":2}\n{"step":2,"loss":"x"}\nnonsense\n[1]\n{"step":3,"lo')
        told = self.must("report", self.path("damaged"), "--out", self.path("damaged.html")).stderr
        with open(self.path("damaged.html"), encoding="utf-8") as file:
            self.assertEqual(re.findall(r"<figcaption>(\w+)", file.read()), ["loss"])
        self.assertRegex(told, r"\Ahone: warning: \S*damaged/metrics.jsonl:3: [^\n]* left out, and 1 more\n\Z")
        self.write("damaged/metrics.jsonl", '{"step":1,"loss":2}\n{"step":3,"lo')
        for text, says in (("[[[", "line 1, column 3"), ("{}", '"results"'), ('{"results":{}}', '"results"'), ("", "line 1")):
            self.write("damaged/results.json", text)
            self.bad("report", self.path("damaged"), "--out", self.path("none.html"), says=["damaged/results.json: ", says])
        self.assertFalse(os.path.exists(self.path("none.html")))

    def test_no_word_of_gnuplot(self):
        """Rates that are all the same, or none at all, are drawn without its warnings."""
        drafts = [{"policy": "a", "set": "in", "row": 0, "prompt": "p", "drafts": [{"text": "x"}]}]
        folder = self.evaluation("flat", drafts)
        same = {"mean": 0.5, "deviation": 0, "low": 0.5, "high": 0.5}
        for rate in (same, None, {}, {"mean": 0.5}):
            results = [{"policy": "a", "set": "in", "revision": n, "win_rate": rate, "score": rate} for n in range(2)]
            self.write("flat/results.json", json.dumps({"results": results}))
            self.assertEqual(self.must("report", folder, "--out", self.path("flat.html")).stderr, "")

    def test_refusals(self):
        os.makedirs(self.path("empty"))
        self.bad("report", self.path("empty"), "--out", self.path("none.html"), says="no metrics.jsonl")
        self.assertFalse(os.path.exists(self.path("none.html")))
        self.bad("report", "--out", "x", code=2, says="RUN is missing")
        self.bad("report", self.path("empty"), code=2, says="--out")


class Top(Case):
    def line(self, run):
        return self.must("top", self.path(run)).stdout

    def test_a_run_that_ended(self):
        rows = self.train("ended", "--epochs", 2)
        line = self.line("ended")
        self.assertRegex(line, r"\Astep 10/10 \(100 %\)  loss [\d.]+ [\u2581-\u2588]{10}  [\d.]+ pairs/s  left 0:00:00\n\Z")
        found = json.loads(self.must("top", self.path("ended"), "--json").stdout)
        self.assertEqual((found["step"], found["steps"], found["loss"]), (10, 10, rows[-1]["loss"]))

    def test_held_out_rows_are_no_steps(self):
        rows = self.train("watched", "--steps", 4, "--eval-data", self.data, "--eval-every", 2)
        with open(self.path("watched", "eval.jsonl"), encoding="utf-8") as file:
            held = [json.loads(line) for line in file]
        self.assertRegex(self.line("watched"), rf"\Astep 4/4 \(100 %\)  loss {rows[-1]['loss']:.4f} [\u2581-\u2588]{{4}}  "
                                               rf"held out {held[-1]['eval_loss']:.4f}  {rows[-1]['pairs_per_second']:.2f} pairs/s")
        found = json.loads(self.must("top", self.path("watched"), "--json").stdout)
        self.assertEqual((found["step"], found["loss"], found["eval_loss"], found["running"]), (4, rows[-1]["loss"], held[-1]["eval_loss"], False))
        self.assertEqual(found["pairs_per_second"], rows[-1]["pairs_per_second"])

    def test_a_line_of_a_terminal_is_never_wrapped(self):
        os.makedirs(self.path("narrow"))
        self.write("narrow/metrics.jsonl", "".join(json.dumps({"step": n, "loss": 1 / n, "seconds": 1, "pairs_per_second": 123.4}) + "\n"
                                                   for n in range(1, 100)))
        for columns, sparks in ((200, 40), (60, 60 - 1 - 37), (45, 45 - 1 - 21), (22, 0), (9, 0)):
            text = on_terminal([test_cli.HONE, "top", self.path("narrow")], "stdout", columns)
            (line,) = text.replace("\x1b[K", "").split("\r\n")[0].split("\r")[1:]
            self.assertLess(len(line), columns)
            self.assertEqual(len(re.findall("[\u2581-\u2588]", line)), sparks, line)

    def test_a_run_on_its_way(self):
        self.train("way", "--steps", 8)
        lines = [json.dumps({"step": n, "epoch": n / 5, "loss": 8 - n, "seconds": 30, "pairs_per_second": 1.5}) + "\n"
                 for n in range(1, 4)]
        self.write("way/metrics.jsonl", "".join(lines) + '{"step":4,"lo')
        self.assertEqual(self.line("way"), "step 3/8 (38 %)  loss 5.0000 \u2588\u2585\u2581  1.50 pairs/s  stopped\n")
        self.write("way/.lock", f"{os.getpid()}\n")
        self.assertEqual(self.line("way"), "step 3/8 (38 %)  loss 5.0000 \u2588\u2585\u2581  1.50 pairs/s  left 0:02:30\n")
        with subprocess.Popen(["true"]) as ended:
            pass
        self.write("way/.lock", f"{ended.pid}\n")  # killed before it could take the file away
        self.assertIn("stopped", self.line("way"))
        self.write("way/metrics.jsonl", "")
        self.assertIn("no step yet", self.line("way"))

    def test_refusals(self):
        self.bad("top", self.path("nothing"), says="no metrics.jsonl")
        self.bad("top", code=2, says="RUN is missing")


if __name__ == "__main__":
    test_cli.HONE = os.path.abspath(sys.argv.pop(1))
    unittest.main()
