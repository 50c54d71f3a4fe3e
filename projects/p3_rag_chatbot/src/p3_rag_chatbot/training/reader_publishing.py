"""A trained reader as files: the adapter in peft's form, its calibration, its card.

`adapter_config.json` and `adapter_model.safetensors` are what peft reads and writes (the heads are
in the second too, under their names); `calibration.json` is `reading.spans.Calibration`;
`card.json` says what it was trained on and how good it is. What serves merges them:
`embedding/lora.py`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer
from torch import nn

from p3_rag_chatbot.peft_files import write_text
from p3_rag_chatbot.reading.spans import Calibration
from p3_rag_chatbot.training.cards import Card
from p3_rag_chatbot.training.examples import Example
from p3_rag_chatbot.training.peft_adapters import write_peft
from p3_rag_chatbot.training.reader_network import TARGETS, ReaderNetwork, adapter_tensors
from p3_rag_chatbot.training.reader_training import answer_all


def calibrate(
    model: nn.Module, tokenizer: Tokenizer, asked: Sequence[Example], claims: Sequence[Example]
) -> Calibration:
    """Fit the probabilities on held-out questions and claims (Platt 1999)."""
    answers = answer_all(model, tokenizer, asked)
    x = np.array([(one.difference, one.answerable) for one in answers])
    fitted = LogisticRegression().fit(x, [one.holds for one in asked])
    values = {
        "difference": float(fitted.coef_[0, 0]),
        "answerable": float(fitted.coef_[0, 1]),
        "intercept": float(fitted.intercept_[0]),
    }
    if len({one.holds for one in claims}) == 2:
        logit = np.array([[one.answerable] for one in answer_all(model, tokenizer, claims)])
        supported = LogisticRegression().fit(logit, [one.holds for one in claims])
        values["support_slope"] = float(supported.coef_[0, 0])
        values["support_intercept"] = float(supported.intercept_[0])
    return Calibration(**{name: round(value, 6) for name, value in values.items()})


def write_reader(
    folder: Path, network: ReaderNetwork, calibration: Calibration, card: Card, *, rank: int
) -> None:
    """Write the four files; each is replaced atomically, the tensors first."""
    write_peft(
        folder, adapter_tensors(network), base="sentence-transformers/all-MiniLM-L6-v2",
        task="FEATURE_EXTRACTION", targets=TARGETS, rank=rank,
    )  # fmt: skip
    write_text(folder / "calibration.json", calibration.model_dump_json(indent=2))
    write_text(folder / "card.json", card.model_dump_json(indent=2))


def figures(found: Mapping[str, float]) -> dict[str, float]:
    """Round measured shares as they are told."""
    return {name: round(value, 4) for name, value in found.items()}
