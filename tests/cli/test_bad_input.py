#!/usr/bin/env python3
"""The table of bad input: what is wrong, and what one line must say of it. test_bad_input.py HONE [unittest arguments].

Each case damages one thing of a small world that works (a model, an adapter, pairs, a configuration) and runs one command. What
is asked of all of them: exit 1, or 2 where the command line itself is wrong; nothing on standard output; one line on standard
error (usage errors add where to get help) that names what, where and which value; and nothing new below the output folder.
"""

import gzip
import json
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time
import unittest

import test_cli
from test_cli import Case, hone

# What tells what to do: what would be right, where to look, what to choose.
REMEDY = (r"must |see `|did you mean|choose|pass |wanted|give |correct|get (it|the file) again|is the (path|file) (right|cut)|raise |hone (reads|computes|converts|"
          r"supports|knows)|`hone devices`|needs? |belong|is required|are required|lower |make room|leave out|this build has|or a \\.json|"
          r"it is auto|lists|wait for|put that right|split|take one out|sft, dpo|one of |say what to do")
# What libraries and interpreters say by themselves.
NOISE = r"Traceback|Assertion|assert |terminate called|Segmentation|core dumped|0x[0-9a-f]{8}|==\d+==|\(null\)|HONE_ERROR|\.[ch]:\d+|errno"

GOOD = '{"prompt":"a","chosen":"b","rejected":"c"}\n'

# Rows: name, the second line of a file, what is said besides FILE:2.
ROWS = [
    ("a brace and nothing more", "{", ["column"]),
    ("a missing comma", '{"prompt":"a" "chosen":"b","rejected":"c"}', ["column"]),
    ("text after the row", GOOD.strip() + " x", ["end of file"]),
    ("a list", '["a","b"]', ["object"]),
    ("a number", "7", ["'{' expected"]),
    ("a key twice", '{"prompt":"a","prompt":"b","chosen":"b","rejected":"c"}', ["duplicate"]),
    ("nesting without end", "[" * 5000, ["parsing depth"]),
    ("a byte that is no UTF-8", b'{"prompt":"\xe9","chosen":"b","rejected":"c"}', ["byte 0xe9"]),
    ("half a character", b'{"prompt":"a","chosen":"\xe2\x82","rejected":"c"}', ["byte 0xe2"]),
    ("a lone surrogate", '{"prompt":"\\ud800","chosen":"b","rejected":"c"}', ["Unicode", "column 18"]),
    ("a zero in a text", '{"prompt":"a\\u0000b","chosen":"b","rejected":"c"}', ["\\u0000"]),
    ("no prompt, nothing in common", '{"chosen":"b","rejected":"c"}', ["prompt"]),
    ("no chosen", '{"prompt":"a","rejected":"c"}', ["chosen"]),
    ("no rejected", '{"prompt":"a","chosen":"b"}', ["rejected"]),
    ("a prompt that is a number", '{"prompt":1,"chosen":"b","rejected":"c"}', ["prompt", "string"]),
    ("a chosen that is null", '{"prompt":"a","chosen":null,"rejected":"c"}', ["chosen", "string"]),
    ("a rejected that is an object", '{"prompt":"a","chosen":"b","rejected":{}}', ["rejected", "string"]),
    ("an empty list of messages", '{"prompt":"a","chosen":[],"rejected":"c"}', ["chosen"]),
    ("a message without content", '{"prompt":"a","chosen":[{"role":"user"}],"rejected":"c"}', ["content", "chosen"]),
    ("two turns in a prompt", '{"prompt":[{"role":"user","content":"a"},{"role":"user","content":"b"}],"chosen":"b",'
     '"rejected":"c"}', ["2 messages"]),
    ("an empty completion", '{"prompt":"a","chosen":"","rejected":"c"}', ["chosen", "empty"]),
    ("an empty rejected side", '{"prompt":"a","chosen":"b","rejected":""}', ["rejected", "empty"]),
    ("equal sides", '{"prompt":"a","chosen":"b","rejected":"b"}', ["chosen", "rejected", "same"]),
    ("a preference of 2", '{"prompt":"a","chosen":"b","rejected":"c","preference":2}', ["preference", "2", "[0, 1]"]),
    ("a preference below 0", '{"prompt":"a","chosen":"b","rejected":"c","preference":-0.5}', ["preference", "-0.5"]),
    ("a preference that is a text", '{"prompt":"a","chosen":"b","rejected":"c","preference":"1"}', ["preference"]),
    ("a preference beyond numbers", '{"prompt":"a","chosen":"b","rejected":"c","preference":1e999}', ["real number"]),
    ("an empty prompt", '{"prompt":"","chosen":"b","rejected":"c"}', ["prompt", "empty"]),
]

# config.json of the model: name, changed keys (None: taken away), what is said.
CONFIGS = [
    ("no heads", {"num_attention_heads": 0}, ["num_attention_heads", "0"]),
    ("heads below zero", {"num_attention_heads": -2}, ["num_attention_heads", "-2"]),
    ("heads that do not divide the width", {"num_attention_heads": 3, "head_dim": None, "num_key_value_heads": 3}, ["head_dim 5"]),
    ("key heads that do not divide the heads", {"num_key_value_heads": 3}, ["key", "3"]),
    ("no layers", {"num_hidden_layers": 0}, ["num_hidden_layers", "0"]),
    ("more layers than the file has", {"num_hidden_layers": 3}, ["model.layers.2"]),
    ("fewer layers than the file has", {"num_hidden_layers": 1}, ["model.layers.1"]),
    ("layers without end", {"num_hidden_layers": 1 << 40}, ["num_hidden_layers"]),
    ("a width of 2^62", {"hidden_size": 1 << 62}, ["hidden_size"]),
    ("a width of 0", {"hidden_size": 0}, ["hidden_size", "0"]),
    ("another width than the file's", {"hidden_size": 32, "head_dim": 16}, ["model."]),
    ("a width that is a text", {"hidden_size": "16"}, ["hidden_size", "integer"]),
    ("a width with a fraction", {"hidden_size": 16.5}, ["hidden_size", "integer"]),
    ("another hidden width", {"intermediate_size": 25}, ["mlp"]),
    ("a vocabulary of 0", {"vocab_size": 0}, ["vocab_size", "0"]),
    ("a vocabulary beyond the file", {"vocab_size": 1 << 33}, ["vocab_size"]),
    ("positions below 1", {"max_position_embeddings": 0}, ["max_position_embeddings", "0"]),
    ("an epsilon below zero", {"rms_norm_eps": -1e-5}, ["rms_norm_eps"]),
    ("a theta of 0", {"rope_theta": 0.0, "rope_parameters": None}, ["rope_theta", "0"]),
    ("a family that is not known", {"model_type": "mamba"}, ["model_type", "mamba"]),
    ("no family", {"model_type": None}, ["model_type"]),
    ("an activation that is not known", {"hidden_act": "tanh"}, ["hidden_act", "tanh"]),
    ("rope parameters that are a number", {"rope_parameters": 2}, ["rope_parameters", "object"]),
    ("a scaling that is a list", {"rope_scaling": [1]}, ["rope_scaling", "object"]),
    ("an end that is a text", {"eos_token_id": "</s>"}, ["eos_token_id", "id"]),
    ("a beginning that is an object", {"bos_token_id": {}}, ["bos_token_id", "id"]),
    ("a family whose name is a page long", {"model_type": "\u00e9" * 3000}, ["\u00e9...\u00e9", "hone reads"]),
    ("a name with half a character and an escape", {"model_type": "\x1b[31m\u009b1m"}, ["\\x1b[31m\\xc2\\x9b1m"]),
    ("a scaling that is not known", {"rope_scaling": {"rope_type": "yarn", "factor": 2.0}, "rope_parameters": None}, ["yarn"]),
]

# Options of a verb: name, arguments, exit code, what is said. MODEL, DATA, OUT and others stand for what works.
OPTIONS = [
    ("an unknown verb", ["trian"], 2, ["trian", "train"]),
    ("an unknown option", ["train", "--betta", "1"], 2, ["--betta", "--beta?"]),
    ("an option without its value", ["train", "--beta"], 2, ["--beta"]),
    ("an operand too many", ["train", "more"], 2, ["more"]),
    ("no model", ["train", "--data", "DATA", "--method", "srpo", "--out", "OUT"], 2, ["--model"]),
    ("no data", ["train", "--model", "MODEL", "--method", "srpo", "--out", "OUT"], 2, ["--data"]),
    ("no method", ["train", "--model", "MODEL", "--data", "DATA", "--out", "OUT"], 2, ["--method"]),
    ("no out", ["train", "--model", "MODEL", "--data", "DATA", "--method", "srpo"], 2, ["--out"]),
    ("a method that is not known", ["TRAIN", "--method", "ppo"], 2, ["ppo", "srpo"]),
    ("alpha above 1", ["TRAIN", "--alpha", "1.5"], 2, ["alpha", "1.5", "[0, 1]"]),
    ("alpha below 0", ["TRAIN", "--alpha", "-0.1"], 2, ["alpha", "-0.1"]),
    ("beta of 0", ["TRAIN", "--beta", "0"], 2, ["beta", "0"]),
    ("beta below 0", ["TRAIN", "--beta", "-1"], 2, ["beta", "-1"]),
    ("a beta that is no number", ["TRAIN", "--beta", "low"], 2, ["--beta", "low"]),
    ("beta infinite", ["TRAIN", "--beta", "inf"], 2, ["beta", "inf"]),
    ("a rate that is not a number", ["TRAIN", "--lr", "nan"], 2, ["--lr", "nan"]),
    ("a rate below 0", ["TRAIN", "--lr", "-1e-3"], 2, ["--lr", "-0.001"]),
    ("steps with a fraction", ["TRAIN", "--steps", "1.5"], 2, ["--steps", "1.5"]),
    ("steps beyond counting", ["TRAIN", "--steps", "99999999999999999999"], 2, ["--steps", "99999999999999999999"]),
    ("no pairs a batch", ["TRAIN", "--batch-pairs", "0"], 2, ["--batch-pairs", "0"]),
    ("no epochs", ["TRAIN", "--epochs", "0"], 2, ["--epochs", "0"]),
    ("an accumulation of 0", ["TRAIN", "--accumulate", "0"], 2, ["--accumulate", "0"]),
    ("a schedule that is not known", ["TRAIN", "--schedule", "step"], 2, ["--schedule", "step", "cosine"]),
    ("a packing that is not known", ["TRAIN", "--pack", "zip"], 2, ["--pack", "zip", "trie"]),
    ("dropout of 1", ["TRAIN", "--lora-dropout", "1"], 2, ["--lora-dropout", "1"]),
    ("a rank of 0", ["TRAIN", "--lora-rank", "0"], 2, ["rank", "0"]),
    ("a layer that is not there", ["TRAIN", "--lora-targets", "q_proj,z_proj"], 1, ["z_proj", "q_proj"]),
    ("smoothing above one half", ["TRAIN", "--method", "dpo", "--label-smoothing", "1.5"], 2, ["smoothing", "1.5"]),
    ("a template that is not known", ["TRAIN", "--template", "vicuna"], 1, ["vicuna", "chatml"]),
    ("a template that the vocabulary lacks", ["TRAIN", "--template", "llama-3"], 1, ["llama-3", "<|begin_of_text|>"]),
    ("a device that is missing", ["TRAIN", "--device", "abacus"], 1, ["abacus", "hone devices"]),
    ("a number of a device that is missing", ["TRAIN", "--device", "cpu:7"], 1, ["cpu:7"]),
    ("an instruction set that is not known", ["TRAIN", "--isa", "z80"], 1, ["z80", "scalar"]),
    ("a provider that is not known", ["TRAIN", "--matmul", "abacus"], 1, ["abacus"]),
    ("a dtype that is not known", ["TRAIN", "--dtype", "f8"], 2, ["--dtype", "f8", "bf16"]),
    ("a base dtype that is not known", ["TRAIN", "--base-dtype", "q3"], 2, ["--base-dtype", "q3", "q8"]),
    ("threads below 0", ["TRAIN", "--threads", "-1"], 2, ["--threads", "-1"]),
    ("a memory limit that is no size", ["TRAIN", "--memory-limit", "much"], 2, ["--memory-limit", "much"]),
    ("a memory limit too small", ["TRAIN", "--memory-limit", "1M"], 1, ["--memory-limit", "MB"]),
    ("pairs over the budget", ["TRAIN", "--pack-tokens", "8"], 1, ["--pack-tokens", "8"]),
    ("sequences that are all too long", ["TRAIN", "--max-length", "3"], 1, ["--max-length"]),
    ("both of full and adapter", ["TRAIN", "--full", "--adapter", "ADAPTER"], 2, ["--full", "--adapter"]),
    ("a data file that is missing", ["train", "--model", "MODEL", "--method", "srpo", "--out", "OUT", "--data", "/no/such"], 1,
     ["/no/such"]),
    ("a folder for a data file", ["train", "--model", "MODEL", "--method", "srpo", "--out", "OUT", "--data", "MODEL"], 1,
     ["model", "folder"]),
    ("a model folder that is missing", ["train", "--model", "/no/model", "--data", "DATA", "--method", "srpo", "--out", "OUT"], 1,
     ["/no/model"]),
    ("an adapter of another shape", ["TRAIN", "--adapter", "OTHER-ADAPTER"], 1, ["lora_A"]),
    ("an adapter folder without adapter", ["TRAIN", "--adapter", "MODEL"], 1, ["adapter_config.json"]),
    ("to resume what is not there", ["train", "--out", "OUT", "--resume"], 1, ["OUT"]),
    ("a folder that can't be made", ["TRAIN", "--out", "/proc/hone/run"], 1, ["/proc/hone"]),
    ("a folder below a file", ["TRAIN", "--out", "DATA/run"], 1, ["pairs.jsonl"]),
    ("a run that is there already", ["TRAIN", "--out", "RUN"], 1, ["run", "--resume"]),
    ("a configuration that is missing", ["train", "--config", "/no/config.yaml"], 1, ["/no/config.yaml"]),
    ("no prompt", ["generate", "--model", "MODEL"], 2, ["--prompt"]),
    ("two kinds of prompt", ["generate", "--model", "MODEL", "--prompt", "a", "--data", "DATA"], 2, ["--prompt", "--data"]),
    ("an empty prompt", ["generate", "--model", "MODEL", "--prompt", ""], 1, ["prompt", "empty"]),
    ("a temperature below 0", ["generate", "--model", "MODEL", "--prompt", "a", "--temperature", "-1"], 1, ["temperature", "-1"]),
    ("a share above 1", ["generate", "--model", "MODEL", "--prompt", "a", "--top-p", "1.5"], 1, ["top-p", "1.5"]),
    ("a share of 0", ["generate", "--model", "MODEL", "--prompt", "a", "--top-p", "0"], 1, ["top-p", "0"]),
    ("no tokens", ["generate", "--model", "MODEL", "--prompt", "a", "--max-tokens", "0"], 1, ["max-tokens", "0"]),
    ("a prompt longer than the model", ["generate", "--model", "MODEL", "--prompt", "a b " * 400], 1, ["256"]),
    ("revisions below 0", ["revise", "--model", "MODEL", "--prompt", "a", "-n", "-1"], 1, ["-n", "-1"]),
    ("to keep the worst", ["revise", "--model", "MODEL", "--prompt", "a", "--keep", "worst"], 2, ["--keep", "worst", "best", "likeliest"]),
    ("scores without a method", ["score", "--model", "MODEL", "--data", "DATA"], 2, ["--method"]),
    ("an evaluation without models", ["eval", "--data", "DATA", "--out", "OUT"], 2, ["--model"]),
    ("two models of one name", ["eval", "--model", "a=MODEL", "--model", "a=MODEL", "--data", "DATA", "--out", "OUT"], 1, ["\"a\""]),
    ("an opponent that is nobody", ["eval", "--model", "MODEL", "--data", "DATA", "--out", "OUT", "--against", "b"], 1, ["\"b\""]),
    ("a judge that is not known", ["eval", "--model", "MODEL", "--data", "DATA", "--out", "OUT", "--judge", "taste"], 1,
     ["taste", "chrf"]),
    ("a judge of no weight", ["eval", "--model", "MODEL", "--data", "DATA", "--out", "OUT", "--judge", "chrf:0"], 1, ["chrf:0"]),
    ("a judge's program that is not named", ["eval", "--model", "MODEL", "--data", "DATA", "--out", "OUT", "--judge", "command"], 1,
     ["--judge-command"]),
    ("a judge's address that is not given", ["eval", "--model", "MODEL", "--data", "DATA", "--out", "OUT", "--judge", "http"], 1,
     ["--judge-url"]),
    ("a resample size of 0", ["eval", "--model", "MODEL", "--data", "DATA", "--out", "OUT", "--max-tokens", "2", "--resample-size",
     "0"], 1, ["resample", "0"]),
    ("a behaviour that is no feature", ["pairs", "--model", "MODEL", "--data", "DATA", "--out", "OUT", "--behaviour", "beauty:1"], 1,
     ["beauty", "length"]),
    ("one sample a prompt", ["pairs", "--model", "MODEL", "--data", "DATA", "--out", "OUT", "--samples", "1"], 1, ["--samples", "1"]),
    ("a width that heads do not divide", ["init", "--tokenizer", "TOKENIZER", "--width", "15", "--heads", "2", "--out", "OUT"], 1,
     ["head_dim 7"]),
    ("layers below 0", ["init", "--tokenizer", "TOKENIZER", "--layers", "-1", "--out", "OUT"], 1, ["-1"]),
    ("a vocabulary below bytes", ["tokenizer", "train", "--data", "DATA", "--vocab", "10", "--out", "OUT"], 1, ["10", "25"]),
    ("a GGUF file that is missing", ["convert", "/no/such.gguf", "OUT"], 1, ["/no/such.gguf"]),
    ("a dtype that files do not have", ["convert", "a", "OUT", "--dtype", "int4"], 2, ["int4", "bf16"]),
    ("a merge without adapter", ["merge", "--model", "MODEL", "--out", "OUT"], 2, ["--adapter"]),
    ("a merge of another shape", ["merge", "--model", "MODEL", "--adapter", "OTHER-ADAPTER", "--out", "OUT"], 1, ["lora_A"]),
    ("a report of no run", ["report", "MODEL", "--out", "OUT"], 1, ["model", "metrics.jsonl"]),
    ("a run to watch that is none", ["top", "MODEL"], 1, ["model", "metrics.jsonl"]),
    ("a bandit's behaviour that does not sum to 1", ["bandit", "--behaviour", "0.5,0.1,0.1"], 1, ["behaviour", "0.7"]),
    ("a number of tokens that is none", ["generate", "--model", "MODEL", "--prompt", "a", "--max-tokens", "many"], 2,
     ["--max-tokens", "\"many\"", "whole number"]),
    ("a seed beyond counting", ["generate", "--model", "MODEL", "--prompt", "a", "--seed", "99999999999999999999"], 2,
     ["--seed", "99999999999999999999"]),
    ("a temperature that is not a number", ["generate", "--model", "MODEL", "--prompt", "a", "--temperature", "nan"], 2,
     ["--temperature", "nan"]),
    ("threads beyond counting", ["generate", "--model", "MODEL", "--prompt", "a", "--threads", "4294967297"], 2,
     ["--threads", "4294967297"]),
    ("a flag with a value", ["generate", "--json=yes"], 2, ["--json=yes", "argument"]),
    ("an unknown letter", ["generate", "-z"], 2, ["-z"]),
    ("no prompts in lockstep", ["generate", "--model", "MODEL", "--prompt", "a", "--batch", "0"], 1, ["--batch", "0"]),
    ("to draw among fewer than none", ["generate", "--model", "MODEL", "--prompt", "a", "--top-k", "-1"], 1, ["--top-k", "-1"]),
    ("an adapter for a model", ["generate", "--model", "ADAPTER", "--prompt", "a"], 1, ["final/tokenizer.json"]),
    ("a run for an adapter", ["generate", "--model", "MODEL", "--adapter", "RUN", "--prompt", "a"], 1, ["adapter_config.json"]),
    ("held-out rows that are missing", ["TRAIN", "--eval-data", "/no/such"], 1, ["/no/such"]),
    ("patience without held-out rows", ["TRAIN", "--patience", "2"], 2, ["--patience", "2", "--eval-data"]),
    ("a reference that is missing", ["TRAIN", "--reference", "/no/model"], 1, ["/no/model"]),
    ("a budget of one token", ["TRAIN", "--pack-tokens", "1"], 2, ["--pack-tokens", "1"]),
    ("a budget beyond memory", ["TRAIN", "--pack-tokens", "99999999"], 2, ["--pack-tokens", "99999999"]),
    ("moments that never decay", ["TRAIN", "--adam-beta1", "1"], 2, ["--adam-beta1", "1"]),
    ("to keep no checkpoint", ["TRAIN", "--keep", "0"], 2, ["--keep", "0"]),
    ("a base in few bits that is trained", ["TRAIN", "--full", "--base-dtype", "q8"], 2, ["--base-dtype", "q8", "--full"]),
    ("beta below 0, scored", ["score", "--model", "MODEL", "--data", "DATA", "--method", "dpo", "--beta", "-1"], 1, ["beta", "-1"]),
    ("a beta that is no number, scored", ["score", "--model", "MODEL", "--data", "DATA", "--method", "dpo", "--beta", "x"], 2,
     ["--beta", "x"]),
    ("no revision counts below 0", ["eval", "--model", "MODEL", "--data", "DATA", "--out", "OUT", "--revisions", "-1"], 1,
     ["--revisions", "-1"]),
    ("rows below 0", ["eval", "--model", "MODEL", "--data", "DATA", "--out", "OUT", "--limit", "-1"], 1, ["--limit", "-1"]),
    ("a judge's temperature below 0", ["eval", "--model", "MODEL", "--data", "DATA", "--out", "OUT", "--judge-temperature", "-1"], 1,
     ["temperature", "-1"]),
    ("a judge's address that is none", ["eval", "--model", "MODEL", "--data", "DATA", "--out", "OUT", "--judge", "http", "--judge-url",
     "nowhere", "--judge-model", "m"], 1, ["nowhere", "https://"]),
    ("an evaluation's folder below a file", ["eval", "--model", "MODEL", "--data", "DATA", "--out", "DATA/run"], 1, ["pairs.jsonl"]),
    ("a judge of pairs that is not known", ["pairs", "--model", "MODEL", "--data", "DATA", "--out", "OUT", "--judge", "taste"], 1,
     ["taste", "chrf"]),
    ("rows that are missing, checked", ["data", "check", "/no/such"], 1, ["/no/such"]),
    ("data without a deed", ["data", "DATA"], 2, ["hone data check"]),
    ("data check without files", ["data", "check"], 2, ["hone data check", "FILE"]),
    ("an unknown option of data check", ["data", "check", "DATA", "--metod", "dpo"], 2, ["--metod", "--method?", "hone data check --help"]),
    ("a tokenizer without a deed", ["tokenizer"], 2, ["hone tokenizer train"]),
    ("a folder for texts", ["tokenizer", "train", "--data", "MODEL", "--out", "OUT"], 1, ["model", "file is wanted"]),
    ("texts that are missing", ["tokenizer", "train", "--data", "/no/such", "--out", "OUT"], 1, ["/no/such"]),
    ("a tokenizer that is missing", ["tokenize", "--model", "/no/model"], 1, ["/no/model/tokenizer.json"]),
    ("a model to look at that is missing", ["inspect", "--model", "/no/model"], 1, ["/no/model/config.json"]),
    ("data to look at without --pack", ["inspect", "--model", "MODEL", "--data", "DATA"], 2, ["--data", "--pack"]),
    ("a method of packing that is not known", ["inspect", "--model", "MODEL", "--pack", "--data", "DATA", "--method", "ppo"], 1, ["ppo"]),
    ("a merge into its own model", ["merge", "--model", "MODEL", "--adapter", "ADAPTER", "--out", "MODEL"], 1, ["--out", "model"]),
    ("a merge where no folder can be", ["merge", "--model", "MODEL", "--adapter", "ADAPTER", "--out", "/proc/hone"], 1, ["/proc/hone"]),
    ("a model where no folder can be", ["init", "--tokenizer", "TOKENIZER", "--width", "8", "--heads", "2", "--layers", "1", "--hidden",
     "8", "--out", "DATA/run"], 1, ["pairs.jsonl"]),
    ("a device to check that is missing", ["check", "--device", "abacus"], 2, ["abacus", "hone devices"]),
    ("a bandit of no method", ["bandit", "--method", "ppo"], 2, ["ppo", "srpo"]),
    ("a bandit's beta of 0", ["bandit", "--beta", "0"], 1, ["beta", "0"]),
    ("a bench without a model", ["bench", "step"], 2, ["--model"]),
    ("a part of bench that is not known", ["bench", "speed"], 2, ["speed", "step"]),
]

# Configurations: name, text, exit code (2: a value that an option does not take), what is said.
YAML = [
    ("an unknown key", "betta: 0.1\n", 2, [":1", "\"betta\"", "\"beta\""]),
    ("a key far from all", "colour: red\n", 2, [":1", "colour"]),
    ("a wrong type", "method: srpo\nbeta: low\n", 2, [":2", "beta", "low"]),
    ("a flag that is no flag", "full: perhaps\n", 2, [":1", "full", "perhaps"]),
    ("a number with a fraction", "steps: 1.5\n", 2, [":1", "steps", "1.5"]),
    ("a list for a number", "steps: [1, 2]\n", 1, [":1", "flat"]),
    ("a mapping in the mapping", "lora:\n  rank: 4\n", 1, [":2", "flat"]),
    ("no mapping", "- beta\n", 1, [":1", "flat"]),
    ("an alias", "beta: &x 1\nalpha: *x\n", 1, [":2", "flat"]),
    ("an open bracket", "beta: [\n", 1, [":"]),
    ("a tab", "beta:\t- 1\n\t- 2\n", 1, [":"]),
    ("a key twice", "beta: 1\nalpha: 1\nbeta: 2\n", 1, [":3", "\"beta\"", "twice"]),
    ("a value left out", "beta:\n", 2, [":1", "beta", "number"]),
    ("a second document", "beta: 1\n---\nbeta: 2\n", 1, [":2", "document"]),
    ("an option of the command line alone", "config: more.yaml\n", 2, [":1", "config"]),
    ("alpha out of range", "model: m\ndata: d\nout: o\nmethod: srpo\nalpha: 1.5\n", 2, ["alpha", "1.5", "[0, 1]"]),
    ("beta out of range", "model: m\ndata: d\nout: o\nmethod: dpo\nbeta: -1\n", 2, ["beta", "-1", "positive"]),
    ("nothing", "", 2, ["--model"]),
    ("a byte that is no UTF-8", b"beta: \xff\n", 1, [":1"]),
    ("a zero", b"beta: \0\n", 1, [":1"]),
    ("brackets without end", "beta: " + "[" * 3000 + "\n", 1, [":1"]),
]

# adapter_config.json: name, changed keys, what is said.
ADAPTERS = [
    ("a kind that is not LoRA", {"peft_type": "IA3"}, ["IA3"]),
    ("a rank that the file has not", {"r": 3}, ["rank 3"]),
    ("a rank of 0", {"r": 0}, ["rank", "0"]),
    ("DoRA", {"use_dora": True}, ["use_dora"]),
    ("biases", {"bias": "all"}, ["bias", "all"]),
    ("no target", {"target_modules": []}, ["target_modules"]),
    ("a target that is not there", {"target_modules": ["c_attn"]}, ["c_attn"]),
    ("more targets than the file has", {"target_modules": ["q_proj", "v_proj", "o_proj"]}, ["o_proj"]),
    ("an alpha of 0", {"lora_alpha": 0}, ["alpha", "0"]),
    ("a dropout of 1", {"lora_dropout": 1}, ["adapter_config.json", "dropout", "[0, 1)"]),
    ("a target that is a number", {"target_modules": ["q_proj", 7]}, ["adapter_config.json", "target_modules", "entry 1"]),
    ("ranks by layer", {"rank_pattern": {"q_proj": 4}}, ["rank_pattern"]),
]


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


class Table(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.must("init", "--tokenizer", cls.tokenizer, "--width", 24, "--layers", 1, "--heads", 2, "--hidden", 8, "--out",
                 cls.path("other"))
        for model, run in ((cls.model, "run"), (cls.path("other"), "other-run")):
            cls.must("train", "--model", model, "--data", cls.data, "--method", "srpo", "--steps", 1, "--threads", 1, "--quiet",
                     "--out", cls.path(run))
        cls.adapter = cls.path("run", "final")
        with open(os.path.join(cls.model, "model.safetensors"), "rb") as file:
            content = file.read()
        length = struct.unpack("<Q", content[:8])[0]
        cls.header, cls.tensors = json.loads(content[8:8 + length]), content[8 + length:]

    def setUp(self):
        self.out = self.path("out")

    def named(self, arguments):
        names = {"MODEL": self.model, "DATA": self.data, "OUT": self.out, "TOKENIZER": self.tokenizer, "ADAPTER": self.adapter,
                 "OTHER": self.path("other"), "OTHER-ADAPTER": self.path("other-run", "final"), "RUN": self.path("run"),
                 "a=MODEL": "a=" + self.model, "DATA/run": self.data + "/run"}
        if arguments[0] == "TRAIN":
            arguments = ["train", "--model", "MODEL", "--data", "DATA", "--method", "srpo", "--out", "OUT", "--quiet", *arguments[1:]]
        return [names.get(a, a) for a in arguments]

    def listing(self):
        """Everything below the root: names, lengths and times of change. A case must leave it as it was."""
        found = {}
        for folder, folders, files in os.walk(self.root):
            for name in folders + files:
                path = os.path.join(folder, name)
                state = os.lstat(path)
                found[os.path.relpath(path, self.root)] = (state.st_size, state.st_mtime_ns) if name in files else None
        return found

    def refuse(self, name, arguments, says, code=1, alone=True, **more):
        """One case of the table. `alone`: nobody else writes below the root meanwhile."""
        with self.subTest(name=name):
            shutil.rmtree(self.out, ignore_errors=True)
            before = self.listing()
            done = hone(*arguments, **more)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, r"\A(hone|hone-conformance)( \w+)*: [^\n]*\S\n\Z", "one line, from hone")
            self.assertLess(len(done.stderr), 1040)
            self.assertNotRegex(done.stderr, NOISE)
            self.assertRegex(done.stderr, REMEDY, "what to do about it is missing")
            for text in says:
                self.assertIn(self.out if text == "OUT" else text, done.stderr)
            if alone:
                self.assertEqual(self.listing(), before, "something was left behind")

    def folder(self, base, name="damaged"):
        shutil.rmtree(self.path(name), ignore_errors=True)
        return shutil.copytree(base, self.path(name))

    def damaged(self, base, file, content):
        folder = self.folder(base)
        with open(os.path.join(folder, file), "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        return folder

    def changed(self, base, file, changes):
        with open(os.path.join(base, file), encoding="utf-8") as source:
            content = json.load(source)
        for key, value in changes.items():
            content.pop(key, None)
            if value is not None:
                content[key] = value
        return self.damaged(base, file, json.dumps(content))

    def train(self, *more, model=None, data=None):
        return ["train", "--model", model or self.model, "--data", data or self.data, "--method", "srpo", "--out", self.out,
                "--threads", 1, "--quiet", *more]

    def generate(self, folder, *more):
        return ["generate", "--model", folder, "--prompt", "a", "--max-tokens", 1, *more]

    def test_rows(self):
        for name, line, says in ROWS:
            content = GOOD.encode() + (line if isinstance(line, bytes) else line.encode()) + b"\n" + GOOD.encode()
            path = self.write("wrong.jsonl", content)
            self.refuse(name, self.train(data=path), [path + ":2", *says])

    def test_files_of_rows(self):
        packed = gzip.compress(GOOD.encode() * 50)
        zstd = subprocess.run(["zstd", "-q", "-c"], input=GOOD.encode() * 50, stdout=subprocess.PIPE, check=True).stdout
        for name, file, content, says in (
                ("an empty file", "wrong.jsonl", b"", ["no row"]), ("blank lines", "wrong.jsonl", b"\n \n\n", ["no row"]),
                ("a cut .gz", "wrong.jsonl.gz", packed[:len(packed) // 2], []),
                ("a .gz with a changed byte", "wrong.jsonl.gz", packed[:-6] + b"\x55" + packed[-5:], []),
                ("a cut .zst", "wrong.jsonl.zst", zstd[:len(zstd) // 2], []),
                ("one line without end", "wrong.jsonl", b'{"prompt":"' + b"a" * (65 << 20), ["longer"])):
            path = self.write(file, content)
            self.refuse(name, self.train(data=path), [path, *says])

    def test_configurations_of_models(self):
        for name, changes, says in CONFIGS:
            folder = self.changed(self.model, "config.json", changes)
            self.refuse(name, self.generate(folder), [folder, *says])
        for name, content, says in (("no JSON", "{", ["config.json"]), ("a list", "[]", ["config.json"]), ("nothing", "", ["config.json"])):
            self.refuse(name, self.generate(self.damaged(self.model, "config.json", content)), says)

    def tensor(self, **changes):
        """The header with one tensor changed."""
        header = json.loads(json.dumps(self.header))
        header["model.norm.weight"].update(changes)
        return header

    def test_weights(self):
        norm = self.header["model.norm.weight"]
        begin, end = norm["data_offsets"]
        self.assertEqual(end, len(self.tensors), "the case below takes the last tensor away")
        other = next(t["data_offsets"] for n, t in self.header.items()
                     if n not in ("model.norm.weight", "__metadata__") and t["data_offsets"][1] - t["data_offsets"][0] == end - begin)
        twice = json.dumps(self.header)[:-1] + ', "model.norm.weight": ' + json.dumps(norm) + "}"
        without = {name: t for name, t in self.header.items() if name != "model.norm.weight"}
        for name, content, says in (
                ("an empty file", b"", []), ("seven bytes", b"\0" * 7, []),
                ("a header of 2^63 bytes", struct.pack("<Q", 1 << 63) + b"{}", ["header"]),
                ("a header of 2^64 - 1 bytes", struct.pack("<Q", (1 << 64) - 1) + b"{}", ["header"]),
                ("a header longer than the file", struct.pack("<Q", 1000) + b"{}", ["header"]),
                ("a header that is no JSON", safetensors(b"{,}"), []), ("a header that is a list", safetensors(b"[]"), []),
                ("no tensor", safetensors({}), []),
                ("a tensor beyond the file", safetensors(self.tensor(data_offsets=[begin, end + (1 << 40)]), self.tensors), ["model.norm.weight"]),
                ("a tensor that ends before it begins", safetensors(self.tensor(data_offsets=[end, begin]), self.tensors), ["model.norm.weight"]),
                ("offsets below zero", safetensors(self.tensor(data_offsets=[-8, end]), self.tensors), ["model.norm.weight"]),
                ("overlapping tensors", safetensors(self.tensor(data_offsets=other), self.tensors), ["model.norm.weight"]),
                ("a shape that is not its bytes", safetensors(self.tensor(shape=[15]), self.tensors), ["model.norm.weight"]),
                ("a shape of 2^62", safetensors(self.tensor(shape=[1 << 62, 4]), self.tensors), ["model.norm.weight"]),
                ("a shape below zero", safetensors(self.tensor(shape=[-16]), self.tensors), ["model.norm.weight"]),
                ("nine dimensions", safetensors(self.tensor(shape=[1] * 8 + [16]), self.tensors), ["model.norm.weight"]),
                ("a dtype that is not known", safetensors(self.tensor(dtype="F4"), self.tensors), ["model.norm.weight", "F4"]),
                ("a dtype of other length", safetensors(self.tensor(dtype="F64"), self.tensors), ["model.norm.weight"]),
                ("a tensor without dtype", safetensors({**self.header, "model.norm.weight": {"shape": [16], "data_offsets": [begin, end]}}, self.tensors),
                 ["model.norm.weight", "dtype"]),
                ("a tensor twice", safetensors(twice.encode(), self.tensors), ["duplicate"]),
                ("a tensor missing", safetensors(without, self.tensors[:begin]), ["model.norm.weight"]),
                ("a tensor too many", safetensors({**self.header, "model.norm.bias": {**norm, "data_offsets": [end, end + 64]}}, self.tensors + bytes(64)),
                 ["model.norm.bias"]),
                ("a file cut short", safetensors(self.header, self.tensors[:-100]), [])):
            folder = self.damaged(self.model, "model.safetensors", content)
            self.refuse(name, self.generate(folder), ["damaged", *says])
            self.refuse(name + ", trained", self.train(model=folder), ["damaged", *says])

    def test_numbers_that_are_none(self):
        begin, _ = self.header["model.norm.weight"]["data_offsets"]
        for name, value in (("a weight that is NaN", float("nan")), ("a weight that is infinite", float("inf"))):
            data = bytearray(self.tensors)
            data[begin + 8:begin + 12] = struct.pack("<f", value)
            folder = self.damaged(self.model, "model.safetensors", safetensors(self.header, bytes(data)))
            what = ["model.norm.weight[2]", "nan" if value != value else "inf"]
            self.refuse(name, self.train("--full", model=folder), ["damaged", *what])
            self.refuse(name + ", in 8 bits", self.train("--base-dtype", "q8", model=folder), what)
            self.refuse(name + ", without a reference", self.train("--method", "simpo", model=folder), ["damaged", *what])
            self.refuse(name + ", evaluated", ["eval", "--model", folder, "--data", self.data, "--out", self.out, "--max-tokens", 2], what)
            self.refuse(name + ", sampled", self.generate(folder), ["model.norm.weight"])

        with open(os.path.join(self.adapter, "adapter_model.safetensors"), "rb") as file:
            content = bytearray(file.read())
        content[-4:] = struct.pack("<f", float("nan"))
        folder = self.damaged(self.adapter, "adapter_model.safetensors", bytes(content))
        self.refuse("an adapter's weight that is NaN", self.train("--adapter", folder), ["damaged", "lora_", "nan"])
        self.refuse("an adapter's weight that is NaN, sampled", self.generate(self.model, "--adapter", folder), ["damaged", "lora_", "nan"])

    def test_shards(self):
        index = {"metadata": {}, "weight_map": {name: "part.safetensors" for name in self.header if name != "__metadata__"}}
        folder = self.folder(self.model)
        os.rename(os.path.join(folder, "model.safetensors"), os.path.join(folder, "part.safetensors"))
        for name, change, says in (
                ("a shard that is missing", {"model.norm.weight": "no.safetensors"}, ["no.safetensors"]),
                ("a shard outside the folder", {"model.norm.weight": "../part.safetensors"}, ["../part.safetensors"]),
                ("a shard with a whole path", {"model.norm.weight": "/etc/passwd"}, ["/etc/passwd"]),
                ("a shard that is a number", {"model.norm.weight": 7}, ["model.norm.weight"]),
                ("a tensor that its shard lacks", {"model.nothing": "part.safetensors"}, ["model.nothing"])):
            with open(os.path.join(folder, "model.safetensors.index.json"), "w", encoding="utf-8") as file:
                json.dump({**index, "weight_map": {**index["weight_map"], **change}}, file)
            self.refuse(name, self.generate(folder), says)

    def test_tokenizers(self):
        with open(os.path.join(self.model, "tokenizer.json"), encoding="utf-8") as file:
            good = json.load(file)
        vocab, merges = good["model"]["vocab"], good["model"]["merges"]
        first = merges[0] if isinstance(merges[0], list) else merges[0].split(" ")

        def model(**changes):
            return json.dumps({**good, "model": {**good["model"], **changes}})

        holed = {token: i for token, i in vocab.items() if token != "".join(first)}
        for name, content, says in (
                ("no JSON", "{", []), ("a list", "[]", []), ("no model", json.dumps({"added_tokens": []}), ["model"]),
                ("a kind that is not known", model(type="Unigram"), ["Unigram", "BPE"]),
                ("no vocabulary", model(vocab={}), ["vocab"]),
                ("an id twice", model(vocab={**vocab, "zzzz": 3}), ["3"]),
                ("an id below zero", model(vocab={**vocab, "zzzz": -3}), ["zzzz"]),
                ("an id beyond counting", model(vocab={**vocab, "zzzz": 1 << 40}), ["zzzz"]),
                ("an id that is a text", model(vocab={**vocab, "zzzz": "7"}), ["zzzz"]),
                ("a merge whose result is missing", model(vocab=holed), ["merge", first[1]]),
                ("a merge of what is not there", model(merges=[*merges, "qqq www"]), ["qqq"]),
                ("a merge of one part", model(merges=[*merges, "qqq"]), ["merge", "pair"]),
                ("merges that are no list", model(merges={}), ["merges"]),
                ("a pattern that is none", json.dumps({**good, "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated",
                                                                                 "invert": False}}), ["("]),
                ("a pre-tokenizer that is not known", json.dumps({**good, "pre_tokenizer": {"type": "Magic"}}), ["Magic"]),
                ("a normalizer that is not known", json.dumps({**good, "normalizer": {"type": "Magic"}}), ["Magic"])):
            folder = self.damaged(self.model, "tokenizer.json", content)
            self.refuse(name, self.generate(folder), ["tokenizer.json", *says])

    def test_ends_of_tokenizers(self):
        for name, content, says in (
                ("no JSON", "{", ["line 1"]), ("a list", "[]", ["object"]), ("an end that is a number", '{"eos_token":2}', ["eos_token"]),
                ("an end without content", '{"eos_token":{"lstrip":false}}', ["eos_token", "content"]),
                ("a beginning that is a list", '{"bos_token":["<s>"]}', ["bos_token"])):
            self.refuse(name, self.generate(self.damaged(self.model, "tokenizer_config.json", content)), ["tokenizer_config.json", *says])
            folder = self.damaged(self.model, "special_tokens_map.json", content)
            os.remove(os.path.join(folder, "tokenizer_config.json"))
            self.refuse(name + ", in the map", self.generate(folder), ["special_tokens_map.json", *says])
        os.remove(os.path.join(folder, "special_tokens_map.json"))
        for name, content, says in (("ids that are none", '{"eos_token_id":[true]}', ["eos_token_id"]), ("a number", "7", ["column"])):
            with open(os.path.join(folder, "generation_config.json"), "w", encoding="utf-8") as file:
                file.write(content)
            self.refuse(name, self.generate(folder), ["generation_config.json", *says])

    def test_texts(self):
        """What a tokenizer is trained on: rows or lines, packed or not, and nothing is taken for a text that is damage."""
        rows = GOOD.encode() * 50
        zstd = subprocess.run(["zstd", "-q", "-c"], input=rows, stdout=subprocess.PIPE, check=True).stdout
        for name, file, content, says in (
                ("a row that is none", "texts.jsonl", rows + b'{"prompt": \n', [":51, column"]),
                ("a text among rows", "texts.jsonl", rows + b"plain\n", [":51, column"]),
                ("a byte that is no UTF-8 in a row", "texts.jsonl", GOOD.encode() + b'{"a":"\xe9"}\n', [":2, column", "0xe9"]),
                ("a byte that is no UTF-8 in a line", "texts.txt", b"a b\nc \xe9\n", [":2", "0xe9"]),
                ("blank lines of text", "texts.txt", b"\n \n", ["no text"]), ("a cut .gz of texts", "texts.gz", gzip.compress(rows)[:40], []),
                ("a cut .zst of texts", "texts.zst", zstd[:len(zstd) // 2], [])):
            path = self.write(file, content)
            self.refuse(name, ["tokenizer", "train", "--data", path, "--out", self.out], [path, *says])
        made = set()
        for content in (rows, gzip.compress(rows), zstd):
            self.must("tokenizer", "train", "--data", self.write("texts.any", content), "--vocab", 270, "--out", self.out)
            with open(os.path.join(self.out, "tokenizer.json"), "rb") as file:
                made.add(file.read())
        self.assertEqual(len(made), 1)
        self.must("tokenizer", "train", "--data", self.write("zeros.txt", b"a b\n" + b"c\0d" * 500 + b"\n"), "--vocab", 270, "--out", self.out)

    def test_no_regular_files(self):
        """What is no file is refused where it is read: nobody waits for a pipe's writer, or takes it for absent."""
        run, judged = self.path("odd-run"), self.path("odd-eval")
        self.must("train", "--model", self.model, "--data", self.data, "--method", "srpo", "--steps", 1, "--quiet", "--eval-data",
                  self.data, "--eval-every", 1, "--out", run)
        evaluate = ["eval", "--model", self.model, "--data", self.data, "--max-tokens", 2, "--out", judged]
        self.must(*evaluate)
        report = ["report", run, judged, "--out", self.path("odd.html")]
        bench = ["bench", "pack", "--shape", "16,24,2,2,1,64", "--threads", 1, "--compare", self.write("bench.json", "{}")]
        for place, commands in (
                (os.path.join(run, "metrics.jsonl"), [["top", run], report]), (os.path.join(run, "eval.jsonl"), [report]),
                (os.path.join(run, "config.yaml"), [report, ["train", "--out", run, "--resume", "--quiet"]]),
                (os.path.join(judged, "drafts.jsonl"), [evaluate, report]), (os.path.join(judged, "results.json"), [report]),
                (self.path("bench.json"), [bench]), (self.data, [["data", "check", self.data]])):
            os.rename(place, place + ".kept")
            for kind, make in (("a pipe", os.mkfifo), ("a folder", os.mkdir), ("a circle of links", lambda p: os.symlink(p, p)),
                               ("a link to nowhere", lambda p: os.symlink("/no/where", p))):
                make(place)
                for command in commands:
                    says = [run, "config.yaml"] if command[0] == "train" else [place]
                    self.refuse(f"{kind} for {os.path.basename(place)}, {command[0]}", command, says)
                (os.rmdir if kind == "a folder" else os.remove)(place)
            os.rename(place + ".kept", place)
        for file in ("tokenizer_config.json", "generation_config.json", "model.safetensors.index.json"):
            folder = self.folder(self.model)
            place = os.path.join(folder, file)
            if file.startswith("model."):
                os.remove(os.path.join(folder, "model.safetensors"))
            if os.path.exists(place):
                os.remove(place)
            os.mkfifo(place)
            self.refuse(f"a pipe for {file}", self.generate(folder), [place])
        shutil.rmtree(run), shutil.rmtree(judged), shutil.rmtree(self.path("damaged"))

    def test_templates(self):
        for name, content, says in (
                ("no JSON", "{", []), ("no answer", '{"revision":["{prompt}","{draft}","{completion}"]}', ["answer"]),
                ("no revision", '{"answer":["{prompt}","{completion}"]}', ["revision"]),
                ("no prompt", '{"answer":["{completion}"],"revision":["{prompt}","{draft}","{completion}"]}', ["{prompt}"]),
                ("a revision without draft", '{"answer":["{prompt}","{completion}"],"revision":["{prompt}","{completion}"]}', ["{draft}"]),
                ("text after the completion", '{"answer":["{prompt}","{completion}","!"],"revision":["{prompt}","{draft}","{completion}"]}',
                 ["{completion}"]),
                ("a piece that is a number", '{"answer":[1],"revision":["{prompt}","{draft}","{completion}"]}', ["answer"])):
            path = self.write("template.json", content)
            self.refuse(name, self.train("--template", path), [path, *says])

    def test_adapters(self):
        for name, changes, says in ADAPTERS:
            folder = self.changed(self.adapter, "adapter_config.json", changes)
            self.refuse(name, self.generate(self.model, "--adapter", folder), [folder, *says])
        folder = self.damaged(self.adapter, "adapter_model.safetensors", b"")
        self.refuse("an empty adapter", self.generate(self.model, "--adapter", folder), ["adapter_model.safetensors"])

    def test_configurations(self):
        for name, text, code, says in YAML:
            path = self.write("wrong.yaml", text)
            self.refuse(name, ["train", "--config", path], [path, *says], code=code)

    def test_gguf(self):
        def head(version=3, tensors=0, values=0):
            return b"GGUF" + struct.pack("<IQQ", version, tensors, values)

        good = {"general.architecture": "llama", "llama.embedding_length": 16, "llama.feed_forward_length": 24, "llama.block_count": 1,
                "llama.attention.head_count": 2, "llama.context_length": 64}
        tensors = [("token_embd.weight", [16, 8], 0, 0), ("output_norm.weight", [16], 0, 512)]

        def made(values=(), tensors=tensors, data=bytes(1024)):
            """Keys with None are taken away; a tensor is a name, extents, a type and an offset."""
            def text(value):
                return struct.pack("<Q", len(value)) + value.encode()

            kept = {key: value for key, value in {**good, **dict(values)}.items() if value is not None}
            out = head(3, len(tensors), len(kept))
            for key, value in kept.items():
                out += text(key) + (struct.pack("<I", 8) + text(value) if isinstance(value, str) else struct.pack("<Iq", 11, value))
            for name, extents, kind, offset in tensors:
                out += text(name) + struct.pack(f"<I{len(extents)}QIQ", len(extents), *extents, kind, offset)
            return out + bytes(-len(out) % 32) + data

        for name, content, says in (
                ("another architecture", made({"general.architecture": "mamba"}), ["mamba", "llama"]),
                ("no architecture", made({"general.architecture": None}), ["general.architecture"]),
                ("an architecture that is a number", made({"general.architecture": 7}), ["general.architecture"]),
                ("no heads in GGUF", made({"llama.attention.head_count": 0}), ["head_count", "0"]),
                ("no width in GGUF", made({"llama.embedding_length": None}), ["llama.embedding_length"]),
                ("a width that is a text in GGUF", made({"llama.embedding_length": "16"}), ["llama.embedding_length"]),
                ("layers without end in GGUF", made({"llama.block_count": 1 << 50}), ["num_hidden_layers", str(1 << 50)]),
                ("an alignment of 0", made({"general.alignment": 0}), ["general.alignment", "0"]),
                ("an alignment that is no power of 2", made({"general.alignment": 48}), ["general.alignment", "48"]),
                ("a tensor outside the GGUF file", made(tensors=[tensors[0], ("output_norm.weight", [16], 0, 1 << 40)]), ["output_norm.weight"]),
                ("an offset that is not aligned", made(tensors=[tensors[0], ("output_norm.weight", [16], 0, 520)]), ["output_norm.weight"]),
                ("a GGUF type that is not known", made(tensors=[tensors[0], ("output_norm.weight", [16], 77, 512)]), ["output_norm.weight", "77", "Q8_0"]),
                ("extents of 2^62", made(tensors=[("token_embd.weight", [1 << 62, 8], 0, 0)]), ["token_embd.weight"]),
                ("an extent of 0", made(tensors=[("token_embd.weight", [16, 0], 0, 0)]), ["vocab_size", "0"]),
                ("seven dimensions", made(tensors=[("token_embd.weight", [1] * 7, 0, 0)]), ["token_embd.weight", "7"]),
                ("a GGUF tensor twice", made(tensors=[tensors[0], tensors[0]]), ["token_embd.weight", "twice"]),
                ("no embedding", made(tensors=tensors[1:]), ["token_embd.weight"]),
                ("layers without weights", made(), ["blk.0."]),
                ("GGUF cut in its data", made(data=bytes(40)), ["token_embd.weight"]),
                ("an empty file", b"", []), ("another magic", b"GGML" + bytes(60), []), ("an old version", head(1), ["1"]),
                ("a version to come", head(99), ["99"]), ("tensors without end", head(3, 1 << 60), []),
                ("values without end", head(3, 0, 1 << 60), []), ("a name longer than the file", head(3, 0, 1) + struct.pack("<Q", 1 << 50), []),
                ("nothing in it", head(), ["tensor"])):
            path = self.write("wrong.gguf", content)
            self.refuse(name, ["convert", path, self.out], [path, *says])

    def test_values_of_every_option(self):
        """Of every verb, as its help lists them: an option without its value, a number that is none, a flag with a value."""
        verbs = {verb: [verb] for verb in test_cli.VERBS if verb not in ("check", "bench", "data", "tokenizer")}
        verbs.update({"data check": ["data", "check"], "tokenizer train": ["tokenizer", "train"]})
        verbs.update({f"bench {part}": ["bench", part] for part in ("step", "decode", "gemm", "pack", "revise", "load", "checkpoint")})
        numbers = 0
        for verb, words in verbs.items():
            listed = re.findall(r"^ {2,6}(?:-\w, )?--([\w-]+)(?:=(\S+))?", self.must(*words, "--help").stdout, re.M)
            self.assertGreater(len(listed), 1, verb)
            for option, value in listed:
                if option == "help":
                    continue
                if not value:
                    self.refuse(f"{verb} --{option}=7", [*words, f"--{option}=7"], [f"--{option}"], code=2)
                    continue
                self.refuse(f"{verb} --{option}", [*words, f"--{option}"], [f"--{option}", "needs a value"], code=2)
                if verb != "train":  # reads its numbers itself
                    done = hone(*words, f"--{option}=1x")
                    if "must be a" in done.stderr and "1x" in done.stderr:
                        numbers += 1
                        self.refuse(f"{verb} --{option}=1x", [*words, f"--{option}=1x"], [f"--{option}", "\"1x\""], code=2)
        self.assertGreater(numbers, 60)

    def test_an_option_twice(self):
        """The later one wins, texts and numbers alike (and nothing is leaked, say the sanitizers)."""
        first = self.must("generate", "--model", "/no/model", "--model", self.model, "--prompt", "a", "--prompt", "b", "--max-tokens", 1,
                          "--max-tokens", 2, "--json").stdout
        self.assertEqual(first, self.must("generate", "--model", self.model, "--prompt", "b", "--max-tokens", 2, "--json").stdout)

    def test_checkpoints(self):
        base = self.path("run")
        checkpoint = os.path.join("checkpoints", sorted(os.listdir(os.path.join(base, "checkpoints")))[-1])
        with open(os.path.join(base, checkpoint), "rb") as file:
            good = file.read()

        def resume(content, *more):
            return ["train", "--out", self.damaged(base, checkpoint, content), "--resume", "--steps", 2, "--quiet", *more]

        flipped = bytearray(good)
        flipped[len(good) // 2] ^= 4
        for name, content in (("an empty checkpoint", b""), ("a checkpoint cut short", good[:-40]), ("a flipped bit", bytes(flipped)),
                              ("text for a checkpoint", b"not a checkpoint\n" * 99), ("an index beyond the file", good[:-16] + b"\xff" * 16)):
            self.refuse(name, resume(content), ["checkpoints"])
        other = self.write("more.jsonl", GOOD * 4)
        self.refuse("other data", resume(good, "--data", other), ["data"])
        self.refuse("another seed", resume(good, "--seed", 5), ["seed"])
        self.refuse("another method", resume(good, "--method", "dpo"), ["method"])
        self.refuse("another batch", resume(good, "--batch-pairs", 3), ["batch"])
        self.refuse("another model", resume(good, "--model", self.path("other")), [])

    def test_options(self):
        for name, arguments, code, says in OPTIONS:
            self.refuse(name, self.named(arguments), says, code=code)

    def test_a_full_disk(self):
        for arguments in (["generate", "--model", self.model, "--prompt", "a", "--max-tokens", 4], ["inspect", "--model", self.model],
                          ["devices"], ["score", "--model", self.model, "--data", self.data, "--method", "dpo"], ["train", "--help"],
                          ["data", "check", self.data], ["bandit", "--steps", 2], ["--help"], ["--version"]):
            with self.subTest(verb=arguments[0]), open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([test_cli.HONE, *map(str, arguments)], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertEqual(done.stderr, "hone: the result could not be written to standard output\n")

    def limited(self, *arguments):
        """On a disk that takes 200 bytes a file and no more: what fails is the writing, with an errno like a full disk's."""
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))

        return subprocess.run([test_cli.HONE, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                              preexec_fn=limit, restore_signals=False)

    def test_a_full_disk_below_a_folder(self):
        data = self.path("crowded.jsonl")
        shutil.copy(self.data, data)
        small = ["--max-tokens", 24, "--out", self.out]
        for name, arguments, file in (
                ("init", ["init", "--tokenizer", self.tokenizer, "--width", 16, "--layers", 1, "--heads", 2, "--hidden", 8, "--out", self.out],
                 "model.safetensors"),
                ("tokenizer", ["tokenizer", "train", "--data", data, "--vocab", 270, "--out", self.out], "tokenizer.json"),
                ("train", self.train(data=data), "config.yaml"),
                ("merge", ["merge", "--model", self.model, "--adapter", self.adapter, "--out", self.out], "model.safetensors"),
                ("eval", ["eval", "--model", self.model, "--data", data, *small], "drafts.jsonl"),
                ("pairs", ["pairs", "--model", self.model, "--data", data, "--judge", "chrf", *small], "drafts.jsonl")):
            with self.subTest(name=name):
                shutil.rmtree(self.out, ignore_errors=True)
                done = self.limited(*arguments)
                lines = [line for line in done.stderr.split("\n") if line.startswith("hone: ") and "warning" not in line]
                self.assertEqual((done.returncode, done.stdout, len(lines)), (1, "", 1), done.stderr)
                self.assertIn(os.path.join(self.out, file), lines[0])
                self.assertRegex(lines[0], r"File too large: make room|is the disk full\?")
                left = sorted(os.listdir(self.out)) if os.path.exists(self.out) else []
                self.assertIn(left, ([], ["metrics.jsonl"], ["drafts.jsonl"]), "something was left half-written")
                if name != "pairs":  # a random model's answers make none
                    self.must(*arguments)  # with room, the same command in the same folder

    def test_a_full_file_system(self):
        place = self.path("small")
        os.makedirs(place, exist_ok=True)
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", place], stderr=subprocess.PIPE, text=True, check=False)
        if mount.returncode != 0:
            self.skipTest("a tmpfs can't be mounted here: " + mount.stderr.strip())
        try:
            done = hone(*self.train()[:-5], "--out", os.path.join(place, "run"), "--threads", 1, "--quiet")
            self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
            self.assertRegex(done.stderr, r"\Ahone: [^\n]*No space left on device: make room[^\n]*\n\Z")
            self.assertFalse(os.path.exists(os.path.join(place, "run", "final")))
        finally:
            subprocess.run(["umount", place], check=True)

    def test_a_closed_pipe(self):
        """Who reads no more is not told about it: the program ends as others do."""
        for arguments in (["generate", "--model", self.model, "--data", self.data, "--max-tokens", 64, "--json"], ["train", "--help"]):
            with self.subTest(verb=arguments[0]):
                process = subprocess.Popen([test_cli.HONE, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                process.stdout.close()
                errors = process.stderr.read().decode()
                process.stderr.close()
                self.assertEqual(process.wait(60), -13, errors)
                self.assertNotIn("hone:", errors)

    def test_two_runs_in_one_folder(self):
        out = self.path("shared")
        arguments = [a if a != self.out else out for a in self.train("--steps", 100000)]
        with subprocess.Popen([test_cli.HONE, *map(str, arguments)], stderr=subprocess.DEVNULL) as first:
            while not os.path.exists(os.path.join(out, "config.yaml")):
                time.sleep(0.01)
                self.assertIsNone(first.poll())
            before = sorted(os.listdir(out))
            self.refuse("a second run", ["train", "--out", out, "--resume", "--quiet"], [out, f"process {first.pid} "], alone=False)
            self.refuse("a second run, begun anew", arguments, [out, f"process {first.pid} "], alone=False)
            self.assertEqual(sorted(os.listdir(out)), before)
            self.assertIsNone(first.poll())
            first.terminate()
            self.assertEqual(first.wait(60), 143)
        self.must("train", "--out", out, "--resume", "--steps", len(self.metrics(out)) + 1, "--quiet")
        self.assertNotIn(".lock", os.listdir(out))

    def test_two_evaluations_in_one_folder(self):
        """The second is refused, and goes on when the first was killed: no lock outlives its process."""
        out = self.path("judged")
        arguments = ["eval", "--model", self.model, "--data", self.data, "--out", out, "--max-tokens", 4]
        slow = ["--judge", "command", "--judge-command", "exec cat > /dev/null"]  # reads, and never answers; ends with who asks
        with subprocess.Popen([test_cli.HONE, *map(str, arguments + slow)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as first:
            drafts = os.path.join(out, "drafts.jsonl")
            while not os.path.exists(drafts) or os.path.getsize(drafts) == 0:
                time.sleep(0.01)
                self.assertIsNone(first.poll())
            self.refuse("a second evaluation", arguments, [out, f"process {first.pid} "], alone=False)
            self.refuse("pairs into an evaluation", ["pairs", *arguments[1:], "--judge", "chrf"], [out, f"process {first.pid} "], alone=False)
            self.assertIsNone(first.poll())
            first.kill()
        self.must(*arguments)
        self.assertEqual(sorted(os.listdir(out)), ["drafts.jsonl", "results.json"])

    def test_a_judge_that_is_not_there(self):
        """The shell says it in its own words as well; the drafts are kept for a judge that can be found."""
        done = hone("eval", "--model", self.model, "--data", self.data, "--out", self.path("unjudged"), "--max-tokens", 2, "--judge",
                    "command", "--judge-command", "/no/judge")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        last = done.stderr.splitlines()[-1]
        self.assertRegex(last, r'\Ahone: judge command "/no/judge": [^\n]*127[^\n]*is the path right\?\Z')
        self.assertEqual(os.listdir(self.path("unjudged")), ["drafts.jsonl"])

    def test_the_table_is_long(self):
        self.assertGreater(len(ROWS) + len(CONFIGS) + len(OPTIONS) + len(YAML) + len(ADAPTERS), 150)


if __name__ == "__main__":
    test_cli.HONE = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
