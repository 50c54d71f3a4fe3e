"""The recipe of each preset; `train` begins with it, options change it.

Those of the CNNs, the LSTM and the Transformer were compared on the training part of Fashion-MNIST,
judged on its held-out tenth (`benchmarks/nn.py`); the others are first choices. Flips suit things
that have no side, such as clothes, and spoil digits and letters: they are on for Fashion-MNIST
alone.
"""

from dataclasses import replace

from p2_nn_service.contracts import Kind
from p2_nn_service.training.recipe import Recipe

_WITH_FLIPS = frozenset({"fashion-mnist"})

_ADAM = Recipe(
    epochs=10, batch_size=250, learning_rate=2e-3, optimiser="adamw", weight_decay=0.01,
    label_smoothing=0.05, clip_norm=1.0,
)  # fmt: skip
_MUON = Recipe(
    epochs=10, batch_size=500, learning_rate=0.06, optimiser="muon", rest_learning_rate=6e-3,
    weight_decay=0.02, schedule="one_cycle", warm_up=0.2, label_smoothing=0.1,
    average_decay=0.99,
)  # fmt: skip

_ROWS = replace(
    _ADAM, batch_size=200, learning_rate=5e-3, schedule="one_cycle", warm_up=0.2, average_decay=0.99
)
"""For networks that read an image row by row."""

RECIPES: dict[str, Recipe] = {
    "perceptron": replace(_ADAM, label_smoothing=0.0),
    "mlp": _ADAM,
    "cnn-tiny": _MUON,
    "cnn-quick": replace(
        _MUON, epochs=4, learning_rate=0.12, warm_up=0.3, label_smoothing=0.05, average_decay=0.98
    ),
    "cnn": _MUON,
    "cnn-strong": replace(_MUON, epochs=30),
    "rnn": _ADAM,
    "lstm": replace(_ROWS, epochs=14),
    "transformer": replace(_ROWS, epochs=16, learning_rate=3e-3),
    "transformer-patches": _ADAM,
}


_UNSHIFTED = frozenset({"cnn-quick", "lstm", "transformer"})
"""In a few epochs a network learns more from what it sees than from where it could have stood, and
one that reads rows has to learn each place anew."""


def recipe_for(preset: str, dataset: str = "", kind: Kind = "images") -> Recipe:
    """Return a preset's recipe for a data set; that of `mlp` for a preset not listed."""
    recipe = RECIPES.get(preset, _ADAM)
    if kind == "series" or preset == "perceptron":
        return recipe
    flips = ("flip",) if dataset in _WITH_FLIPS else ()
    shifts = () if preset in _UNSHIFTED else ("shift",)
    return replace(recipe, augment=(*flips, *shifts))
