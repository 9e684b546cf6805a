#!/usr/bin/env python3
"""check_tensorboard.py RUN: TensorBoard's own reader sees in RUN/tensorboard what RUN/metrics.jsonl says.
Needs `pip install tensorboard`; the test suite reads the files with tests/cli/event_file.py instead."""

import json
import pathlib
import sys

import numpy
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

run = pathlib.Path(sys.argv[1])
rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
reader = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0}).Reload()
keys = sorted(key for key in rows[0] if key != "step")
assert sorted(reader.Tags()["scalars"]) == [f"train/{key}" for key in keys], reader.Tags()
for key in keys:
    found = reader.Scalars(f"train/{key}")
    assert [event.step for event in found] == [row["step"] for row in rows], (key, [e.step for e in found])
    assert [numpy.float32(event.value) for event in found] == [numpy.float32(row[key]) for row in rows], key
print(f"tensorboard read {len(keys)} scalars, {len(rows)} steps: equal to metrics.jsonl")
