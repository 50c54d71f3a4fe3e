"""What graph is wanted of an encoder, and how its inputs and outputs are called.

Inputs, int64 (n, T): `input_ids`, `token_type_ids` and, of a padded graph, `attention_mask`.
Outputs by head: `embedding` (n, d), of length 1; or `start_logits` and `end_logits` (n, T),
`answerable` (n,). An open graph also has `hidden_states` (n, layers + 1, T, d) and `attentions`
(n, layers, heads, T, T). Loads no ONNX: who only runs a graph needs none.
"""

from dataclasses import dataclass
from typing import Literal

Head = Literal["embedding", "spans", "none"]
Precision = Literal["fp32", "int8"]

INPUT_IDS, TYPE_IDS, MASK = "input_ids", "token_type_ids", "attention_mask"
EMBEDDING = "embedding"
START, END, ANSWERABLE = "start_logits", "end_logits", "answerable"
HIDDEN_STATES, ATTENTIONS = "hidden_states", "attentions"
OUTSIDE = -1e4
"""Logit of a token that is not of the passage."""


@dataclass(frozen=True)
class GraphForm:
    """Which graph of the encoder.

    `int8` keeps embeddings and products in 8 bits, a quarter of the bytes; sums, normalisations and
    heads stay in float32. A graph that is not padded takes texts of one length at a time, and has
    the faster attention for it (`unpadded.py` runs it). An open one shows what is inside.
    """

    head: Head
    precision: Precision = "fp32"
    is_padded: bool = True
    is_open: bool = False

    @property
    def name(self) -> str:
        """The form in a word, such as `embedding-int8-unpadded`."""
        extras = ("" if self.is_padded else "-unpadded") + ("-open" if self.is_open else "")
        return f"{self.head}-{self.precision}{extras}"
