"""What the makers of golden fixtures share: places, JSON, models in float64, log-probabilities."""
import json
import math
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
from transformers import AutoModelForCausalLM
from transformers.models.llama import modeling_llama as llama

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
SEPARATOR = "\n\nBetter:"
EOS = "<|endoftext|>"

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def write_json(path, value, lines=()):
    """One line, except that the lists named in `lines` (top level) have an element a line."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)

    def text(x):
        return json.dumps(x, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

    fields = []
    for key, item in value.items():
        if key in lines:
            fields.append(f"{text(key)}:[\n" + ",\n".join(text(x) for x in item) + "\n]")
        else:
            fields.append(f"{text(key)}:{text(item)}")
    path.write_text("{" + ",\n".join(fields) + "}\n")


def significant(x, digits):
    """A float rounded to so many significant digits."""
    return float(f"{x:.{digits - 1}e}")


class Norm64(torch.nn.Module):
    """LlamaRMSNorm without its detour through float32."""

    def __init__(self, norm):
        super().__init__()
        self.weight, self.epsilon = norm.weight, norm.variance_epsilon

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon))


class Rotary64(torch.nn.Module):
    """LlamaRotaryEmbedding in float64, its frequencies included."""

    def __init__(self, config):
        super().__init__()
        rope = config.rope_parameters
        size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        steps = torch.arange(0, size, 2, dtype=torch.float64) / size
        frequency = rope["rope_theta"] ** -steps
        if rope["rope_type"] == "llama3":
            frequency = torch.tensor([self.llama3(f.item(), rope) for f in frequency], dtype=torch.float64)
        else:
            assert rope["rope_type"] == "default", rope
        self.frequency = frequency

    @staticmethod
    def llama3(frequency, rope):
        factor, low, high = rope["factor"], rope["low_freq_factor"], rope["high_freq_factor"]
        turns = rope["original_max_position_embeddings"] * frequency / (2 * math.pi)
        if turns > high:
            return frequency
        if turns < low:
            return frequency / factor
        share = (turns - low) / (high - low)
        return (1 - share) * frequency / factor + share * frequency

    def forward(self, x, position_ids):
        angle = position_ids[..., None].to(torch.float64) * self.frequency
        angle = torch.cat((angle, angle), dim=-1)
        return angle.cos().to(x.dtype), angle.sin().to(x.dtype)


def to_float64(model):
    """transformers computes norms and rotary angles in float32 whatever the weights are; this doesn't."""
    model.double()
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, llama.LlamaRMSNorm):
                setattr(module, name, Norm64(child))
            elif isinstance(child, llama.LlamaRotaryEmbedding):
                setattr(module, name, Rotary64(child.config))
    return model


def load(folder, dtype=torch.float32, **options):
    """A model folder, every tensor accounted for."""
    model, info = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="sdpa", output_loading_info=True, **options
    )
    for key in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        assert not info[key], (folder, key, info[key])
    model.eval()
    return to_float64(model) if dtype == torch.float64 else model


def token_logps(model, ids):
    """log p(ids[i+1] | ids[0..i]), one number a token, with its graph."""
    ids = torch.tensor([ids])
    logits = model(input_ids=ids, use_cache=False).logits[0, :-1]
    return torch.log_softmax(logits, dim=-1).gather(1, ids[0, 1:, None])[:, 0]
