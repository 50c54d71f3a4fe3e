"""Say again what was shown before a delay: four symbols of eight, blanks, then four cues.

The copy task of Hochreiter and Schmidhuber (1997, section 5) as Arjovsky et al. (2016) set it: what
was seen must last through the delay, whose every step is the same.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from p2_nn_service.language.kinds import BodyKind
from p2_nn_service.language.networks import LanguageNetwork, build_language
from p2_nn_service.language.why.findings import Plan, Recall
from p2_nn_service.language.why.quality import must_be_whole
from p2_nn_service.training.chance import generator_of, seed_of
from p2_nn_service.training.loop import Batch, Evaluate, fit
from p2_nn_service.training.recipe import Recipe

N_KINDS, N_SHOWN = 8, 4
BLANK, CUE = N_KINDS, N_KINDS + 1
BATCH_SIZE = 32
_N_JUDGED = 512


class RecallBatches:
    """Sequences (n, 4 + delay + 4) and what is to be said at their cues (n, 4), without end."""

    def __init__(self, delay: int, n_batches: int, seed: int) -> None:
        self.delay, self._n, self.seed = delay, n_batches, seed

    def n_batches(self) -> int:
        """Count the batches of the one epoch."""
        return self._n

    def epoch(self, epoch: int, *, start: int = 0) -> Iterator[Batch]:
        """Yield batches from number `start` on."""
        for k in range(start, self._n):
            yield sequences(BATCH_SIZE, self.delay, generator_of(self.seed, epoch, k))


def sequences(n: int, delay: int, chance: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw sequences and their answers."""
    shown = torch.randint(N_KINDS, (n, N_SHOWN), generator=chance)
    waiting = torch.full((n, delay), BLANK)
    cues = torch.full((n, N_SHOWN), CUE)
    return torch.cat([shown, waiting, cues], 1), shown


def recalling(model: nn.Module, batch: Batch) -> Tensor:
    """Return the mean cross-entropy, in nats, of what is said at the cues."""
    inputs, shown = batch
    said = model(inputs)[:, -N_SHOWN:]
    return functional.cross_entropy(said.flatten(0, 1), shown.flatten())


def recall_network(plan: Plan, kind: BodyKind, delay: int, seed: int) -> LanguageNetwork:
    """Make a network that is just long enough, of as many parameters as the others."""
    return build_language(
        kind, N_KINDS + 2, context=delay + 2 * N_SHOWN, n_wanted=plan.recall_parameters, seed=seed
    )


def measure_recall(plan: Plan, kind: BodyKind, delay: int, seed: int) -> Recall:
    """Train on as many sequences as the others and count what is said rightly of fresh ones.

    Raises `KeyboardInterrupt` when asked to stop.
    """
    network = recall_network(plan, kind, delay, seed)
    recipe = Recipe(
        epochs=1, batch_size=BATCH_SIZE, learning_rate=3e-3, clip_norm=1.0, precision="fp32",
        channels_last=False, seed=seed,
    )  # fmt: skip
    fitted = fit(
        network, RecallBatches(delay, plan.recall_steps, seed), recalling, recipe,
        evaluate=_judging(delay, seed),
    )  # fmt: skip
    must_be_whole(fitted)
    return Recall(
        kind=kind,
        seed=seed,
        delay=delay,
        n_parameters=fitted.record.n_parameters,
        accuracy=fitted.record.metrics["held_out_accuracy"],
    )


def _judging(delay: int, seed: int) -> Evaluate:
    chance = torch.Generator().manual_seed(seed_of(seed, delay, _N_JUDGED))
    inputs, shown = sequences(_N_JUDGED, delay, chance)

    def evaluate(model: nn.Module) -> dict[str, float]:
        device = next(model.parameters()).device
        said = model(inputs.to(device))[:, -N_SHOWN:].argmax(-1).cpu()
        return {"held_out_accuracy": (said == shown).double().mean().item()}

    return evaluate
