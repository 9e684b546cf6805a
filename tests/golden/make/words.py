"""tokenizers/: byte-level BPE tokenizers of many kinds, and what the tokenizers library does with odd texts."""
import copy
import json
import shutil

from common import FIXTURES, write_json
from odd import ODD
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

OUT = FIXTURES / "tokenizers"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
TEXTS = ODD + [
    "the quick brown fox jumps over the lazy dog; it's the cat that doesn't sleep, and they're here.\n",
    "In 1987 the 12 lakes held 3,456 litres. The answer is 42; 2024-01-31 12:30:00.\n\n    indented\n",
    "Every package has a description: a synopsis, then a longer text. The package manager installs the package.\n",
] * 4

EXTRA = ["Hello manager synopsis zqx 123 1234 Hellozqx", "a_b __c_ d_e", "<|begin_of_text|>hi<|eot_id|> x"]


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), behavior="isolated", invert=False)


def byte_level(regex=True, space=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=space, use_regex=regex)


def digits():
    return pre_tokenizers.Digits(individual_digits=True)


def special(*names):
    return [AddedToken(n, special=True, normalized=False) for n in names]


ENDS = special("<|endoftext|>", "<|im_start|>", "<|im_end|>")
ADDED = [
    AddedToken("<s>", special=True, normalized=False), AddedToken("</s>", special=True, normalized=False, rstrip=True),
    AddedToken("<unk>", special=True, normalized=False, lstrip=True),
    AddedToken("<tool>", special=False, normalized=False), AddedToken("[INST]", special=False, normalized=False, lstrip=True, rstrip=True),
    AddedToken("<extra>", special=False, normalized=True), AddedToken("<extraextra>", special=False, normalized=True),
    AddedToken("<wide>", special=False, normalized=False, lstrip=True, rstrip=True),
    AddedToken("the", special=False, normalized=True, single_word=True),
    AddedToken("  ", special=False, normalized=False), AddedToken("caf\u00e9", special=False, normalized=True),
    AddedToken("\u4f60", special=False, normalized=True), AddedToken("<|endoftext|>", special=True, normalized=False),
]
KINDS = {  # name: what it is, special tokens of training, pre-tokenizer, vocabulary, changes
    "gpt2": ("GPT-2: ByteLevel with its own pattern", special("<|endoftext|>"), byte_level(), 700, {}),
    "gpt2-space": ("GPT-2 with add_prefix_space", special("<|endoftext|>"), byte_level(space=True), 500, {}),
    "smollm": ("SmolLM2: Digits (individual), then ByteLevel", ENDS, pre_tokenizers.Sequence([digits(), byte_level()]), 600, {}),
    "digits-runs": ("Digits (runs), then ByteLevel", ENDS, pre_tokenizers.Sequence([pre_tokenizers.Digits(), byte_level()]), 500, {}),
    "llama3": ("Llama-3: Split by its pattern, ByteLevel without one; ignore_merges", special("<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"),
               pre_tokenizers.Sequence([split(LLAMA3), byte_level(False)]), 700, {"ignore_merges": True, "bos": "<|begin_of_text|>"}),
    "qwen2": ("Qwen2: NFC, Split by its pattern, ByteLevel without one", ENDS,
              pre_tokenizers.Sequence([split(QWEN2), byte_level(False)]), 600, {"normalizer": normalizers.NFC()}),
    "split-gpt2": ("GPT-2's pattern as Split (removed inverted)", ENDS,
                   pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(GPT2), "removed", invert=True), byte_level(False)]), 500, {}),
    "bare": ("ByteLevel without pattern: one word a text", special("</s>"), byte_level(False), 400, {}),
    "added": ("Added tokens, special or not: lstrip, rstrip, single_word, normalized; NFC", ADDED[:3], byte_level(), 500,
              {"normalizer": normalizers.NFC(), "added": ADDED[3:]}),
    "split-kinds": ("A Sequence: Split by a string (merged with next), Digits, ByteLevel", ENDS,
                    pre_tokenizers.Sequence([pre_tokenizers.Split("_", "merged_with_next"), digits(), byte_level()]), 450, {}),
}


def make(name):
    about, ends, pre, size, changes = KINDS[name]
    made = Tokenizer(models.BPE(unk_token=None))
    made.pre_tokenizer = pre
    made.decoder = decoders.ByteLevel()
    if "normalizer" in changes:
        made.normalizer = changes["normalizer"]
    made.train_from_iterator(TEXTS, trainers.BpeTrainer(
        vocab_size=size, special_tokens=ends, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))
    if "added" in changes:
        made.add_tokens(changes["added"])
    if "bos" in changes:
        bos = changes["bos"]
        made.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(
            single=[bos, "$A"], special_tokens=[(bos, made.token_to_id(bos))])])
    if changes.get("ignore_merges"):
        made = whole_words(made)
    return about, made


def whole_words(made):
    """ignore_merges, with words in the vocabulary that no merges lead to."""
    document = json.loads(made.to_str())
    vocabulary = document["model"]["vocab"]
    for word in ("\u0120manager", "\u0120synopsis", "Hello", "123", "zqx", "\u0120\u0120\u0120\u0120"):
        vocabulary.setdefault(word, len(vocabulary))
    document["model"]["ignore_merges"] = True
    return Tokenizer.from_str(json.dumps(document))


def cases(made):
    plain = copy.deepcopy(made)
    plain.encode_special_tokens = True
    for text in ODD + TEXTS[-3:] + EXTRA:
        ids = made.encode(text, add_special_tokens=False).ids
        row = {"text": text, "ids": ids}
        other = plain.encode(text, add_special_tokens=False).ids
        if other != ids:
            row["plain_ids"] = other
        yield {**row, "decoded": made.decode(ids, skip_special_tokens=False), "decoded_skip": made.decode(ids, skip_special_tokens=True)}


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    for name in KINDS:
        about, made = make(name)
        folder = OUT / name
        folder.mkdir(parents=True)
        made.save(str(folder / "tokenizer.json"), pretty=False)
        rows = list(cases(made))
        write_json(OUT / f"{name}.json", {"tokenizer": f"tokenizers/{name}/tokenizer.json", "about": about, "cases": rows}, ("cases",))
        print(name, made.get_vocab_size(), sum(len(r["ids"]) for r in rows), sum("plain_ids" in r for r in rows),
              sum(r["decoded"] != r["text"] for r in rows))


if __name__ == "__main__":
    main()
