#!/usr/bin/env python3
"""Drives the hone command: test_cli.py HONE [unittest arguments]. Standard library only."""

import fcntl
import json
import math
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

HONE = ""
VERBS = ["train", "generate", "revise", "score", "eval", "tokenize", "tokenizer", "inspect", "init", "convert",
         "bandit", "bench", "devices", "check", "data", "report", "top", "merge", "pairs"]
METRICS = ["step", "epoch", "loss", "learning_rate", "grad_norm", "rewards/chosen", "rewards/rejected",
           "rewards/margins", "rewards/accuracies", "logps/chosen", "logps/rejected", "pairs", "packs",
           "packed_tokens", "naive_tokens", "tree_ratio", "seconds", "pairs_per_second", "tokens_per_second"]
WAIT = 300


def hone(*arguments, **more):
    return subprocess.run([HONE, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=WAIT, **more)


def on_terminal(command, stream, columns=80, **environment):
    """What a program writes to a terminal of so many columns, its standard output or its standard error."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([*map(str, command)], env={**os.environ, "TERM": "xterm", "NO_COLOR": "", **environment},
                          **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: slave}) as process:
        os.close(slave)
        text = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:
                break
            if not part:
                break
            text += part
        if process.wait(60) != 0:
            raise AssertionError(f"{command}: exit {process.returncode}: {text}")
    os.close(master)
    return text.decode()


class Case(unittest.TestCase):
    """A tiny model, its tokenizer and ten pairs, made by the command itself."""

    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="hone-cli-")
        rows = [{"prompt": f"sort {i} b a =", "chosen": f" a b {i}", "rejected": f" b {i} a"} for i in range(10)]
        cls.data = cls.write("pairs.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        cls.tokenizer, cls.model = cls.path("tokenizer"), cls.path("model")
        cls.must("tokenizer", "train", "--data", cls.data, "--vocab", 280, "--out", cls.tokenizer)
        cls.must("init", "--tokenizer", cls.tokenizer, "--width", 16, "--layers", 2, "--heads", 2, "--kv-heads", 1,
                 "--hidden", 24, "--max-positions", 256, "--initializer-range", 0.1, "--out", cls.model)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.root)

    @classmethod
    def path(cls, *names):
        return os.path.join(cls.root, *names)

    @classmethod
    def write(cls, name, content):
        with open(cls.path(name), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return cls.path(name)

    @classmethod
    def must(cls, *arguments, **more):
        done = hone(*arguments, **more)
        if done.returncode != 0:
            raise AssertionError(f"hone {arguments}: exit {done.returncode}: {done.stderr}")
        return done

    def bad(self, *arguments, code=1, says=(), **more):
        """A refusal: nothing on standard output, one line that names the program and the reason."""
        done = hone(*arguments, **more)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        if code == 1:
            self.assertRegex(done.stderr, r"\Ahone: [^\n]+\n\Z")
        else:
            self.assertRegex(done.stderr, r"\Ahone[ :]")
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, done.stderr)
        return done

    def train_arguments(self, out, *more, data=None):
        return ["train", "--model", self.model, "--data", data or self.data, "--method", "srpo", "--out", out, "--lr",
                "1e-2", "--batch-pairs", 2, "--threads", 1, "--pack-tokens", 512, "--quiet", *more]

    def train(self, name, *more, **options):
        out = self.path(name)
        self.must(*self.train_arguments(out, *more, **options))
        return self.metrics(out)

    @staticmethod
    def metrics(out):
        with open(os.path.join(out, "metrics.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]


class Usage(Case):
    def test_no_verb(self):
        done = hone()
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("Usage: hone VERB", done.stderr)
        self.bad("fly", code=2, says='no verb "fly"')

    def test_version_and_help(self):
        self.assertRegex(self.must("--version").stdout, r"\Ahone \d+\.\d+\.\d+\n\Z")
        for way in ("--help", "-h", "help"):
            text = self.must(way).stdout
            for verb in VERBS:
                self.assertRegex(text, rf"\n  {verb} +\S")

    def test_help_of_each_verb(self):
        for verb in VERBS:
            with self.subTest(verb=verb):
                done = self.must(verb, "--help")
                self.assertEqual(done.stderr, "")
                self.assertIn("Example:", done.stdout)
                self.assertIn(f"hone {verb}" if verb != "check" else "hone", done.stdout)

    def test_unknown_option(self):
        for verb in VERBS:
            with self.subTest(verb=verb):
                self.assertEqual(hone(verb, "--no-such-option").returncode, 2)

    def test_missing_options(self):
        for arguments in (["train"], ["generate"], ["revise", "--model", "x"], ["score"], ["tokenize"],
                          ["tokenizer"], ["tokenizer", "train"], ["init"], ["convert"], ["convert", "one"],
                          ["inspect"]):
            with self.subTest(arguments=arguments):
                self.bad(*arguments, code=2)

    def test_bad_values(self):
        for arguments, says in ((["--lr", "fast"], '--lr "fast"'), (["--steps", "1.5"], '--steps "1.5"'),
                                (["--steps", "-1"], "--steps is -1"), (["--method", "ppo"], "ppo"),
                                (["--schedule", "step"], "--schedule"), (["--pack", "zip"], "--pack"),
                                (["--lora-dropout", "1"], "--lora-dropout"), (["--keep", "0"], "--keep is 0"),
                                (["--alpha", "2"], "alpha"), (["--beta", "-1"], "beta"), (["--lr", "nan"], "--lr"),
                                (["--batch-pairs", "0"], "--batch-pairs"), (["--clip", "-1"], "--clip"),
                                (["--epochs", "0"], "--epochs"), (["--full", "--adapter", "x"], "--adapter")):
            with self.subTest(arguments=arguments):
                self.bad(*self.train_arguments(self.path("never"), *arguments), code=2, says=says)
        self.assertFalse(os.path.exists(self.path("never")))
        self.bad("generate", "--model", self.model, "--prompt", "a", "--data", self.data, code=2)
        self.bad("revise", "--model", self.model, "--prompt", "a", "--keep", "worst", code=2, says="best")
        self.bad("convert", "a", "b", "--dtype", "int4", code=2, says="int4")


class Input(Case):
    def test_missing_files(self):
        nowhere = self.path("nowhere")
        for arguments in (["tokenize", "--model", nowhere, "--text", "a"], ["inspect", "--model", nowhere],
                          ["generate", "--model", nowhere, "--prompt", "a"],
                          ["convert", nowhere, self.path("converted")],
                          ["init", "--tokenizer", nowhere, "--out", self.path("made")],
                          ["tokenizer", "train", "--data", nowhere, "--out", self.path("made")],
                          ["score", "--model", self.model, "--data", nowhere, "--method", "dpo"],
                          self.train_arguments(self.path("never"), data=nowhere)):
            with self.subTest(verb=arguments[0]):
                self.bad(*arguments, says="nowhere")

    def test_rows_that_are_wrong(self):
        good = '{"prompt":"a","chosen":"b","rejected":"c"}\n'
        for line, says in (("{", ""), ('["a"]', ""), ('{"prompt":"a","chosen":"b"}', "rejected"),
                           ('{"prompt":1,"chosen":"b","rejected":"c"}', "prompt"),
                           ('{"prompt":"a","chosen":"b","rejected":"c","preference":2}', "preference")):
            with self.subTest(line=line):
                data = self.write("wrong.jsonl", good + good + line + "\n" + good)
                self.bad(*self.train_arguments(self.path("never"), data=data), says=[data + ":3", says])
                self.bad("score", "--model", self.model, "--data", data, "--method", "dpo", says=data + ":3")
        self.bad(*self.train_arguments(self.path("never"), data=self.write("empty.jsonl", "")), says="empty.jsonl")
        data = self.write("latin.jsonl", good.encode() + b'{"prompt":"\xe9","chosen":"b","rejected":"c"}\n')
        self.bad(*self.train_arguments(self.path("never"), data=data), says=data + ":2")
        self.assertFalse(os.path.exists(self.path("never")))

    def test_too_long_for_a_pack(self):
        self.bad(*self.train_arguments(self.path("never"), "--pack-tokens", 8), says="pack-tokens")

    def test_out_that_cannot_be_made(self):
        plain = self.write("plain", "a file")
        self.bad(*self.train_arguments(os.path.join(plain, "run")), says="plain")
        self.bad("init", "--tokenizer", self.tokenizer, "--out", os.path.join(plain, "m"), says="plain")
        self.bad("tokenizer", "train", "--data", self.data, "--out", os.path.join(plain, "t"), says="plain")
        self.bad(*self.train_arguments("/proc/hone/run"), says="/proc/hone")

    def test_damaged_model(self):
        for name, content in (("model.safetensors", b"\x08\0\0\0\0\0\0\0{}"), ("config.json", b"{"),
                              ("tokenizer.json", b"[]")):
            with self.subTest(name=name):
                folder = self.path("damaged-" + name)
                shutil.copytree(self.model, folder)
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(content)
                self.bad("generate", "--model", folder, "--prompt", "a", says=folder)

    def test_convert_refuses(self):
        for name, content in (("empty.gguf", b""), ("text.gguf", b"not a model at all, only text" * 9),
                              ("head.gguf", b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1 << 60)),
                              ("old.gguf", b"GGUF" + struct.pack("<IQQ", 99, 0, 0)),
                              ("none.gguf", b"GGUF" + struct.pack("<IQQ", 3, 0, 0))):
            with self.subTest(name=name):
                self.bad("convert", self.write(name, content), self.path("converted"), says=name)
                self.assertFalse(os.path.exists(self.path("converted", "config.json")))


class Tools(Case):
    def test_init(self):
        again = self.path("again")
        done = self.must("init", "--tokenizer", self.tokenizer, "--width", 16, "--layers", 2, "--heads", 2,
                         "--kv-heads", 1, "--hidden", 24, "--max-positions", 256, "--initializer-range", 0.1,
                         "--out", again)
        self.assertEqual(done.stdout, again + "\n")
        for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
            with open(self.path("model", name), "rb") as a, open(os.path.join(again, name), "rb") as b:
                self.assertEqual(a.read(), b.read(), name)
        found = json.loads(self.must("inspect", "--model", again, "--json").stdout)
        self.assertEqual((found["width"], found["layers"], found["heads"], found["kv_heads"], found["tied"]),
                         (16, 2, 2, 1, True))
        self.bad("init", "--tokenizer", self.tokenizer, "--width", 15, "--heads", 2, "--out", self.path("odd"))
        self.bad("init", "--tokenizer", self.tokenizer, "--layers", -1, "--out", self.path("odd"))

    def test_merge(self):
        self.train("adapter", "--steps", 5, "--lora-targets", "all-linear")
        adapter, merged = self.path("adapter", "final"), self.path("merged")
        done = self.must("merge", "--model", self.model, "--adapter", adapter, "--out", merged)
        self.assertEqual(done.stdout, merged + "\n")
        rows = []
        for more in (["--model", self.model, "--adapter", adapter], ["--model", merged], ["--model", self.model]):
            lines = self.must("score", "--data", self.data, "--method", "dpo", "--json", *more).stdout.splitlines()
            rows.append([json.loads(line)["policy"] for line in lines])
        self.assertNotEqual(rows[0], rows[2])
        for one, two in zip(*rows[:2]):
            self.assertEqual(one.keys(), two.keys())
            for key in one:
                self.assertAlmostEqual(one[key], two[key], delta=1e-4)
        self.bad("merge", "--model", self.model, "--out", merged, code=2, says="--adapter")
        self.bad("merge", "--model", self.model, "--adapter", self.model, "--out", self.path("no"),
                 says="adapter_config.json")
        self.assertFalse(os.path.exists(self.path("no")))
        self.bad("merge", "--model", self.model, "--adapter", adapter, "--out", merged, "--file-dtype", "q3", code=2,
                 says="q3")

    def test_tokenize(self):
        text = self.must("tokenize", "--model", self.model, "--json", "--text", "sort é 7").stdout
        ids = json.loads(text)
        self.assertTrue(ids and all(isinstance(i, int) for i in ids))
        lines = self.must("tokenize", "--model", self.model, "--json", input="sort é 7\n\nsort é 7").stdout
        self.assertEqual([json.loads(line) for line in lines.splitlines()], [ids, [], ids])

    def test_devices(self):
        found = {d["name"]: d for d in json.loads(self.must("devices", "--json").stdout)}
        self.assertIn("cpu:0", found)
        self.assertIsNone(found["cpu:0"]["reason"])
        self.assertGreater(found["cpu:0"]["memory_bytes"], 0)
        self.assertIn("cpu", self.must("devices").stdout)
        self.assertIn("gradient of weights", found["cpu:0"]["choices"])
        for line in found["cpu:0"]["choices"].split("\n"):
            self.assertIn("  " + line + "\n", self.must("devices").stdout)
        self.bad("generate", "--model", self.model, "--prompt", "a", "--device", "abacus", says="abacus")

    def test_bandit(self):
        found = json.loads(self.must("bandit", "--method", "srpo", "--beta", 1, "--alpha", 0.5, "--behaviour",
                                     "0.2,0.7,0.1", "--expected", "--json").stdout)
        self.assertEqual(set(found) >= {"policy", "revision", "closed_form", "loss"}, True)
        self.assertAlmostEqual(sum(found["policy"]), 1, places=6)
        for a, b in zip(found["policy"], found["closed_form"]):
            self.assertAlmostEqual(a, b, delta=2e-3)
        for row in found["revision"]:
            self.assertAlmostEqual(sum(row), 1, places=6)
        self.bad("bandit", "--behaviour", "0.5,0.5", code=2)
        self.bad("bandit", "--preference", self.write("p.json", "[[0.5,1]]"), says="p.json")

    def test_pack(self):
        found = json.loads(self.must("inspect", "--model", self.model, "--data", self.data, "--method", "srpo",
                                     "--pack", "--json").stdout)
        self.assertEqual((found["rows"], found["sequences"]), (10, 60))
        self.assertGreater(found["tree_ratio"], 1)
        self.assertLess(found["packed_tokens"], found["naive_tokens"])

    def test_score(self):
        lines = self.must("score", "--model", self.model, "--data", self.data, "--method", "srpo",
                          "--json").stdout.splitlines()
        self.assertEqual(len(lines), 10)
        for i, line in enumerate(lines):
            row = json.loads(line)
            self.assertEqual(row["row"], i)
            for which in ("policy", "reference"):
                self.assertEqual(set(row[which]), {"w", "l", "w|l", "l|l", "w|w", "l|w"})
            self.assertEqual(row["policy"], row["reference"])
            self.assertEqual(set(row["tokens"]), {"w", "l"})
            self.assertLess(row["policy"]["w"], 0)
            self.assertTrue(math.isfinite(row["loss"]))
        row = json.loads(self.must("score", "--model", self.model, "--data", self.data, "--method", "dpo",
                                   "--json").stdout.splitlines()[0])
        self.assertEqual(set(row["policy"]), {"w", "l"})
        self.assertAlmostEqual(row["loss"], math.log(2), places=6)

    def test_generate(self):
        options = ["--model", self.model, "--prompt", "sort 1", "--max-tokens", 6]
        first = json.loads(self.must("generate", *options, "--json").stdout)
        self.assertLessEqual(len(first["tokens"]), 6)
        self.assertEqual(first, json.loads(self.must("generate", *options, "--json").stdout))
        self.assertEqual(self.must("generate", *options).stdout.rstrip("\n"), first["text"].rstrip("\n"))
        seeded = [self.must("generate", *options, "--temperature", 1, "--seed", seed, "--json").stdout
                  for seed in (1, 1, 2)]
        self.assertEqual(seeded[0], seeded[1])
        self.assertNotEqual(seeded[0], seeded[2])
        lines = self.must("generate", "--model", self.model, "--data", self.data, "--limit", 3, "--max-tokens", 4,
                          "--json").stdout.splitlines()
        self.assertEqual(len(lines), 3)

    def test_revise(self):
        found = json.loads(self.must("revise", "--model", self.model, "--prompt", "sort 1", "--max-tokens", 5, "-n", 2,
                                     "--reference", self.model, "--keep", "best", "--json").stdout)
        self.assertEqual(len(found["drafts"]), 3)
        self.assertEqual(found["kept"], min(range(3), key=lambda i: found["drafts"][i]["improvability"]))
        for draft in found["drafts"]:
            self.assertLessEqual({"text", "tokens", "logp"}, set(draft))
        first = json.loads(self.must("generate", "--model", self.model, "--prompt", "sort 1", "--max-tokens", 5,
                                     "--json").stdout)
        self.assertEqual(found["drafts"][0]["tokens"], first["tokens"])

    def test_the_likeliest_draft_is_kept(self):
        options = ["--model", self.model, "--prompt", "sort 1", "--max-tokens", 5, "-n", 4, "--temperature", 1, "--keep", "likeliest"]
        found = json.loads(self.must("revise", *options, "--json").stdout)
        logps = [draft["logp"] for draft in found["drafts"]]
        self.assertEqual(logps[found["kept"]], max(logps))
        self.assertIn(f"kept: [{found['kept']}] ", self.must("revise", *options).stdout)

    def test_full_output(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full here")
        for arguments in (["devices", "--json"], ["bandit", "--json", "--steps", 1],
                          ["tokenize", "--model", self.model, "--json", "--text", "a"],
                          ["inspect", "--model", self.model, "--json"], ["train", "--help"],
                          ["generate", "--model", self.model, "--prompt", "a", "--max-tokens", 2, "--json"]):
            with self.subTest(arguments=arguments), open("/dev/full", "wb") as full:
                done = subprocess.run([HONE, *map(str, arguments)], stdout=full, stderr=subprocess.PIPE,
                                      timeout=WAIT, check=False)
                self.assertEqual(done.returncode, 1, done.stderr)


class Train(Case):
    def test_run_folder(self):
        rows = self.train("folder", "--epochs", 2, "--save-every", 3, "--keep", 2)
        self.assertEqual([row["step"] for row in rows], list(range(1, 11)))
        for row in rows:
            for key in METRICS + ["loss/improvement", "loss/generation"]:
                self.assertIn(key, row)
                self.assertTrue(math.isfinite(row[key]), key)
        self.assertEqual(sorted(os.listdir(self.path("folder"))),
                         ["checkpoints", "config.yaml", "final", "metrics.jsonl"])
        self.assertEqual(sorted(os.listdir(self.path("folder", "checkpoints"))),
                         ["step-00000009.hone", "step-00000010.hone"])
        self.assertLessEqual({"adapter_config.json", "adapter_model.safetensors"},
                             set(os.listdir(self.path("folder", "final"))))
        self.must("generate", "--model", self.model, "--adapter", self.path("folder", "final"), "--prompt", "sort",
                  "--max-tokens", 2)
        self.bad(*self.train_arguments(self.path("folder")), says="--resume")

    def test_full_model(self):
        rows = self.train("whole", "--full", "--method", "dpo", "--steps", 2)
        self.assertAlmostEqual(rows[0]["loss"], math.log(2), places=5)
        self.assertNotIn("loss/improvement", rows[0])
        self.assertLessEqual({"config.json", "model.safetensors", "tokenizer.json"},
                             set(os.listdir(self.path("whole", "final"))))
        self.must("generate", "--model", self.path("whole", "final"), "--prompt", "sort", "--max-tokens", 2)

    def test_each_method(self):
        for method in ("srpo", "dpo", "ipo", "rpo", "simpo"):
            with self.subTest(method=method):
                self.assertEqual(len(self.train("m-" + method, "--method", method, "--steps", 3)), 3)
        data = self.write("texts.jsonl", '{"prompt":"sort","completion":" a b"}\n' * 3)
        rows = self.train("m-sft", "--method", "sft", "--steps", 3, data=data)
        self.assertNotIn("rewards/margins", rows[0])

    def test_summary(self):
        done = self.must(*self.train_arguments(self.path("summary"), "--steps", 2, "--json"))
        found = json.loads(done.stdout)
        self.assertEqual((found["steps"], found["pairs"], found["final"]), (2, 4, self.path("summary", "final")))
        self.assertEqual(done.stderr, "")
        arguments = [a for a in self.train_arguments(self.path("told"), "--steps", 2) if a != "--quiet"]
        done = self.must(*arguments)
        self.assertEqual(done.stdout, self.path("told", "final") + "\n")
        for word in ("step 2/2", "loss", "margin", "accuracy", "pairs/s", "tokens/s", "left"):
            self.assertIn(word, done.stderr)

    def test_plan(self):
        arguments = self.train_arguments(self.path("planned"), "--plan")
        found = json.loads(self.must(*arguments, "--json").stdout)
        for phase in ("opening", "reference", "steps", "saving"):
            self.assertEqual(sum(line[phase] for line in found["lines"]), found["sum"][phase])
        self.assertEqual(found["peak_bytes"], found["sum"][found["phase"]])
        names = [line["name"] for line in found["lines"]]
        self.assertLessEqual({"program and libraries", "weights in the mapped file", "adapter", "gradients", "moments",
                              "activations"}, set(names))
        text = self.must(*arguments).stdout
        for word in names + ["sum", "peak"]:
            self.assertIn(word, text)
        self.assertFalse(os.path.exists(self.path("planned")))
        self.assertEqual((found["recomputed_layers"], found["layers"]), (0, 2))
        self.bad(*self.train_arguments(self.path("planned"), "--memory-limit", "1M"), says=["1.0 MB", "--base-dtype"])
        self.bad(*self.train_arguments(self.path("planned"), "--memory-limit", "1x"), code=2, says="--memory-limit")

    def test_dtypes(self):
        def weights(*more):
            done = self.must(*self.train_arguments(self.path("none"), *more, "--plan", "--json"))
            return sum(line["steps"] for line in json.loads(done.stdout)["lines"] if line["name"].startswith("weights"))

        full, half, byte = weights(), weights("--base-dtype", "bf16"), weights("--base-dtype", "q8")
        self.assertLess(half, 0.6 * full)
        self.assertLess(byte, 0.4 * full)
        for more in (["--dtype", "bf16"], ["--base-dtype", "q8"], ["--dtype", "bf16", "--base-dtype", "q8"]):
            out = self.path("-".join(["as", *more]))
            self.must(*self.train_arguments(out, *more, "--eval-data", self.data, "--eval-every", 1))
            self.assertTrue(os.path.exists(os.path.join(out, "final", "adapter_config.json")))
            with open(os.path.join(out, "metrics.jsonl"), encoding="utf-8") as lines:
                self.assertAlmostEqual(json.loads(next(lines))["loss"], 0.5 * 0.5 + 0.5, delta=0.3)
        self.bad(*self.train_arguments(self.path("none"), "--dtype", "fp8"), code=2, says=["--dtype", "fp8", "bf16"])
        self.bad(*self.train_arguments(self.path("none"), "--base-dtype", "q4"), code=2, says=["--base-dtype", "q4"])
        self.bad(*self.train_arguments(self.path("none"), "--base-dtype", "q8", "--full"), code=2, says="--full")
        self.bad("generate", "--model", self.model, "--prompt", "a", "--weights", "q3", code=2, says=["--weights", "q3"])
        self.bad("generate", "--model", self.model, "--prompt", "a", "--dtype", "fp8", code=2, says=["--dtype", "fp8"])
        self.assertFalse(os.path.exists(self.path("none")))

    def test_memory_limit(self):
        row = {"prompt": "sort " * 60, "chosen": " a b", "rejected": " b a"}
        data = self.write("long.jsonl", (json.dumps(row) + "\n") * 12)
        more = ["--pack", "sequences", "--pack-tokens", 16384, "--batch-pairs", 12, "--steps", 2, "--lora-dropout", 0.1]

        def plan(*limit):
            done = self.must(*self.train_arguments(self.path("none"), *more, "--plan", "--json", *limit, data=data))
            found = json.loads(done.stdout)
            return found, {line["name"]: line["steps"] for line in found["lines"]}["activations"]

        free, most = plan()
        limit = int(free["peak_bytes"] - most / 3)
        tight, least = plan("--memory-limit", limit)
        self.assertGreater(most, 8e6)
        self.assertEqual((free["recomputed_layers"], tight["recomputed_layers"]), (0, 1))
        self.assertLess(least, 0.7 * most)
        self.assertLessEqual(tight["peak_bytes"], limit)
        done = hone(*self.train_arguments(self.path("none"), *more, "--plan", "--memory-limit",
                                          int(free["peak_bytes"] - most), data=data))
        self.assertEqual(done.returncode, 1)
        self.assertIn("2 of 2 layers recomputed; limit ", done.stdout)
        self.assertIn("--memory-limit is ", done.stderr)
        self.must(*self.train_arguments(self.path("free"), *more, data=data))
        self.must(*self.train_arguments(self.path("tight"), *more, "--memory-limit", limit, data=data))
        weights = []
        for name in ("free", "tight"):
            with open(self.path(name, "final", "adapter_model.safetensors"), "rb") as file:
                weights.append(file.read())
        self.assertEqual(*weights)

    def test_layouts_agree(self):
        for weights in ((), ("--full",)):
            losses = {}
            for pack in ("trie", "sequences", "naive"):
                name = "pack-" + pack + "-".join(weights)
                losses[pack] = [row["loss"] for row in self.train(name, "--pack", pack, "--steps", 6, *weights)]
            for pack in ("sequences", "naive"):
                for a, b in zip(losses["trie"], losses[pack]):
                    self.assertLess(abs(a - b), 1e-4 * max(1, abs(a)), pack)

    def test_configuration(self):
        config = self.write("config.yaml", f"model: {self.model}\ndata: {self.data}\nmethod: ipo\nlr: 0.003\n"
                                           "steps: 4\nbatch-pairs: 2\nfull: true\nsave-every: 1\n")
        out = self.path("configured")
        self.must("train", "--config", config, "--out", out, "--steps", 3, "--quiet")
        rows = self.metrics(out)
        self.assertEqual(len(rows), 3)
        with open(os.path.join(out, "config.yaml"), encoding="utf-8") as file:
            saved = file.read()
        for line in ("method: ipo", "steps: 3", "full: true", "lr: 0.003"):
            self.assertIn(line, saved.replace('"', "").replace("'", ""))
        again = self.path("configured-again")
        self.must("train", "--config", os.path.join(out, "config.yaml"), "--out", again, "--quiet")
        self.assertEqual([row["loss"] for row in self.metrics(again)], [row["loss"] for row in rows])

    def test_wrong_configuration(self):
        for text, line in (("lr: fast\n", 1), ("lr: 1\nsteps: [1]\n", 2), ("lr: 1\n\nspeed: 9\n", 3),
                           ("lr: 1\n  bad: : :\n", 1), ("lr: 1\nlora-targets: {a: b}\n", 2), ("lr: \"1\n", 2), ("- a\n", 1)):
            with self.subTest(text=text):
                config = self.write("wrong.yaml", text)
                done = hone(*self.train_arguments(self.path("never"), "--config", config))
                self.assertIn(done.returncode, (1, 2))
                self.assertIn(f"wrong.yaml:{line}", done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)

    def test_resume_changes_nothing(self):
        options = ["--lora-dropout", 0.1, "--accumulate", 2, "--save-every", 2]
        whole = self.train("unbroken", "--steps", 6, *options)
        self.train("broken", "--steps", 6, *options)
        os.remove(self.path("broken", "checkpoints", "step-00000006.hone"))
        shutil.rmtree(self.path("broken", "final"))
        self.must("train", "--out", self.path("broken"), "--resume", "--quiet")
        self.assertEqual([row["loss"] for row in self.metrics(self.path("broken"))], [row["loss"] for row in whole])
        name = os.path.join("final", "adapter_model.safetensors")
        with open(self.path("unbroken", name), "rb") as a, open(self.path("broken", name), "rb") as b:
            self.assertEqual(a.read(), b.read())

    def stop(self, number, code):
        out = self.path(f"stopped-{code}")
        arguments = self.train_arguments(out, "--steps", 1000000, "--schedule", "constant")
        with subprocess.Popen([HONE, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as run:
            began = time.monotonic()
            while time.monotonic() - began < WAIT and run.poll() is None:
                if os.path.exists(os.path.join(out, "metrics.jsonl")) and len(self.metrics_so_far(out)) >= 3:
                    break
                time.sleep(0.01)
            run.send_signal(number)
            stdout, stderr = run.communicate(timeout=WAIT)
        self.assertEqual(run.returncode, code, stderr)
        self.assertEqual(stdout, "")
        self.assertRegex(stderr, r"\Ahone: stopped after step \d+ of 1000000; saved \S+; go on with --resume\n\Z")
        steps = len(self.metrics(out))
        self.assertEqual(os.listdir(os.path.join(out, "checkpoints")), [f"step-{steps:08}.hone"])
        self.assertFalse(os.path.exists(os.path.join(out, "final")))
        self.must("train", "--out", out, "--resume", "--steps", steps + 3, "--quiet")
        self.assertEqual([row["step"] for row in self.metrics(out)], list(range(1, steps + 4)))
        self.assertTrue(os.path.exists(os.path.join(out, "final", "adapter_model.safetensors")))

    @staticmethod
    def metrics_so_far(out):
        with open(os.path.join(out, "metrics.jsonl"), encoding="utf-8") as file:
            return file.read().splitlines()

    def test_interrupt(self):
        self.stop(signal.SIGINT, 130)

    def test_termination(self):
        self.stop(signal.SIGTERM, 143)


if __name__ == "__main__":
    HONE = os.path.abspath(sys.argv.pop(1))
    unittest.main()
