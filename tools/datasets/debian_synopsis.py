"""Rows of the Debian synopsis data set: debian_synopsis.py DIR TRANSLATION PACKAGES (see debian_synopsis.sh)."""
import hashlib
import json
import sys

OUT_OF_DISTRIBUTION = {"games", "science", "sound", "graphics", "education"}
LEAST, MOST = 120, 900  # characters of a long description
TEST, VALID = 512, 512  # rows


def paragraphs(path):
    """Deb822: fields of a paragraph, continuation lines joined with newlines."""
    fields, key = {}, None
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if not line:
                if fields:
                    yield fields
                fields, key = {}, None
            elif line[0] in " \t":
                if key:
                    fields[key] += "\n" + line[1:]
            else:
                key, _, value = line.partition(":")
                fields[key] = value.strip()
    if fields:
        yield fields


def long_text(description):
    """The description without its first line; a lone dot is an empty line."""
    lines = description.split("\n")[1:]
    return "\n".join("" if line.strip() == "." else line.rstrip() for line in lines).strip()


def main():
    folder, translation, packages = sys.argv[1:4]
    # The lists are streams: each is read to its end, whatever is used of it.
    texts = {}
    for fields in paragraphs(translation):
        description = fields.get("Description-en")
        if description and "Package" in fields:
            texts.setdefault(fields["Package"], description)
    sections = {f["Package"]: f.get("Section", "").split("/")[-1] for f in paragraphs(packages) if "Package" in f}

    seen, rows, outside = set(), [], []
    for package in sorted(texts):
        synopsis, text = texts[package].split("\n")[0].strip(), long_text(texts[package])
        # Packages built from one source share their text: one of them is enough.
        if not LEAST <= len(text) <= MOST or not synopsis or text in seen or synopsis in seen:
            continue
        seen.update((text, synopsis))
        row = {"prompt": f"Write a one-line synopsis of this software package.\n\n{text}", "completion": synopsis,
               "package": package, "section": sections.get(package, "")}
        (outside if row["section"] in OUT_OF_DISTRIBUTION else rows).append(row)
    # An order that depends on the names alone: a new package does not move the others between the files.
    rows.sort(key=lambda row: hashlib.sha256(row["package"].encode()).hexdigest())
    outside.sort(key=lambda row: hashlib.sha256(row["package"].encode()).hexdigest())
    files = {"test": rows[:TEST], "valid": rows[TEST:TEST + VALID], "train": rows[TEST + VALID:], "ood": outside[:TEST]}
    for name, part in files.items():
        with open(f"{folder}/{name}.jsonl", "w", encoding="utf-8") as out:
            for row in part:
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
        print(f"{folder}/{name}.jsonl: {len(part)} rows", file=sys.stderr)


if __name__ == "__main__":
    main()
