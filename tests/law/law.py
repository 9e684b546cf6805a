#!/usr/bin/env python3
"""The law of the house: which file may see which. `law.py [ROOT]` prints a line a breach and exits 1 when there is one.

The arrows between the folders of lib/ run one way (a folder may include itself and what is listed):
core <- tensor <- dispatch <- graph <- model; core <- text, pack, loss <- model (a model knows packs, and converts
vocabularies); tensor <- checkpoint; all of these <- train, sample <- eval.
"""
import re
import sys
from pathlib import Path

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
BELOW["eval"] = set(BELOW) | {"train", "sample"}

TOP = {"lib", "backends", "include", "tools", "tests", "cmake", "CMakeLists.txt", "CMakePresets.json", "README.md",
       "LICENSE", "CONTRIBUTING.md", "CHANGELOG.md", "build"}
VENDOR = re.compile(r"^(cblas|openblas|oneapi/|dnnl|CL/|clblast|cuda|cublas|nvrtc|mpi\.h|nccl)")
BACKEND_NAME = re.compile(r"\b(hone_builtin_(cpu|opencl|cuda)|hn_(cpu|opencl|cuda)_\w+|opencl|cuda|clblast|openblas|onednn)\b|\"cpu\"",
                          re.IGNORECASE)
FORBIDDEN = re.compile(r"(?<![\w.>])(abort|exit|_exit|assert|printf|puts|putchar|perror)\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def sources(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in (".c", ".h", ".cl", ".cu")) if folder.is_dir() else []


def includes(path):
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(2)


def code_lines(path):
    """Lines without comments and string contents are not needed: comments alone are blanked."""
    text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group(0)), path.read_text(errors="replace"), flags=re.S)
    for number, line in enumerate(text.splitlines(), 1):
        yield number, re.sub(r"//.*", "", line)


def breaches(root):
    def breach(path, number, rule, what):
        return f"{path.relative_to(root)}:{number}: {rule}: {what}"

    for entry in sorted(root.iterdir()):
        if entry.name not in TOP and not entry.name.startswith("."):
            yield f"{entry.name}:1: top-level: not one of the entries that the house has"

    for path in sources(root / "tools"):
        conformance = (root / "tools" / "conformance") in path.parents
        for number, name in includes(path):
            if name == "hone/backend.h" and not conformance:
                yield breach(path, number, "tools-public", "tools do not see backend.h")
            if name.split("/")[0] in BELOW and (root / "lib" / name).exists():
                yield breach(path, number, "tools-public", f"tools see public headers only, not lib's {name}")

    backends = {p.name for p in (root / "backends").iterdir() if p.is_dir()} if (root / "backends").is_dir() else set()
    for path in sources(root / "backends"):
        own = path.relative_to(root / "backends").parts[0]
        for number, name in includes(path):
            if name.startswith("hone/") and name != "hone/backend.h":
                yield breach(path, number, "backend-only", f"a backend sees hone/backend.h alone, not {name}")
            if (root / "lib" / name).exists() and not (root / "backends" / own / name).exists() and \
                    name.split("/")[0] in BELOW and not (path.parent / name).exists():
                yield breach(path, number, "backend-only", f"a backend sees hone/backend.h alone, not lib's {name}")
            if name.split("/")[0] in backends - {own}:
                yield breach(path, number, "backend-other", f"a backend sees no other backend: {name}")

    for folder in ("lib", "include", "tools"):
        for path in sources(root / folder):
            for number, name in includes(path):
                if VENDOR.match(name):
                    yield breach(path, number, "vendor", f"vendor headers live under backends/ alone: {name}")

    for folder in ("lib", "include"):
        for path in sources(root / folder):
            for number, line in code_lines(path):
                match = BACKEND_NAME.search(line)
                if match:
                    yield breach(path, number, "names-backend", f"nothing in {folder}/ names a backend: {match.group(0)}")

    for path in sources(root / "lib"):
        parts = path.relative_to(root / "lib").parts
        layer = parts[0]
        if layer not in BELOW:
            yield breach(path, 1, "layers", f"lib/{layer} is not a layer of the house")
            continue
        for number, name in includes(path):
            other = name.split("/")[0]
            if other in BELOW and other != layer and other not in BELOW[layer] and (root / "lib" / name).exists():
                yield breach(path, number, "layers", f"{layer} does not see {other}: {name}")

    for path in sources(root / "include"):
        for number, name in includes(path):
            if name.split("/")[0] in BELOW and (root / "lib" / name).exists():
                yield breach(path, number, "public-headers", f"a public header sees public headers only, not {name}")

    for folder in ("lib", "backends"):
        for path in sources(root / folder):
            for number, line in code_lines(path):
                match = FORBIDDEN.search(line)
                if match:
                    yield breach(path, number, "no-exit", f"no {match.group(1)} in {folder}/")

    yield from one_operation(root, breach)


def families(root):
    """Operation names of backend.h, backward forms and twins folded: rms_norm and rms_norm_backward are one family."""
    header = root / "include" / "hone" / "backend.h"
    names = re.findall(r"^\s*HONE_OP_([A-Z0-9_]+)\b", header.read_text(), flags=re.M) if header.exists() else []
    return {n.lower() for n in names if n != "COUNT"}


TWINS = {"gather_rows": "rows", "scatter_rows": "rows"}


def one_operation(root, breach):
    """backends/X/operations/F.c defines hn_X_<operation> functions of its own family alone; gathering and scattering rows are one."""
    operations = families(root)
    for folder in sorted((root / "backends").glob("*/operations")) if (root / "backends").is_dir() else []:
        backend = folder.parent.name
        for path in sorted(folder.glob("*.c")):
            for number, line in code_lines(path):
                match = re.match(rf"^hone_status\s+hn_{backend}_(\w+)\(hone_backend_device", line)
                if not match or match.group(1) not in operations:
                    continue
                family = re.sub(r"_backward$", "", match.group(1))
                if TWINS.get(family, family) != path.stem:
                    yield breach(path, number, "one-operation", f"{match.group(1)} belongs into {TWINS.get(family, family)}.c")


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = list(breaches(root))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
