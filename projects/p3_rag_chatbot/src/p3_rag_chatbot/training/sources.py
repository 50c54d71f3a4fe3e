"""What the data sets are called, under which licence they come, and where they are described."""

from collections.abc import Mapping

from p3_rag_chatbot.training.cards import Source

_KNOWN = {
    "squad2_dev_part": ("SQuAD 2.0, development articles", "CC BY-SA 4.0", "Rajpurkar et al. 2018"),
    "squad11_dev_rest": ("SQuAD 1.1, development articles", "CC BY-SA 4.0",
                         "Rajpurkar et al. 2016"),
    "squadshifts_new_wiki": ("SQuADShifts, new Wikipedia", "CC BY 4.0", "Miller et al. 2020"),
    "squadshifts_reddit": ("SQuADShifts, Reddit", "CC BY 4.0", "Miller et al. 2020"),
    "squadshifts_amazon_reviews": ("SQuADShifts, Amazon reviews", "CC BY 4.0",
                                   "Miller et al. 2020"),
    "policyqa_train": ("PolicyQA", "MIT", "Ahmad et al. 2020"),
    "covidfact": ("CovidFact", "see its source", "Saakyan et al. 2021"),
    "healthver_dev": ("HealthVer", "see its source", "Sarrouti et al. 2021"),
    "sgd": ("Schema-Guided Dialogue, slot spans", "CC BY-SA 4.0", "Rastogi et al. 2020"),
    "seal": ("Seal-Tools", "Apache-2.0", "Wu et al. 2024"),
    "nestful": ("NESTFUL, from Glaive and Schema-Guided Dialogue", "Apache-2.0",
                "Basu et al. 2024"),
    "Wiki1k:wikipedia": ("QAMR", "see its source", "Michael et al. 2018"),
    "subjqa": ("SubjQA", "see its source", "Bjerva et al. 2020"),
}  # fmt: skip


def described(counts: Mapping[str, int]) -> tuple[Source, ...]:
    """Describe each data set by the first part of its examples' groups, the largest first."""
    merged: dict[str, int] = {}
    for group, n in counts.items():
        merged[_key(group)] = merged.get(_key(group), 0) + n
    return tuple(
        Source(name=name, n_examples=n, licence=licence, reference=reference)
        for key, n in sorted(merged.items(), key=lambda one: -one[1])
        for name, licence, reference in [_KNOWN.get(key, (key, "the person's own", ""))]
    )


def _key(group: str) -> str:
    if group.startswith("Wiki1k"):
        return "Wiki1k:wikipedia"
    if group.endswith("-train"):
        return "subjqa"
    return "own" if group.startswith("line ") else group
