"""Every sentence against the passage that it cites."""

import re

SENTENCE = re.compile(r".*?[.!?]+(?=\s|\[|$)(?:\s*\[\d+\])*|.+$", re.DOTALL)
CITATION = re.compile(r"\s*\[(\d+)\]")
NOTHING = "The documents do not say."


def checked(answer, passages, support, threshold=0.5):
    """Return what of an answer stands in the passages, what does not, and how often was asked."""
    kept, withheld, asked = [], [], 0
    for part in SENTENCE.findall(answer):
        sentence = CITATION.sub("", part).strip()
        if not sentence:
            continue
        scores = {}

        def score(number, sentence=sentence, scores=scores):
            if number not in scores:
                scores[number] = support(sentence, passages[number - 1])
            return scores[number]

        cited = dict.fromkeys(int(number) for number in CITATION.findall(part))
        there = [number for number in cited if 1 <= number <= len(passages)]
        good = [number for number in there if score(number) >= threshold]
        if not good:
            best = max(range(1, len(passages) + 1), key=score, default=None)
            good = [best] if best is not None and score(best) >= threshold else []
        asked += len(scores)
        if good:
            kept.append(" ".join([sentence, *(f"[{number}]" for number in good)]))
        else:
            withheld.append(sentence)
    return {"text": " ".join(kept) or NOTHING, "withheld": withheld, "asked": asked}
