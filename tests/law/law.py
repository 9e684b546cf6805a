#!/usr/bin/env python3
"""The law of the house: which file may see which. `law.py [ROOT]` prints a line a breach and exits 1 when there is one.

The arrows between the folders of lib/ run one way (a folder may include itself and what is listed):
core <- tensor <- dispatch <- graph <- model; core <- text, pack, loss <- model (a model knows packs, and converts
vocabularies); tensor <- checkpoint; all of these <- train, sample <- eval, bench.

Only direct includes are judged: what hone/backend.h itself includes, a backend sees through it. Comments are prose and
may name a backend; code and strings may not.
"""
import functools
import os
import re
import subprocess
import sys
from pathlib import Path

RULES = {
    "top-level": "the root holds what the house has and nothing else",
    "tools-public": "tools/ sees public headers alone, and hone/backend.h only in tools/conformance",
    "backend-only": "a backend sees hone/backend.h alone",
    "backend-other": "a backend sees no other backend",
    "vendor": "vendor headers live under backends/ alone",
    "names-backend": "nothing in lib/ or include/ names a backend",
    "layers": "arrows between the folders of lib/ run one way",
    "public-headers": "a public header sees public headers and the C library alone",
    "no-exit": "nothing in lib/ or backends/ ends the process or prints",
    "one-operation": "one operation, one file, forward beside backward",
    "no-native": "no -march=native: the instruction set is found at run time",
}

BELOW = {
    "core": set(),
    "tensor": {"core"},
    "dispatch": {"core", "tensor"},
    "graph": {"core", "tensor", "dispatch"},
    "text": {"core"},
    "pack": {"core"},
    "loss": {"core"},
    "model": {"core", "tensor", "dispatch", "graph", "text", "pack", "loss"},
    "checkpoint": {"core", "tensor"},
    "comm": {"core", "tensor"},
}
BELOW["train"] = BELOW["sample"] = set(BELOW)
BELOW["eval"] = BELOW["bench"] = set(BELOW) | {"train", "sample"}

TOP = {"lib", "backends", "include", "tools", "tests", "cmake", "CMakeLists.txt", "CMakePresets.json", "README.md",
       "LICENSE", "CONTRIBUTING.md", "CHANGELOG.md", "build"}
C_LIBRARY = {"assert.h", "errno.h", "float.h", "inttypes.h", "limits.h", "math.h", "stdarg.h", "stdbool.h", "stddef.h",
             "stdint.h", "stdio.h", "stdlib.h", "string.h", "time.h"}
VENDOR = re.compile(r"^(cblas|f77blas|lapacke|openblas|oneapi/|dnnl|CL/|clblast|cuda|cublas|curand|nvrtc|nvml|mpi\.h|nccl)")
BACKEND_NAME = re.compile(r"\bhone_builtin_(?!manifests\b)\w+|\bhn_(cpu|opencl|cuda)_\w+"
                          r"|\b(?i:opencl|cuda|clblast|cublas|openblas|onednn|dnnl)\b|\bcpu\b")
FORBIDDEN = re.compile(r"(?<![\w.>])(abort|exit|_exit|_Exit|quick_exit|__builtin_trap|raise|assert|v?printf|puts|putchar|"
                       r"perror|psignal|v?syslog)\s*\(|\b(stdout|stderr|STDOUT_FILENO|STDERR_FILENO)\b")
NATIVE = re.compile(r"-m(arch|tune|cpu)=native")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')

# Two operations that are each other's transpose share a file.
TWINS = {"gather_rows": "rows", "scatter_rows": "rows"}
# The backend that has every operation.
COMPLETE = "cpu"


@functools.lru_cache(None)
def without_comments(text):
    blank = lambda match: re.sub(r"[^\n]", " ", match.group(0)) if match.group(0).startswith("/") else match.group(0)
    return re.sub(r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/|//[^\n]*', blank, text, flags=re.S).splitlines()


@functools.lru_cache(None)
def includes_of(text):
    return [(number, match.group(1)) for number, line in enumerate(text.splitlines(), 1) if (match := INCLUDE.match(line))]


class Tree:
    """The files of a tree, each read once."""

    def __init__(self, root):
        self.root = root
        self.text = {}
        self.meant = {}
        for folder in ("lib", "include", "backends", "tools"):
            for path in sorted((root / folder).rglob("*")):
                if path.suffix in (".c", ".h", ".cl", ".cu") and path.is_file():
                    self.text[path.relative_to(root)] = path.read_text(errors="replace")
        self.file = {str(path): path for path in self.text}

    def sources(self, folder):
        return [path for path in self.text if path.parts[0] == folder]

    def includes(self, path):
        """(line, name, file of the tree that it means or None) of every include."""
        if path not in self.meant:
            folders = [str(path.parent), "/".join(path.parts[:2]), "include", "lib", "backends", "tools"]
            found = self.meant[path] = []
            for number, name in includes_of(self.text[path]):
                candidates = (os.path.normpath(f"{folder}/{name}") for folder in folders)
                found.append((number, name, next((self.file[file] for file in candidates if file in self.file), None)))
        return self.meant[path]

    def code(self, path):
        """(line, text without comments)."""
        yield from enumerate(without_comments(self.text[path]), 1)

    def entries(self):
        """The root's entries: git's where it is a repository, so that a stray file of one's own is no breach."""
        if (self.root / ".git").exists():
            listing = subprocess.run(["git", "-C", str(self.root), "ls-files"], capture_output=True, text=True, check=False)
            if listing.returncode == 0:
                return sorted({name.split("/")[0] for name in listing.stdout.splitlines()})
        return sorted(entry.name for entry in self.root.iterdir())


def top_level(tree):
    for name in tree.entries():
        if name not in TOP and not name.startswith("."):
            yield name, 1, "top-level", "not one of the entries that the house has"


def tools(tree):
    for path in tree.sources("tools"):
        for number, name, file in tree.includes(path):
            if name == "hone/backend.h" and path.parts[1] != "conformance":
                yield path, number, "tools-public", "tools do not see backend.h"
            if file and file.parts[0] in ("lib", "backends"):
                yield path, number, "tools-public", f"tools see public headers alone, not {file}"


def backends(tree):
    for path in tree.sources("backends"):
        own = path.parts[1]
        for number, name, file in tree.includes(path):
            if file is None or file == Path("include/hone/backend.h"):
                continue
            if file.parts[0] in ("include", "lib", "tools"):
                yield path, number, "backend-only", f"a backend sees hone/backend.h alone, not {file}"
            # backends/kernels is no backend: it holds what accelerators share.
            if file.parts[0] == "backends" and file.parts[1] not in (own, "kernels"):
                yield path, number, "backend-other", f"a backend sees no other backend: {name}"


def vendor(tree):
    for folder in ("lib", "include", "tools"):
        for path in tree.sources(folder):
            for number, name, _ in tree.includes(path):
                if VENDOR.match(name):
                    yield path, number, "vendor", f"vendor headers live under backends/ alone: {name}"


def names(tree):
    for folder in ("lib", "include"):
        for path in tree.sources(folder):
            for number, line in tree.code(path):
                match = BACKEND_NAME.search(line)
                if match:
                    yield path, number, "names-backend", f"nothing in {folder}/ names a backend: {match.group(0)}"


def layers(tree):
    for path in tree.sources("lib"):
        layer = path.parts[1]
        if layer not in BELOW:
            yield path, 1, "layers", f"lib/{layer} is not a layer of the house"
            continue
        for number, name, file in tree.includes(path):
            if file is None or file.parts[0] == "include":
                continue
            if file.parts[0] != "lib" or (file.parts[1] != layer and file.parts[1] not in BELOW[layer]):
                yield path, number, "layers", f"{layer} does not see {'/'.join(file.parts[:2])}: {name}"


def public_headers(tree):
    for path in tree.sources("include"):
        for number, name, file in tree.includes(path):
            if (file.parts[0] != "include") if file else (name not in C_LIBRARY):
                yield path, number, "public-headers", f"a public header sees public headers and the C library alone, not {name}"


def no_exit(tree):
    for folder in ("lib", "backends"):
        for path in tree.sources(folder):
            for number, line in tree.code(path):
                match = FORBIDDEN.search(line)
                if match:
                    yield path, number, "no-exit", f"no {match.group(1) or match.group(2)} in {folder}/"


def one_operation(tree):
    """hn_X_OPERATION is defined in backends/X/operations/FAMILY.c, where FAMILY has no _backward."""
    header = tree.text.get(Path("include/hone/backend.h"), "")
    operations = [name.lower() for name in re.findall(r"^\s*HONE_OP_(?!COUNT)(\w+)", header, flags=re.M)]
    defined = {}
    for path in tree.sources("backends"):
        backend = path.parts[1]
        for number, line in tree.code(path):
            match = re.match(rf"hone_status\s+hn_{backend}_(\w+)\(hone_backend_device\b.*[^;]$", line)
            if path.suffix != ".c" or not match or match.group(1) not in operations:
                continue
            family = re.sub(r"_backward$", "", match.group(1))
            home = Path("backends", backend, "operations", TWINS.get(family, family) + ".c")
            if path != home:
                yield path, number, "one-operation", f"{match.group(1)} belongs into {home}"
            defined.setdefault(backend, set()).add(match.group(1))
    for operation in operations:
        if operation not in defined.get(COMPLETE, ()):
            yield Path("include/hone/backend.h"), 1, "one-operation", f"backends/{COMPLETE} does not define {operation}"


def no_native(tree):
    makefiles = [path for folder in ("lib", "backends", "tools", "tests", "cmake") for path in (tree.root / folder).rglob("*")
                 if path.name == "CMakeLists.txt" or path.suffix == ".cmake"]
    for path in makefiles + [tree.root / "CMakeLists.txt", tree.root / "CMakePresets.json"]:
        for number, line in enumerate(path.read_text().splitlines() if path.is_file() else [], 1):
            if NATIVE.search(re.sub(r"(^|\s)#.*", "", line)):
                yield path.relative_to(tree.root), number, "no-native", "the instruction set is found at run time"


def breaches(root):
    tree = Tree(root)
    for rule in (top_level, tools, backends, vendor, names, layers, public_headers, no_exit, one_operation, no_native):
        for path, number, name, what in rule(tree):
            yield f"{path}:{number}: {name}: {what}"


def main():
    found = list(breaches(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
