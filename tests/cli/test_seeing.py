#!/usr/bin/env python3
"""What people look at: event files, data facts, reports. test_seeing.py HONE [unittest arguments]."""

import os
import struct
import sys
import time
import unittest

import test_cli
from event_file import events
from test_cli import Case


def single(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


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

    def test_not_unless_asked(self):
        self.train("silent", "--steps", 1)
        self.assertFalse(os.path.exists(self.path("silent", "tensorboard")))


if __name__ == "__main__":
    test_cli.HONE = os.path.abspath(sys.argv.pop(1))
    unittest.main()
