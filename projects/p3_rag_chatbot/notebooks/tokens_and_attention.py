# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# A notebook prints, shows what a cell ends in, claims with assert, and has its text in cells:
# ruff: noqa: D100, D103, ERA001, S101, T201

# %% [markdown]
# # Tokens and attention
#
# A language model reads neither letters nor words but pieces, and each piece looks at the others.
# Both are shown on the very model that embeds and reads in this phase: its tokenizer, and its first
# layer computed by hand from its weights.

# %%
import tempfile
from pathlib import Path

import numpy as np
from p3_rag_chatbot.embedding.minilm import SHAPE, find_minilm
from p3_rag_chatbot.embedding.tensor_files import read_tensors
from p3_rag_chatbot.embedding.tokens import WordPieces

files = find_minilm(Path(tempfile.mkdtemp()))
tokens = WordPieces.load(files.tokenizer)
weights = read_tensors(files.tensors)

# %% [markdown]
# ## What is counted
#
# Frequent words are one piece. Rare ones are spelled from several, `##` marking what continues a
# word. Prices and limits count pieces, so the same thing said in another language costs more: this
# vocabulary was made from English text.

# %%
for text in ("tokenization", "unbelievable", "Donaudampfschifffahrt", "3.14159", "naïve café"):
    pieces = tokens.pieces(text)
    print(f"{text}: {' '.join(piece.text for piece in pieces)}")
    assert all(0 <= piece.start < piece.end <= len(text) for piece in pieces)

same = {
    "English": "The train leaves the station at six in the morning.",
    "German": "Der Zug verlässt den Bahnhof um sechs Uhr morgens.",
    "Finnish": "Juna lähtee asemalta kuudelta aamulla.",
}
counted = dict(zip(same, tokens.count(list(same.values())), strict=True))
for language, text in same.items():
    n, n_words = counted[language], len(text.split())
    print(f"{language}: {n} tokens for {n_words} words, {n / n_words:.1f} a word")
per_word = {language: counted[language] / len(text.split()) for language, text in same.items()}
assert per_word["English"] < per_word["German"] < per_word["Finnish"]

# %% [markdown]
# ## What a model never sees
#
# It does not see letters: two spellings of one word share no piece. That is why language models
# stumble over counting letters and over digits. And capitals are gone here altogether.

# %%
spellings = ("harbour", "HARBOUR", "h a r b o u r")
ids = [tokens.ids([text], 32)[0][1:-1].tolist() for text in spellings]
print(*ids, sep="\n")
assert ids[0] == ids[1]
assert not set(ids[0]) & set(ids[2])

# %% [markdown]
# ## Attention, by hand
#
# Each token asks a question (`q`), offers a key (`k`) and a value (`v`). Where question and key
# agree, the value is taken: softmax(q · k / √d) · v, in twelve heads of 32 columns each (Vaswani
# et al. 2017, section 3.2). No library below, only matrix products.


# %%
def normed(x: np.ndarray, name: str) -> np.ndarray:
    x = x - x.mean(-1, keepdims=True)
    x = x / np.sqrt((x**2).mean(-1, keepdims=True) + SHAPE.epsilon)
    return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def linear(x: np.ndarray, name: str) -> np.ndarray:
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def embedded(text: str) -> tuple[np.ndarray, list[str]]:
    """Return the sum of word, position and kind, normed, and the pieces."""
    found = tokens.ids([text], 64)[0]
    x = weights["embeddings.word_embeddings.weight"][found]
    x = x + weights["embeddings.position_embeddings.weight"][: len(found)]
    x = x + weights["embeddings.token_type_embeddings.weight"][0]
    words = ["[CLS]", *(piece.text for piece in tokens.pieces(text)), "[SEP]"]
    return normed(x, "embeddings.LayerNorm"), words


def attention(x: np.ndarray, layer: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what each token gathered, and (heads, n, n) where it looked."""
    at = f"encoder.layer.{layer}.attention"
    n, wide = len(x), SHAPE.n_dims // SHAPE.n_heads
    q, k, v = (
        linear(x, f"{at}.self.{name}").reshape(n, SHAPE.n_heads, wide).swapaxes(0, 1)
        for name in ("query", "key", "value")
    )
    scores = q @ k.swapaxes(1, 2) / np.sqrt(wide)
    looks = np.exp(scores - scores.max(-1, keepdims=True))
    looks /= looks.sum(-1, keepdims=True)
    gathered = (looks @ v).swapaxes(0, 1).reshape(n, SHAPE.n_dims)
    out = linear(gathered, f"{at}.output.dense")
    return normed(x + out, f"{at}.output.LayerNorm"), looks


x, words = embedded("The harbour opens at six, and it closes at ten.")
after, looks = attention(x, 0)
assert np.allclose(looks.sum(-1), 1, atol=1e-5)
for head in (0, 3, 7):
    at = words.index("it")
    most = np.argsort(-looks[head, at])[:3]
    print(f"head {head}: `it` looks at", *(f"{words[k]} {looks[head, at, k]:.0%}" for k in most))

# %% [markdown]
# ## The whole model, checked
#
# Six such layers, each with a small network behind it, and the mean of all tokens: a text's vector.
# It is what the service computes, to the precision of float32: the model holds no secret.

# %%
from math import erf  # noqa: E402 - where it is used

from p3_rag_chatbot.embedding.embedder import OnnxEmbedder  # noqa: E402


def vector(text: str) -> np.ndarray:
    x, _ = embedded(text)
    for layer in range(SHAPE.n_layers):
        x, _ = attention(x, layer)
        at = f"encoder.layer.{layer}"
        h = linear(x, f"{at}.intermediate.dense")
        h = h * (1 + np.vectorize(erf)(h / np.sqrt(2))) / 2
        x = normed(x + linear(h, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


asked, said, other = (
    "When does the harbour open?",
    "Ships may enter the port from six o'clock.",
    "The recipe needs two eggs.",
)
ours = np.stack([vector(text) for text in (asked, said, other)])
served = OnnxEmbedder.load(Path(tempfile.mkdtemp()), precision="fp32", n_threads=1)
theirs = served.embed([asked, said, other])
served.close()
print(f"largest difference to the service: {np.abs(ours - theirs).max():.1e}")
assert np.allclose(ours, theirs, atol=1e-4)
near, far = ours[0] @ ours[1], ours[0] @ ours[2]
print(f"question and answer {near:.2f}, question and recipe {far:.2f}")
assert near > far + 0.2
