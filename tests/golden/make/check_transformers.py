"""Does transformers load a folder that hone wrote, with nothing missing or unexpected?

    check_transformers.py MODEL_DIR [--adapter PEFT_DIR] [--text TEXT] [--json]

Prints the ids of the text, each token's log-probability (float32) and their sum; exit status 1 when a tensor is missing, unexpected or of a wrong shape,
or when ids decode to another text."""
import argparse
import json
import sys
import warnings

import torch
from common import load, token_logps
from safetensors import safe_open
from transformers import AutoTokenizer


def with_adapter(model, folder):
    """PEFT only warns about keys: compare them here."""
    from peft import PeftModel, get_peft_model_state_dict

    tuned = PeftModel.from_pretrained(model, folder).eval()
    with safe_open(f"{folder}/adapter_model.safetensors", "pt") as file:
        stored = {k: tuple(file.get_slice(k).get_shape()) for k in file.keys()}
    wanted = {k: tuple(v.shape) for k, v in get_peft_model_state_dict(tuned).items()}
    assert stored == wanted, f"adapter: {sorted(set(stored.items()) ^ set(wanted.items()))}"
    return tuned


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--adapter")
    parser.add_argument("--text", default="The sky is blue, and 42 is an answer.")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    tokens = AutoTokenizer.from_pretrained(options.model)
    ids = tokens.encode(options.text, add_special_tokens=False)
    back = tokens.backend_tokenizer.decode(ids, skip_special_tokens=False)
    assert back == options.text, f"{options.text!r} comes back as {back!r}"
    model = load(options.model)
    assert model.config.vocab_size >= len(tokens), (model.config.vocab_size, len(tokens))
    if options.adapter:
        model = with_adapter(model, options.adapter)
    with torch.no_grad():
        logps = token_logps(model, ids).tolist()
    if options.json:
        print(json.dumps({"ids": ids, "logp": logps, "sum": sum(logps), "bos": tokens.bos_token_id, "eos": tokens.eos_token_id}))
    else:
        print(f"{type(model).__name__}, {sum(p.numel() for p in model.parameters())} parameters, eos {tokens.eos_token!r} = {tokens.eos_token_id}")
        print("ids", *ids)
        print("logp", *(f"{x:.6f}" for x in logps))
        print(f"sum {sum(logps):.6f}")


if __name__ == "__main__":
    try:
        main()
    except AssertionError as error:
        sys.exit(f"check_transformers: {error}")
