#!/usr/bin/env python3
"""TensorBoard's own reader sees in RUN/tensorboard what metrics.jsonl and eval.jsonl say: test_tensorboard.py HONE [unittest arguments].

The reader is the installed package, or PyPI's, kept in $HONE_CACHE (or $XDG_CACHE_HOME/hone, or ~/.cache/hone). Exit status 77: neither can be
had here. tests/cli/test_seeing.py reads the same files without it.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

import test_cli
from event_file import single
from test_cli import Case

PACKAGES = ["tensorboard==2.21.0", "protobuf>=6.31.1,<8", "numpy", "absl-py", "packaging"]  # all that reading scalars takes


def skip(reason):
    print(f"TensorBoard's reader: {reason}")
    sys.exit(77)


def reader():
    """The package's class; None where it is not installed."""
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    except ImportError:
        return None
    return EventAccumulator


def fetched():
    """A folder with the packages, made at the first call."""
    cache = os.environ.get("HONE_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "hone")
    name = f"{PACKAGES[0].replace('==', '-')}-python{sys.version_info.major}.{sys.version_info.minor}"
    folder = os.path.join(cache, name)
    if os.path.isdir(folder):
        return folder
    os.makedirs(cache, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:",
                               "--no-compile", "--retries", "2", "--timeout", "20", "--target", os.path.join(scratch, "new"), *PACKAGES],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            skip("neither installed nor to be had from PyPI: " + (done.stdout.strip().splitlines() or ["pip failed"])[-1])
        try:
            os.rename(os.path.join(scratch, "new"), folder)
        except OSError:
            if not os.path.isdir(folder):  # else another test was faster
                raise
    return folder


class TensorBoard(Case):
    def agree(self, run):
        """Every number of both files, and no curve besides."""
        events = reader()(self.path(run, "tensorboard"), size_guidance={"scalars": 0}).Reload()
        expected = {}
        for file, group in (("metrics.jsonl", "train/"), ("eval.jsonl", "eval/")):
            with open(self.path(run, file), encoding="utf-8") as lines:
                for row in map(json.loads, lines):
                    for key, value in row.items():
                        if group == "train/" and key != "step":
                            expected.setdefault(group + key, []).append((row["step"], single(value)))
                        elif group == "eval/" and key.startswith("eval_"):
                            expected.setdefault(group + key[5:], []).append((row["step"], single(value)))
        self.assertIn("eval/loss", expected)
        found = {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
        self.assertEqual(found, expected)

    def test_a_run_that_was_stopped_and_resumed(self):
        self.train("run", "--steps", 3, "--schedule", "constant", "--tensorboard", "--eval-data", self.data, "--eval-every", 2)
        self.agree("run")
        self.must("train", "--out", self.path("run"), "--resume", "--steps", 6, "--quiet")
        self.agree("run")

    def test_steps_past_the_checkpoint_are_dropped(self):
        self.train("again", "--steps", 4, "--schedule", "constant", "--tensorboard", "--save-every", 2, "--keep", 9, "--eval-data", self.data,
                   "--eval-every", 2)
        checkpoints = self.path("again", "checkpoints")
        os.remove(os.path.join(checkpoints, max(os.listdir(checkpoints))))  # as if it had died before step 4 was saved
        self.must("train", "--out", self.path("again"), "--resume", "--steps", 5, "--quiet")
        self.agree("again")


if __name__ == "__main__":
    test_cli.HONE = os.path.abspath(sys.argv[1])
    if reader() is None:
        sys.path.insert(0, fetched())
    if reader() is None:
        skip("installed, but can't be imported")
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
