#!/usr/bin/env python3
"""The tree is lawful, and a breach of every rule is caught where it was planted."""
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
import law  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]

# rule, file, line to append
PLANTED = [
    ("tools-public", "tools/hone/main.c", "#include <hone/backend.h>"),
    ("tools-public", "tools/hone/main.c", "#include <core/memory.h>"),
    ("tools-public", "tools/hone/main.c", '#include "../../lib/core/memory.h"'),
    ("tools-public", "tools/hone/main.c", '#include "../../backends/cpu/device.h"'),
    ("tools-public", "tools/conformance/main.c", "#include <core/memory.h>"),
    ("backend-only", "backends/cpu/device.c", "#include <hone/device.h>"),
    ("backend-only", "backends/cpu/device.c", "#include <core/memory.h>"),
    ("backend-only", "backends/cpu/operations/add.c", '#include "../../../lib/core/memory.h"'),
    ("backend-other", "backends/cpu/device.c", '#include "other/other.h"'),
    ("backend-other", "backends/cpu/device.c", '#include "../other/other.h"'),
    ("vendor", "lib/core/hash.c", "#include <cblas.h>"),
    ("vendor", "lib/core/hash.c", "#  include <oneapi/dnnl/dnnl.h>"),
    ("vendor", "lib/train/step.c", "#include <mpi.h>"),
    ("vendor", "lib/train/step.c", "#include <nccl.h>"),
    ("vendor", "include/hone/device.h", "#include <cuda.h>"),
    ("vendor", "tools/hone/main.c", "#include <CL/cl.h>"),
    ("vendor", "tools/hone/main.c", "#include <cublasLt.h>"),
    ("names-backend", "lib/dispatch/open.c", 'static const char *const name = "cpu";'),
    ("names-backend", "lib/dispatch/open.c", 'static const char *const name = "cpu:0";'),
    ("names-backend", "lib/dispatch/open.c", "extern const hone_backend_manifest hone_builtin_cpu;"),
    ("names-backend", "lib/train/step.c", 'static const char *const name = "OpenCL";'),
    ("names-backend", "include/hone/device.h", "int hn_cuda_count(void);"),
    ("layers", "lib/core/hash.c", "#include <tensor/tensor.h>"),
    ("layers", "lib/core/hash.c", '#include "../tensor/tensor.h"'),
    ("layers", "lib/tensor/tensor.c", "#include <dispatch/dispatch.h>"),
    ("layers", "lib/dispatch/open.c", "#include <graph/graph.h>"),
    ("layers", "lib/graph/plan.c", "#include <model/model.h>"),
    ("layers", "lib/loss/srpo.c", "#include <model/model.h>"),
    ("layers", "lib/pack/build.c", "#include <text/template.h>"),
    ("layers", "lib/text/encode.c", "#include <tensor/tensor.h>"),
    ("layers", "lib/checkpoint/writer.c", "#include <graph/graph.h>"),
    ("layers", "lib/train/step.c", "#include <sample/choose.h>"),
    ("layers", "lib/sample/choose.c", "#include <train/batch.h>"),
    ("layers", "lib/core/hash.c", '#include "../../backends/cpu/device.h"'),
    ("layers", "lib/extra/first.c", "int first;"),
    ("public-headers", "include/hone/loss.h", "#include <core/status.h>"),
    ("public-headers", "include/hone/loss.h", "#include <jansson.h>"),
    ("no-exit", "lib/core/hash.c", "static void planted(void) { abort(); }"),
    ("no-exit", "lib/core/hash.c", "static void planted(int x) { assert(x); }"),
    ("no-exit", "lib/core/hash.c", "static void planted(void) { exit (1); }"),
    ("no-exit", "lib/core/hash.c", 'static void planted(void) { fputs("//", stderr); }'),
    ("no-exit", "backends/cpu/device.c", 'static void planted(void) { printf("x"); }'),
    ("one-operation", "backends/cpu/operations/add.c",
     "hone_status hn_cpu_fill(hone_backend_device *device, const hone_call *call) {"),
    ("one-operation", "backends/cpu/operations/linear_backward.c",
     "hone_status hn_cpu_linear_backward(hone_backend_device *device, const hone_call *call) {"),
    ("one-operation", "backends/cpu/device.c",
     "hone_status hn_cpu_fill(hone_backend_device *device, const hone_call *call) {"),
    ("no-native", "backends/cpu/CMakeLists.txt", "add_compile_options(-march=native)"),
    ("top-level", "notes/todo.txt", "x"),
]

# What looks like a breach and is none.
LAWFUL = [
    ("lib/core/hash.c", "/* abort() is what cuda would do on a cpu, to stderr */"),
    ("lib/core/hash.c", '_Static_assert(sizeof(int) == 4, "size");'),
    ("lib/train/step.c", "#include <loss/method.h>"),
    ("tools/conformance/main.c", "#include <hone/backend.h>"),
    ("include/hone/loss.h", "#include <hone/pack.h>"),
    ("backends/cpu/operations/linear.c", "hone_status hn_cpu_fill(hone_backend_device *device, const hone_call *call);"),
]


class Law(unittest.TestCase):
    def with_line(self, copy, name, line):
        """The breaches of the tree with one more line, and that line's number."""
        path = copy / name
        before = path.read_text() if path.exists() else None
        made = not path.parent.exists()
        path.parent.mkdir(exist_ok=True)
        text = ((before.rstrip("\n") + "\n") if before is not None else "") + line + "\n"
        path.write_text(text)
        found = list(law.breaches(copy))
        if made:
            shutil.rmtree(path.parent)
        elif before is None:
            path.unlink()
        else:
            path.write_text(before)
        return found, text.count("\n")

    def copy(self, folder):
        copy = Path(folder).resolve() / "tree"
        copy.mkdir()
        for name in ("lib", "backends", "include", "tools"):
            shutil.copytree(ROOT / name, copy / name)
        (copy / "backends" / "other").mkdir()
        (copy / "backends" / "other" / "other.h").write_text("")
        return copy

    def test_the_tree_is_lawful(self):
        self.assertEqual(list(law.breaches(ROOT)), [])

    def test_a_breach_is_planted_for_every_rule(self):
        self.assertEqual({rule for rule, _, _ in PLANTED}, set(law.RULES))

    def test_every_planted_breach_is_caught(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = self.copy(folder)
            for rule, name, line in PLANTED:
                with self.subTest(rule=rule, file=name, line=line):
                    found, number = self.with_line(copy, name, line)
                    where = f"{name.split('/')[0]}:1" if rule == "top-level" else f"{name}:{number}"
                    self.assertTrue([line for line in found if line.startswith(f"{where}: {rule}: ")], found)
            self.assertEqual(list(law.breaches(copy)), [])

    def test_an_operation_without_a_file_is_caught(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = self.copy(folder)
            (copy / "backends/cpu/operations/swiglu.c").unlink()
            found = list(law.breaches(copy))
            self.assertEqual(len(found), 2)  # forward and backward
            self.assertTrue(all(": one-operation: " in line for line in found), found)

    def test_what_is_lawful_passes(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = self.copy(folder)
            for name, line in LAWFUL:
                with self.subTest(file=name, line=line):
                    self.assertEqual(self.with_line(copy, name, line)[0], [])

    def test_the_script_says_so(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = self.copy(folder)
            script = [sys.executable, Path(law.__file__), copy]
            self.assertEqual(subprocess.run(script, check=False).returncode, 0)
            (copy / "notes.txt").write_text("")
            result = subprocess.run(script, capture_output=True, text=True, check=False)
            self.assertEqual(result.returncode, 1)
            self.assertEqual(result.stdout, "notes.txt:1: top-level: not one of the entries that the house has\n")


if __name__ == "__main__":
    unittest.main()
