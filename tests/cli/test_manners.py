#!/usr/bin/env python3
"""Manual pages, completions, plain lines, --json everywhere. test_manners.py HONE [unittest arguments]."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import unittest

import test_cli
from test_cli import VERBS, Case, on_terminal

PARTS = {"bench": ["step", "decode", "gemm", "pack", "revise", "load", "checkpoint"], "data": ["check"], "tokenizer": ["train"]}


def options_of(help_text):
    return set(re.findall(r"^ +(?:-\w, )?--([a-z][a-z0-9-]*)", help_text, re.M))


class Documentation(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        os.makedirs(cls.path("man"))
        cls.must("documentation", "man", cls.path("man"))
        cls.must("documentation", "bash", cls.path("hone.bash"))
        cls.must("documentation", "zsh", cls.path("_hone"))

    def page(self, name):
        with open(self.path("man", name + ".1"), encoding="utf-8") as file:
            return file.read()

    def test_a_page_for_each_verb(self):
        self.assertEqual(sorted(os.listdir(self.path("man"))), sorted(["hone.1", *(f"hone-{verb}.1" for verb in VERBS)]))
        overview = self.page("hone")
        for verb in VERBS:
            self.assertIn(f"\\fBhone\\-{verb}\\fR(1)", overview)

    def test_every_option_is_in_its_page(self):
        for verb in VERBS:
            for part in PARTS.get(verb, [None]):
                with self.subTest(verb=verb, part=part):
                    wanted = options_of(self.must(*filter(None, [verb, part, "--help"])).stdout)
                    found = {name.replace("\\-", "-") for name in re.findall(r"\\-\\-((?:\\-|\w)+)\\fR", self.page("hone-" + verb))}
                    self.assertGreater(len(wanted), 1)
                    self.assertLessEqual(wanted, found)
            text = self.page("hone-" + verb)
            for heading in (".SH NAME", ".SH SYNOPSIS", ".SH ENVIRONMENT", ".SH EXIT STATUS", ".SH SEE ALSO"):
                self.assertEqual(text.count(heading + "\n"), 1)
            self.assertIn("xample", text)

    def test_examples_use_options_that_exist(self):
        """Each line of an example names a verb (and part) of hone, and options that its help lists."""
        seen = 0
        for verb in VERBS:
            for part in PARTS.get(verb, [None]):
                example = self.must(*filter(None, [verb, part, "--help"])).stdout.split("\nExample:\n", 1)[1]
                for line in example.replace("\\\n", " ").splitlines():
                    words = shlex.split(line.split(" > ")[0].split(" | ")[-1])
                    words = words[1:] if re.match(r"[A-Z_]+=", words[0]) else words
                    with self.subTest(line=line):
                        self.assertEqual(words[0], "hone")
                        deed = words[1:3] if words[1] in PARTS else words[1:2]
                        self.assertIn(deed[0], VERBS)
                        used = {word[2:].split("=")[0] for word in words if word.startswith("--")}
                        self.assertLessEqual(used, options_of(self.must(*deed, "--help").stdout))
                        seen += deed[0] == verb
        self.assertGreaterEqual(seen, len(VERBS))

    def test_pages_are_clean(self):
        if shutil.which("groff") is None:
            self.skipTest("groff is not installed")
        for name in sorted(os.listdir(self.path("man"))):
            with self.subTest(page=name):
                done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-z", self.path("man", name)], stderr=subprocess.PIPE, text=True,
                                      check=True)
                self.assertEqual(done.stderr, "")

    def complete(self, *words):
        """What bash offers for the last word."""
        script = (f"source {self.path('hone.bash')}; COMP_WORDS=(hone {' '.join(words)}); COMP_CWORD={len(words)}; _hone; "
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.root, check=True)
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def test_bash(self):
        self.assertLessEqual(set(VERBS), self.complete("''"))
        self.assertEqual(self.complete("tr"), {"train"})
        self.assertEqual(self.complete("data", "''"), {"check"})
        self.assertEqual(self.complete("train", "--meth"), {"--method"})
        self.assertEqual(self.complete("train", "--method", "s"), {"srpo", "simpo", "sft"})
        self.assertEqual(self.complete("train", "--method", "=", "dp"), {"dpo"})
        self.assertIn("model", self.complete("train", "--model", "''"))
        self.assertNotIn("pairs.jsonl", self.complete("train", "--model", "''"))
        self.assertIn("pairs.jsonl", self.complete("train", "--data", "''"))
        self.assertEqual(self.complete("train", "--lr", "''"), set())
        self.assertEqual(self.complete("data", "check", "--fig"), {"--figure"})
        self.assertIn("pairs.jsonl", self.complete("data", "check", "''"))
        for verb in VERBS:
            for part in PARTS.get(verb, [None]):
                words = list(filter(None, [verb, part]))
                self.assertEqual({word[2:] for word in self.complete(*words, "--")}, options_of(self.must(*words, "--help").stdout))

    def test_offered_words_are_accepted(self):
        """A word that validation would refuse must not be offered."""
        train = ["train", "--model", "/no/model", "--data", self.data, "--out", self.path("never")]
        for option, arguments in (("--method", train), ("--schedule", [*train, "--method", "srpo"]), ("--pack", [*train, "--method", "srpo"]),
                                  ("--dtype", [*train, "--method", "srpo"]), ("--base-dtype", [*train, "--method", "srpo"])):
            for word in self.complete("train", option, "''"):
                self.bad(*arguments, option, word, says="/no/model")
        for option, verb in (("--weights", "generate"), ("--dtype", "generate"), ("--select", "pairs"), ("--label", "pairs")):
            for word in self.complete(verb, option, "''"):
                more = ["--prompt", "a"] if verb == "generate" else ["--data", self.data, "--out", self.path("never")]
                self.assertIn("/no/model", test_cli.hone(verb, "--model", "/no/model", *more, option, word).stderr)

    def test_zsh(self):
        if shutil.which("zsh") is None:
            self.skipTest("zsh is not installed")
        subprocess.run(["zsh", "-n", self.path("_hone")], check=True)
        script = f"fpath=({self.root} $fpath); autoload -Uz compinit; compinit -D -u; print -r -- $_comps[hone]; autoload +X _hone"
        done = subprocess.run(["zsh", "-f", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True)
        self.assertEqual((done.stdout, done.stderr), ("_hone\n", ""))

    def test_zsh_has_all(self):
        with open(self.path("_hone"), encoding="utf-8") as file:
            text = file.read()
        for verb in VERBS:
            for part in PARTS.get(verb, [None]):
                words = list(filter(None, [verb, part]))
                block = text.split(f"'{' '.join(words)}')", 1)[1].split(";;", 1)[0]
                self.assertEqual(set(re.findall(r"'--([a-z][a-z0-9-]*)", block)), options_of(self.must(*words, "--help").stdout))

    def test_wrong_use(self):
        self.bad("documentation", code=2)
        self.bad("documentation", "info", self.path("x"), code=2)
        self.bad("documentation", "man", self.path("no", "folder"), says="no/folder")


class Terminal(Case):
    def training(self, columns=80, **environment):
        """What training writes to a terminal."""
        arguments = self.train_arguments(self.path("-".join([self.id(), str(columns), *environment])), "--steps", 3)
        return on_terminal([test_cli.HONE, *(a for a in arguments if a != "--quiet")], "stderr", columns, **environment)

    def test_a_terminal_is_rewritten(self):
        self.assertIn("\x1b[K", self.training())

    def test_no_line_is_wrapped(self):
        for columns, words in ((200, ("accuracy", "tokens/s", "left")), (80, ("margin", "left")), (30, ("step", "loss"))):
            lines = [line.replace("\x1b[K", "") for line in re.split("[\r\n]+", self.training(columns=columns))]
            steps = [line for line in lines if re.match("step |reference", line)]
            self.assertGreaterEqual(len(steps), 3)
            for line in steps:
                self.assertLess(len(line), columns)
            for word in words:
                self.assertIn(word, steps[-1])

    def test_plain_when_asked_for(self):
        for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            with self.subTest(environment=environment):
                text = self.training(**environment)
                self.assertNotIn("\x1b", text)
                self.assertIn("step 3/3", text)

    def test_plain_when_piped(self):
        arguments = [a for a in self.train_arguments(self.path("piped"), "--steps", 3) if a != "--quiet"]
        done = self.must(*arguments)
        self.assertNotIn("\x1b", done.stderr)
        self.assertNotIn("\r", done.stderr)
        self.assertIn("step 3/3", done.stderr)


class Json(Case):
    """Every verb that says something says it as JSON when asked to."""

    def test_every_verb(self):
        self.train("run", "--steps", 2)
        run, adapter = self.path("run"), self.path("run", "final")
        rows = self.write("rows.jsonl", "".join(json.dumps({"prompt": f"sort {i} b a =", "answer": f" a b {i}"}) + "\n" for i in range(4)))
        tiny = ["--shape", "16,24,2,2,1,64", "--threads", 1]
        cases = {
            "train": self.train_arguments(self.path("more"), "--steps", 1, "--json"),
            "generate": ["generate", "--model", self.model, "--prompt", "a", "--max-tokens", 2, "--json"],
            "revise": ["revise", "--model", self.model, "--prompt", "a", "--max-tokens", 2, "--json"],
            "score": ["score", "--model", self.model, "--data", self.data, "--method", "dpo", "--json"],
            "eval": ["eval", "--model", self.model, "--data", rows, "--max-tokens", 2, "--out", self.path("eval"), "--json"],
            "pairs": ["pairs", "--model", self.model, "--data", rows, "--judge", "chrf", "--max-tokens", 64, "--samples", 24, "--out",
                      self.path("pairs"), "--json"],
            "tokenize": ["tokenize", "--model", self.model, "--text", "a b", "--json"],
            "tokenizer": ["tokenizer", "train", "--data", self.data, "--vocab", 260, "--out", self.path("t"), "--json"],
            "inspect": ["inspect", "--model", self.model, "--json"],
            "init": ["init", "--tokenizer", self.tokenizer, "--width", 16, "--layers", 1, "--heads", 2, "--hidden", 8, "--out",
                     self.path("m"), "--json"],
            "merge": ["merge", "--model", self.model, "--adapter", adapter, "--out", self.path("merged"), "--json"],
            "data": ["data", "check", self.data, "--json"],
            "top": ["top", run, "--json"],
            "report": ["report", run, "--out", self.path("report.html"), "--json"],
            "bandit": ["bandit", "--steps", 10, "--json"],
            "bench": ["bench", "pack", *tiny, "--json"],
            "devices": ["devices", "--json"],
            "check": ["check", "--device", "cpu", "--isa", "scalar", "--operation", "add", "--json"],
        }
        self.assertEqual(set(VERBS) - set(cases), {"convert"})  # GGUF files are made by its own tests
        self.assertIn("--json", self.must("convert", "--help").stdout)
        for verb, arguments in cases.items():
            with self.subTest(verb=verb):
                text = self.must(*arguments).stdout
                self.assertTrue(text.endswith("\n"))
                for line in text.splitlines():
                    json.loads(line, parse_constant=lambda name: self.fail(f"{name} is no JSON"))


if __name__ == "__main__":
    test_cli.HONE = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
