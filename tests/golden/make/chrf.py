"""chrF2 of pairs of sentences by sacrebleu: writes ../fixtures/chrf/chrf.json. Needs sacrebleu==2.6.0 alone."""
import json
import random
from pathlib import Path

import sacrebleu

WORDS = ("fast small tool library for reading writing images graphs Unicode text files in parallel the a an of "
         "network daemon viewer plugin C++ größe naïve 日本語 ファイル emoji🙂 données").split()


def pairs():
    yield "", ""
    yield "", "something"
    yield "something", ""
    yield "a", "a"
    yield "a", "b"
    yield "same text", "same text"
    yield "same  text\t\n", " sametext"
    yield "a\u00a0b\u2003c\x1cd\u0085e", "abcde"
    yield "aaaa", "aaaaaaaaaa"
    yield "abcabcabc", "abc"
    yield "shorter than six" , "short"
    yield "Upper Case", "upper case"
    draw = random.Random(1)
    for _ in range(60):
        reference = [draw.choice(WORDS) for _ in range(draw.randint(1, 12))]
        text = [word if draw.random() < 0.7 else draw.choice(WORDS) for word in reference if draw.random() < 0.9]
        if draw.random() < 0.3:
            draw.shuffle(text)
        yield " ".join(text), " ".join(reference)


metric = sacrebleu.CHRF()
cases = [{"text": text, "reference": reference, "chrf": metric.sentence_score(text, [reference]).score}
         for text, reference in pairs()]
out = Path(__file__).resolve().parent.parent / "fixtures" / "chrf" / "chrf.json"
out.parent.mkdir(exist_ok=True)
lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
out.write_text(f'{{"sacrebleu":"{sacrebleu.__version__}","signature":"{metric.get_signature()}","cases":[\n{lines}\n]}}\n')
