"""Every sentence against the passage that it cites."""

import re


def checked(answer, passages, support, threshold=0.5):
    """Return what of an answer stands in the passages."""
    kept, withheld, asked = [], [], 0
    for sentence in answer.split("."):
        cited = [int(n) for n in re.findall(r"\[(\d+)\]", sentence)]
        good = [n for n in cited if support(sentence, passages[n - 1]) > threshold]
        asked += len(cited)
        if good or not cited:
            kept.append(sentence)
        else:
            withheld.append(sentence)
    return {"text": ".".join(kept), "withheld": withheld, "asked": asked}
