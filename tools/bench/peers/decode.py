"""Tokens per second of decoding and of reading a prompt, in PyTorch or llama.cpp. Prints one line of JSON."""
import argparse
import json
import random
import statistics
import time


def tokens(count, vocabulary):
    rng = random.Random(0)
    return [rng.randrange(10, vocabulary) for _ in range(count)]


def summary(name, prompt_seconds, decode_seconds, args):
    return {"peer": name, "decode_tokens_per_s": args.tokens / statistics.median(decode_seconds),
            "prompt_tokens_per_s": args.prompt / statistics.median(prompt_seconds)}


def transformers(args):
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(args.threads)
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32)
    ids = torch.tensor([tokens(args.prompt, model.config.vocab_size)])
    prompt, decode = [], []
    with torch.no_grad():
        for _ in range(args.runs):
            began = time.perf_counter()
            out = model(ids, use_cache=True)
            prompt.append(time.perf_counter() - began)
            began = time.perf_counter()
            for _ in range(args.tokens):
                out = model(out.logits[:, -1:].argmax(-1), past_key_values=out.past_key_values, use_cache=True)
            decode.append(time.perf_counter() - began)
    return summary("transformers float32", prompt, decode, args)


def llama(args):
    from llama_cpp import Llama

    model = Llama(args.gguf, n_ctx=args.prompt + args.tokens + 8, n_threads=args.threads,
                  n_threads_batch=args.threads, verbose=False)
    ids = tokens(args.prompt, model.n_vocab())
    prompt, decode = [], []
    for _ in range(args.runs):
        model.reset()
        began = time.perf_counter()
        model.eval(ids)
        prompt.append(time.perf_counter() - began)
        began = time.perf_counter()
        for _ in range(args.tokens):
            model.eval([model.sample(temp=0.0)])
        decode.append(time.perf_counter() - began)
    return summary("llama.cpp " + args.gguf.rsplit(".", 2)[-2], prompt, decode, args)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=["transformers", "llama"])
    parser.add_argument("--model", help="model folder")
    parser.add_argument("--gguf", help="GGUF file of the same model")
    parser.add_argument("--prompt", type=int, default=128)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    print(json.dumps({"transformers": transformers, "llama": llama}[args.peer](args)))
