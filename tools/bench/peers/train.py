"""One PyTorch trainer of SRPO, timed: a peer that hone is compared with. Prints one line of JSON.

  padded      six padded rows for the policy and six for the reference at every step, as a TRL user writes it
  cached      the same with the reference computed once
  trie        one row: the six sequences' token trie under a dense mask, logits of scored rows alone, reference once
"""
import argparse
import json
import resource
import statistics
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

import pairs


def load(args, dtype):
    if args.shape:
        d, f, layers, heads, kv, v = (int(n) for n in args.shape.split(","))
        torch.manual_seed(0)
        model = LlamaForCausalLM(LlamaConfig(hidden_size=d, intermediate_size=f, num_hidden_layers=layers,
                                             num_attention_heads=heads, num_key_value_heads=kv, vocab_size=v,
                                             tie_word_embeddings=True, max_position_embeddings=8192))
        model = model.to(dtype)
    else:
        model = AutoModelForCausalLM.from_pretrained(args.model, dtype=dtype)
    model.config.use_cache = False
    model.config._attn_implementation = "sdpa"
    return model


def padded_logps(model, items):
    """Sum of log-probabilities of each completion: one batch of padded rows."""
    length = max(len(c) + len(y) for c, y in items)
    ids = torch.zeros(len(items), length, dtype=torch.long)
    mask = torch.zeros_like(ids)
    scored = torch.zeros(len(items), length - 1, dtype=torch.bool)
    for i, (c, y) in enumerate(items):
        row = torch.tensor(c + y)
        ids[i, :len(row)] = row
        mask[i, :len(row)] = 1
        scored[i, len(c) - 1:len(row) - 1] = True
    logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1].float()
    logp = torch.log_softmax(logits, -1).gather(-1, ids[:, 1:, None])[..., 0]
    return (logp * scored).sum(-1)


class Trie:
    def __init__(self, items, dtype):
        tokens, positions, parents, edges = pairs.trie(items)
        n = len(tokens)
        self.ids = torch.tensor([tokens])
        self.positions = torch.tensor([positions])
        self.mask = torch.full((1, 1, n, n), torch.finfo(dtype).min, dtype=dtype)
        for i, seen in enumerate(pairs.ancestors(parents)):
            self.mask[0, 0, i, seen] = 0
        rows = sorted({row for sequence in edges for row, _ in sequence})
        place = {row: i for i, row in enumerate(rows)}
        self.rows = torch.tensor(rows)
        self.row = [torch.tensor([place[r] for r, _ in s]) for s in edges]
        self.target = [torch.tensor([t for _, t in s]) for s in edges]

    def logps(self, model):
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        h = base.model(input_ids=self.ids, position_ids=self.positions, attention_mask=self.mask).last_hidden_state
        logp = torch.log_softmax(base.lm_head(h[0, self.rows]).float(), -1)
        return torch.stack([logp[r, t].sum() for r, t in zip(self.row, self.target)])


def srpo(policy, reference, beta, alpha):
    r = policy - reference
    improve = (0.5 - beta * (r[pairs.WL] - r[pairs.LL])) ** 2 + (0.5 - beta * (r[pairs.WW] - r[pairs.LW])) ** 2
    generate = (1 - beta * (r[pairs.WL] - r[pairs.LW] + r[pairs.W] - r[pairs.L])) ** 2
    return (1 - alpha) * generate + alpha * improve


def run(args):
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[args.dtype]
    torch.set_num_threads(args.threads)
    model = load(args, dtype)
    vocabulary = model.config.vocab_size
    frozen = None
    if args.full:
        frozen = load(args, dtype).requires_grad_(False) if args.peer == "padded" else None
    else:
        torch.manual_seed(0)
        model = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules=["q_proj", "v_proj"]))
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=2e-5)
    steps = args.warmup + args.steps
    data = [pairs.sequences(pairs.make_pair(s, vocabulary, args.prompt, args.completion, args.instruction))
            for s in range(steps)]
    tries = [Trie(items, dtype) for items in data] if args.peer == "trie" else None
    score = (lambda i: tries[i].logps(model)) if tries else (lambda i: padded_logps(model, data[i]))

    def reference(i):
        with torch.no_grad():
            if frozen is not None:
                return padded_logps(frozen, data[i])
            if args.full:
                return score(i)
            with model.disable_adapter():
                return score(i)

    cached = None if args.peer == "padded" else [reference(i) for i in range(steps)]
    seconds, first = [], None
    for i in range(steps):
        began = time.perf_counter()
        loss = srpo(score(i), cached[i] if cached else reference(i), args.beta, args.alpha)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        seconds.append(time.perf_counter() - began)
        first = first or {"loss": loss.item(), "grad_norm": float(norm)}
    timed = seconds[args.warmup:]
    print(json.dumps({"peer": args.peer, "dtype": args.dtype, "seconds": statistics.median(timed), "min": min(timed),
                      "max": max(timed), "runs": len(timed),
                      "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, **first}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=["padded", "cached", "trie"])
    parser.add_argument("--model", help="model folder")
    parser.add_argument("--shape", help="instead: random weights, D,F,L,H,K,V as `hone bench --shape`")
    parser.add_argument("--full", action="store_true", help="train all weights, not LoRA r 16 on q_proj and v_proj")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--prompt", type=int, default=350)
    parser.add_argument("--completion", type=int, default=35)
    parser.add_argument("--instruction", type=int, default=8)
    parser.add_argument("--beta", type=float, default=0.1)
    parser.add_argument("--alpha", type=float, default=0.5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--steps", type=int, default=3)
    run(parser.parse_args())
