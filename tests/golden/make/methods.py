"""methods/: every loss, its gradients by every parameter and twenty AdamW steps, in float64; formats in ../fixtures/README.md.

The losses are written down here from their papers, apart from the library that they test."""
import json
import shutil

import torch
from common import EOS, FIXTURES, SEPARATOR, load, to_float64, token_logps, write_json
from models import adapter
from safetensors.torch import save_file
from torch.nn.functional import logsigmoid
from transformers import AutoTokenizer

SIX = ("w", "l", "w|l", "l|l", "w|w", "l|w")
STEPS = 20
SEEDS = {"tied": 200, "untied": 201}  # of the adapters

PAIRS = [  # prompt, chosen, rejected, preference of the soft cases
    ("Where does the river end?", " The river ends in the sea, où l'eau est salée.", " The river ends in 1987 lakes.", 0.8),
    ("What colour is the sky? ", "Blue", "Blue and the answer is in the question: blue.", 0.55),
    ("Where does the river end?", " In", " It\n\nends.", 0.3),
]

DPO, IPO, RPO = {"beta": 0.1}, {"beta": 0.1}, {"beta": 0.2, "rpo_lambda": 0.7}
SRPO, SIMPO = {"beta": 0.1, "alpha": 0.6}, {"beta": 2.0, "gamma": 0.7}
CASES = {  # name: method, options, rows
    "srpo": ("srpo", SRPO, "rows"),
    "dpo": ("dpo", DPO, "rows"),
    "ipo": ("ipo", IPO, "rows"),
    "rpo": ("rpo", RPO, "rows"),
    "simpo": ("simpo", SIMPO, "rows"),
    "sft": ("sft", {}, "rows-sft"),
    "srpo-mean": ("srpo", {**SRPO, "length_normalize": True}, "rows"),
    "srpo-soft": ("srpo", SRPO, "rows-soft"),
    "srpo-alpha0": ("srpo", {"beta": 0.3, "alpha": 0.0}, "rows"),
    "srpo-alpha1": ("srpo", {"beta": 0.3, "alpha": 1.0}, "rows"),
    "dpo-mean": ("dpo", {"beta": 1.0, "length_normalize": True}, "rows"),
    "dpo-smooth": ("dpo", {**DPO, "label_smoothing": 0.1}, "rows"),
    "dpo-soft-smooth": ("dpo", {**DPO, "label_smoothing": 0.1}, "rows-soft"),
    "ipo-sums": ("ipo", {**IPO, "ipo_sums": True}, "rows"),
    "ipo-soft": ("ipo", IPO, "rows-soft"),
    "rpo-mean": ("rpo", {**RPO, "length_normalize": True}, "rows"),
    "rpo-soft": ("rpo", RPO, "rows-soft"),
    "simpo-soft": ("simpo", SIMPO, "rows-soft"),
}
BASE = ("srpo", "dpo", "ipo", "rpo", "simpo", "sft")


def conditionals(method, options):
    if method == "sft":
        return ("w",)
    if method != "srpo":
        return ("w", "l")
    return {0.0: ("w", "l", "w|l", "l|w"), 1.0: ("w|l", "l|l", "w|w", "l|w")}.get(options["alpha"], SIX)


def pair_loss(method, o, policy, reference, tokens, q):
    """One pair's loss from sums of log-probabilities; `tokens`: lengths of w and l."""
    beta = o.get("beta")
    mean = method == "simpo" or (method == "ipo" and not o.get("ipo_sums")) or (method != "ipo" and o.get("length_normalize"))

    def unit(c):
        return tokens[c[0]] if mean else 1

    def r(c):
        return (policy[c] - reference[c]) / unit(c)

    def nll(c):
        return -policy[c] / tokens[c]

    if method == "sft":
        return -policy["w"]
    if method == "simpo":
        margin = beta * (nll("l") - nll("w"))
        return -q * logsigmoid(margin - o["gamma"]) - (1 - q) * logsigmoid(-margin - o["gamma"])
    if method == "srpo":
        loss = 0.0
        if o["alpha"] > 0:
            loss += o["alpha"] * ((q - 0.5 - beta * (r("w|l") - r("l|l"))) ** 2 + (0.5 - q - beta * (r("l|w") - r("w|w"))) ** 2)
        if o["alpha"] < 1:
            loss += (1 - o["alpha"]) * (2 * q - 1 - beta * (r("w|l") - r("l|w") + r("w") - r("l"))) ** 2
        return loss
    difference = r("w") - r("l")
    if method == "ipo":
        return (difference - (2 * q - 1) / (2 * beta)) ** 2
    e = o.get("label_smoothing", 0.0)
    up, down = -logsigmoid(beta * difference), -logsigmoid(-beta * difference)
    loss = q * ((1 - e) * up + e * down) + (1 - q) * ((1 - e) * down + e * up)
    if method == "rpo":
        loss = loss + o["rpo_lambda"] * (q * nll("w") + (1 - q) * nll("l"))
    return loss


def encode(words, prompt, chosen, rejected):
    eos = [words.convert_tokens_to_ids(EOS)]

    def ids(text):
        return words.encode(text, add_special_tokens=False)

    def revision(draft):
        return ids(prompt) + ids(draft) + ids(SEPARATOR)

    w, l = ids(chosen) + eos, ids(rejected) + eos
    contexts = {"w": ids(prompt), "l": ids(prompt), "w|l": revision(rejected), "l|l": revision(rejected),
                "w|w": revision(chosen), "l|w": revision(chosen)}
    return {c: {"context": contexts[c], "completion": w if c[0] == "w" else l} for c in SIX}


def total(model, sequence):
    """log p(completion | context), summed."""
    context, completion = sequence["context"], sequence["completion"]
    return token_logps(model, context + completion)[len(context) - 1 :].sum()


def totals(model, pairs):
    with torch.no_grad():
        return [{c: total(model, p["ids"][c]).item() for c in SIX} for p in pairs]


def batch_loss(model, case, pairs, reference):
    method, options, rows = case
    losses, sums = [], []
    for pair, ref in zip(pairs, reference):
        policy = {c: total(model, pair["ids"][c]) for c in conditionals(method, options)}
        q = pair["preference"] if rows == "rows-soft" else 1.0
        losses.append(pair_loss(method, options, policy, ref, pair["tokens"], q))
        sums.append(policy)
    count = sum(p["tokens"]["w"] for p in pairs) if method == "sft" else len(pairs)
    return torch.stack(losses).sum() / count, losses, sums


def derivatives(losses, sums):
    found = []
    for loss, policy in zip(losses, sums):
        values = torch.autograd.grad(loss, list(policy.values()), retain_graph=True)
        found.append({c: v.item() for c, v in zip(policy, values)})
    return found


def norm(gradients):
    return torch.stack([g.norm() for g in gradients]).norm()


def run(model, case, pairs, reference):
    """Gradients at the start, then the steps; `model`: its trainable parameters are those that require gradients."""
    parameters = {k.replace(".default", ""): p for k, p in model.named_parameters() if p.requires_grad}
    decayed = [p for p in parameters.values() if p.dim() > 1]
    plain = [p for p in parameters.values() if p.dim() < 2]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW([g for g in groups if g["params"]], lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
    result, gradient = {"step_loss": [], "step_gradient_norm": []}, {}
    for step in range(STEPS):
        optimizer.zero_grad()
        loss, losses, sums = batch_loss(model, case, pairs, reference)
        if step == 0:
            result = {"loss": loss.item(), "pair_loss": [x.item() for x in losses],
                      "pair_derivative": derivatives(losses, sums), "gradient_norm": 0.0, **result}
        loss.backward()
        if step == 0:
            gradient = {k: p.grad.clone() for k, p in parameters.items()}
            result["gradient_norm"] = norm(gradient.values()).item()
        size = torch.nn.utils.clip_grad_norm_(list(parameters.values()), 1.0)
        optimizer.step()
        result["step_loss"].append(loss.item())
        result["step_gradient_norm"].append(size.item())
    return result, gradient, {k: p.detach().clone() for k, p in parameters.items()}


def apart(a, b):
    """The worst tensor's |a - b| / |b|."""
    return max(((a[k].double() - b[k].double()).norm() / b[k].double().norm().clamp_min(1e-30)).item() for k in b)


def compare(single, double):
    return {"gradient": apart(single[1], double[1]), "final": apart(single[2], double[2]),
            "step_loss": max(abs(x - y) for x, y in zip(single[0]["step_loss"], double[0]["step_loss"])) / double[0]["loss"]}


def whole(name):
    return load(FIXTURES / "models" / name)


def batch(name, words):
    pairs = []
    for prompt, chosen, rejected, q in PAIRS:
        ids = encode(words, prompt, chosen, rejected)
        pairs.append({"prompt": prompt, "chosen": chosen, "rejected": rejected, "preference": q,
                      "tokens": {c: len(ids[c]["completion"]) for c in ("w", "l")}, "ids": ids})
    values = {"policy": totals(to_float64(whole(name)), pairs), "reference": totals(to_float64(whole(name + "-ref")), pairs),
              "adapter": totals(to_float64(adapter_model(name)), pairs)}
    for i, pair in enumerate(pairs):
        pair.update({k: v[i] for k, v in values.items()})
    return pairs


def adapter_model(name):
    return adapter(name, SEEDS[name], save=False)


def write_rows(folder, pairs):
    def lines(file, rows):
        (folder / file).write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))

    lines("rows.jsonl", [{k: p[k] for k in ("prompt", "chosen", "rejected")} for p in pairs])
    lines("rows-soft.jsonl", [{k: p[k] for k in ("prompt", "chosen", "rejected", "preference")} for p in pairs])
    lines("rows-sft.jsonl", [{"prompt": p["prompt"], "completion": p["chosen"]} for p in pairs])


def runs_of(name, case):
    """Which runs of a case are kept, and which of their tensors: the fixtures stay small."""
    kept = {"full": ("grad",), "lora": ("grad",)}
    if case in BASE:
        kept["lora"] = ("grad", "final")
        kept["self"] = ("final",) if name == "tied" or case in ("srpo", "dpo", "sft") else ()
    return kept


def make_case(name, label, case, pairs):
    reference = {"full": "reference", "self": "policy", "lora": "policy"}
    document = {"method": case[0], "options": case[1], "rows": case[2] + ".jsonl", "tensors": f"methods/{name}/{label}.safetensors"}
    tensors, document["runs"] = {}, {}
    for kind, kept in runs_of(name, label).items():
        make = adapter_model if kind == "lora" else whole
        numbers = [p[reference[kind]] for p in pairs]
        double = run(to_float64(make(name)), case, pairs, numbers)
        single = run(make(name), case, pairs, numbers)
        document["runs"][kind] = {**double[0], "float32": compare(single, double)}
        for part, values in (("grad", double[1]), ("final", double[2])):
            if part in kept:
                tensors.update({f"{kind}.{part}.{k}": v.float().contiguous() for k, v in values.items()})
        print(name, label, kind, *(f"{x:.6g}" for x in (double[0]["loss"], double[0]["step_loss"][-1], double[0]["gradient_norm"])),
              {k: f"{v:.1e}" for k, v in document["runs"][kind]["float32"].items()}, flush=True)
    folder = FIXTURES / "methods" / name
    write_json(folder / f"{label}.json", document)
    save_file(tensors, folder / f"{label}.safetensors")
    (folder / f"{label}.safetensors").chmod(0o644)


def main():
    for name in SEEDS:
        folder = FIXTURES / "methods" / name
        shutil.rmtree(folder, ignore_errors=True)
        words = AutoTokenizer.from_pretrained(FIXTURES / "models" / name)
        pairs = batch(name, words)
        write_json(folder / "batch.json", {
            "model": f"models/{name}", "reference": f"models/{name}-ref", "adapter": f"adapters/{name}", "template": "plain",
            "separator": SEPARATOR, "eos": words.eos_token_id, "pairs": pairs}, ("pairs",))
        write_rows(folder, pairs)
        for label, case in CASES.items():
            if name == "tied" or label in BASE:
                make_case(name, label, case, pairs)


if __name__ == "__main__":
    main()
