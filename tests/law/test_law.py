#!/usr/bin/env python3
"""The tree is lawful, and a breach of every rule is caught where it was planted."""
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAW = Path(__file__).resolve().parent / "law.py"

# rule, file, line to append
PLANTED = [
    ("tools-public", "tools/hone/main.c", "#include <hone/backend.h>"),
    ("tools-public", "tools/hone/main.c", "#include <core/memory.h>"),
    ("backend-only", "backends/cpu/device.c", "#include <hone/device.h>"),
    ("backend-only", "backends/cpu/device.c", "#include <core/memory.h>"),
    ("backend-other", "backends/cpu/device.c", '#include "other/other.h"'),
    ("vendor", "lib/core/hash.c", "#include <cblas.h>"),
    ("vendor", "tools/hone/main.c", "#include <CL/cl.h>"),
    ("names-backend", "lib/dispatch/open.c", 'static const char *const name = "cpu";'),
    ("names-backend", "include/hone/device.h", "int hn_cuda_count(void);"),
    ("layers", "lib/core/hash.c", "#include <tensor/tensor.h>"),
    ("layers", "lib/loss/srpo.c", "#include <model/model.h>"),
    ("layers", "lib/train/step.c", "#include <sample/secret.h>"),
    ("public-headers", "include/hone/loss.h", "#include <core/status.h>"),
    ("no-exit", "lib/core/hash.c", "static void planted(void) { abort(); }"),
    ("no-exit", "backends/cpu/device.c", 'static void planted(void) { printf("x"); }'),
    ("one-operation", "backends/cpu/operations/add.c",
     "hone_status hn_cpu_fill(hone_backend_device *device, const hone_call *call) { return 0; }"),
    ("top-level", "notes/todo.txt", "x"),
]


def law(root):
    result = subprocess.run([sys.executable, LAW, root], capture_output=True, text=True, check=False)
    return result.returncode, result.stdout


class Law(unittest.TestCase):
    def test_the_tree_is_lawful(self):
        code, out = law(ROOT)
        self.assertEqual((code, out), (0, ""))

    def test_every_planted_breach_is_caught(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "tree"
            copy.mkdir()
            for name in ("lib", "backends", "include", "tools"):
                shutil.copytree(ROOT / name, copy / name)
            (copy / "backends" / "other").mkdir()
            (copy / "lib" / "sample").mkdir(exist_ok=True)
            (copy / "lib" / "sample" / "secret.h").write_text("")
            for rule, name, line in PLANTED:
                with self.subTest(rule=rule, file=name, line=line):
                    path = copy / name
                    before = path.read_text() if path.exists() else None
                    path.parent.mkdir(exist_ok=True)
                    text = (before or "").rstrip("\n") + "\n" + line + "\n"
                    path.write_text(text)
                    code, out = law(copy)
                    number = 1 if rule == "top-level" else text.count("\n")
                    where = name.split("/")[0] if rule == "top-level" else name
                    self.assertEqual(code, 1)
                    self.assertIn(f"{where}:{number}: {rule}:", out)
                    if before is None:
                        shutil.rmtree(path.parent)
                    else:
                        path.write_text(before)
            self.assertEqual(law(copy)[0], 0)


if __name__ == "__main__":
    unittest.main()
