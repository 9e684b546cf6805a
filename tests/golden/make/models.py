"""models/: tiny random Llama models and their log-probabilities; adapters/: PEFT adapters for two of them."""
import importlib.metadata
import json
import platform
import shutil

import torch
from common import EOS, FIXTURES, load, to_float64, token_logps, write_json
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

TEXTS = [
    "the quick brown fox jumps over the lazy dog and the cat sleeps on the mat. ",
    "What colour is the sky? The sky is blue. What colour is the sea? The sea is blue and deep. ",
    "Better: a short answer is a better answer than a long answer. The answer is in the question. ",
    "Where does the river end? The river ends in the sea, where the water is salt. ",
]
SHARED = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_act": "silu",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 256,
    "initializer_range": 0.02,
    "attention_dropout": 0.0,
    "mlp_bias": False,
    "pretraining_tp": 1,
    "use_cache": True,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
CONFIGS = {
    "tied": {
        "num_key_value_heads": 2, "attention_bias": False, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "rope_scaling": None,
        "tie_word_embeddings": True, "torch_dtype": "float32",
    },
    "untied": {
        "num_key_value_heads": 4, "attention_bias": False, "rms_norm_eps": 1e-6,
        "rope_parameters": {"rope_theta": 500.0, "rope_type": "default"},
        "tie_word_embeddings": False, "dtype": "bfloat16",
    },
    "scaled": {
        "num_key_value_heads": 1, "head_dim": 12, "attention_bias": True, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                         "original_max_position_embeddings": 32},
        "tie_word_embeddings": False, "torch_dtype": "float16",
    },
}
DTYPES = {"tied": torch.float32, "untied": torch.bfloat16, "scaled": torch.float16}


def tokenizer():
    bpe = Tokenizer(models.BPE(unk_token=None))
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    bpe.decoder = decoders.ByteLevel()
    special = [AddedToken(t, special=True, normalized=False) for t in (EOS, "<|im_start|>", "<|im_end|>")]
    bpe.train_from_iterator(TEXTS, trainers.BpeTrainer(
        vocab_size=300, special_tokens=special, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))
    return PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token=EOS, eos_token=EOS, clean_up_tokenization_spaces=False)


def random_weights(config, vocabulary, generator):
    width, hidden, heads = config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]
    size = config.get("head_dim", width // heads)

    def normal(*shape, deviation):
        return torch.randn(*shape, generator=generator) * deviation

    weights = {"model.embed_tokens.weight": normal(vocabulary, width, deviation=0.25)}
    for i in range(config["num_hidden_layers"]):
        name = f"model.layers.{i}."
        for norm in ("input_layernorm", "post_attention_layernorm"):
            weights[name + norm + ".weight"] = 1 + normal(width, deviation=0.1)
        key = config["num_key_value_heads"] * size
        for part, rows, columns in (("self_attn.q_proj", heads * size, width), ("self_attn.k_proj", key, width),
                                    ("self_attn.v_proj", key, width), ("self_attn.o_proj", width, heads * size),
                                    ("mlp.gate_proj", hidden, width), ("mlp.up_proj", hidden, width),
                                    ("mlp.down_proj", width, hidden)):
            weights[name + part + ".weight"] = normal(rows, columns, deviation=1.2 * columns**-0.5)
            if config["attention_bias"] and part.startswith("self_attn"):
                weights[name + part + ".bias"] = normal(rows, deviation=0.2)
    weights["model.norm.weight"] = 1 + normal(width, deviation=0.1)
    if not config["tie_word_embeddings"]:
        weights["lm_head.weight"] = normal(vocabulary, width, deviation=0.25)
    return weights


def save_model(name, config, weights, dtype, words):
    folder = FIXTURES / "models" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    words.save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file({k: v.to(dtype).contiguous() for k, v in weights.items()}, folder / "model.safetensors", {"format": "pt"})
    return folder


def sequences(words, vocabulary, generator):
    ids = [words.encode(TEXTS[1]) + [0], words.encode("What is salt?\n\nThe sea, où l'eau est salée: 42 %.") + [0], [5, 7], [299, 0]]
    ids.append(torch.randint(vocabulary, (100,), generator=generator).tolist())
    ids.append(torch.randint(vocabulary, (61,), generator=generator).tolist())
    return ids


def logps(ids, single, double):
    with torch.no_grad():
        return [{"ids": s, "logp32": [float(f"{x:.9g}") for x in token_logps(single, s).tolist()],
                 "logp64": token_logps(double, s).tolist()} for s in ids]


def check(entries):
    worst = max(abs(a - b) for s in entries for a, b in zip(s["logp32"], s["logp64"]))
    assert worst < 1e-4, worst
    return worst


def adapter(name, seed, save=True):
    """PEFT's own adapter and, if asked, its folder; B random, because PEFT starts it at zero."""
    torch.manual_seed(seed)
    config = LoraConfig(r=4, lora_alpha=8, lora_dropout=0.0, target_modules=["q_proj", "v_proj"], bias="none", task_type="CAUSAL_LM")
    model = get_peft_model(load(FIXTURES / "models" / name), config)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if "lora_B" in key:
                parameter.normal_(std=0.1)
    if not save:
        return model.eval()
    folder = FIXTURES / "adapters" / name
    shutil.rmtree(folder, ignore_errors=True)
    model.peft_config["default"].base_model_name_or_path = f"models/{name}"
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"  # PEFT writes a set: its order is random
    settings = json.loads(path.read_text())
    settings["target_modules"].sort()
    path.write_text(json.dumps(settings, indent=2) + "\n")
    return model.eval()


def versions():
    names = ("torch", "transformers", "peft", "tokenizers", "safetensors", "numpy", "gguf")
    return {"python": platform.python_version(), **{n: importlib.metadata.version(n) for n in names}}


def main():
    write_json(FIXTURES / "versions.json", versions())
    words = tokenizer()
    vocabulary = len(words)
    for seed, (name, own) in enumerate(CONFIGS.items()):
        generator = torch.Generator().manual_seed(100 + seed)
        config = {**SHARED, **own, "vocab_size": vocabulary}
        weights = random_weights(config, vocabulary, generator)
        folder = save_model(name, config, weights, DTYPES[name], words)
        if name != "scaled":
            near = {k: v + 0.03 * v.std() * torch.randn(v.shape, generator=generator) if v.dim() > 1 else v for k, v in weights.items()}
            save_model(name + "-ref", config, near, DTYPES[name], words)
        ids = sequences(words, vocabulary, generator)
        entries = logps(ids, load(folder), load(folder, torch.float64))
        print(name, vocabulary, "float32 against float64:", check(entries))
        write_json(FIXTURES / f"models/{name}.logps.json", {"model": f"models/{name}", "sequences": entries}, ("sequences",))
        if name == "scaled":
            continue
        single = adapter(name, 200 + seed)
        double = to_float64(adapter(name, 200 + seed))
        tuned = logps(ids, single, double)
        assert max(abs(a - b) for s, t in zip(entries, tuned) for a, b in zip(s["logp64"], t["logp64"])) > 0.01
        print(name, "adapter:", check(tuned))
        write_json(FIXTURES / f"adapters/{name}.logps.json",
                   {"model": f"models/{name}", "adapter": f"adapters/{name}", "sequences": tuned}, ("sequences",))


if __name__ == "__main__":
    main()
