"""The presets by name, and `build`, which makes one for a task."""

from collections.abc import Callable
from functools import partial

import torch

from p2_nn_service.errors import RecipeError
from p2_nn_service.models.cnn import Cnn, StrongCnn
from p2_nn_service.models.inputs import Task
from p2_nn_service.models.lstm import Lstm
from p2_nn_service.models.mlp import Mlp
from p2_nn_service.models.network import Network
from p2_nn_service.models.perceptron import Perceptron
from p2_nn_service.models.rnn import Rnn
from p2_nn_service.models.transformer import Transformer

PRESETS: dict[str, Callable[[Task], Network]] = {
    "perceptron": Perceptron,
    "mlp": Mlp,
    "cnn-tiny": partial(Cnn, widths=(8, 16, 32)),
    "cnn-quick": partial(Cnn, widths=(16, 32, 64)),
    "cnn": Cnn,
    "cnn-strong": StrongCnn,
    "rnn": Rnn,
    "lstm": Lstm,
    "transformer": Transformer,
    "transformer-patches": partial(Transformer, patch=4),
}


def build(preset: str, task: Task, *, seed: int = 0) -> Network:
    """Make a network with weights drawn from `seed`; the global generator is left as it was.

    Raises `RecipeError` for an unknown preset, or one that cannot read such examples.
    """
    check_preset(preset)
    if min(task.shape) < 1 or task.n_classes < 2:
        raise RecipeError(f"examples of shape {task.shape} in {task.n_classes} classes")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PRESETS[preset](task)


def check_preset(preset: str) -> None:
    """Raise `RecipeError`, which names those there are, for an unknown preset."""
    if preset not in PRESETS:
        raise RecipeError(f"there is no model {preset!r}; accepted: {', '.join(PRESETS)}")


def n_parameters(model: torch.nn.Module) -> int:
    """Count the trained numbers."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
