"""How much of the experiment fits the time: steps are counted out by the pace of this machine."""

from collections.abc import Sequence

from p2_nn_service.errors import DatasetError
from p2_nn_service.language.kinds import BodyKind
from p2_nn_service.language.networks import LanguageNetwork, build_language
from p2_nn_service.language.texts import Text
from p2_nn_service.language.why.findings import Plan, Wish
from p2_nn_service.language.why.pace import COMPARED, step_seconds
from p2_nn_service.language.why.quality import N_POINTS, network_of
from p2_nn_service.language.why.recall import BATCH_SIZE, N_SHOWN, recall_network
from p2_nn_service.models.building import n_parameters

LEAST_CHARACTERS = 20_000
RECALLED: tuple[BodyKind, ...] = ("rnn", "lstm", "transformer")
_QUALITY, _RECALL = 0.45, 0.35
"""Shares of the time; scoring, the other measurements and drawing take the rest."""
_OVERHEAD = 1.3
"""What a step of the loop costs beside forward and backward, as a factor."""


def make_plan(text: Text, wish: Wish) -> Plan:
    """Plan a full or a quick experiment; takes a few steps of each network to know their pace.

    Raises `DatasetError` for a text that is too short.
    """
    if len(text.symbols) < LEAST_CHARACTERS:
        raise DatasetError(
            f"{text.name} has {len(text.symbols):,} characters; the experiment needs "
            f"{LEAST_CHARACTERS:,} to train on and to measure with"
        )
    plan = _sized(text, wish)
    seconds, n_seeds = 60 * wish.minutes, len(plan.seeds)
    paces = {
        kind: _pace([network_of(text, plan, kind, 0)], plan.batch_size, plan.context)
        for kind in COMPARED
    }
    each = _QUALITY * seconds / n_seeds / len(COMPARED)
    steps = {kind: _between(N_POINTS * 5, each / pace, 20_000) for kind, pace in paces.items()}
    delay = max(plan.recall_delays)
    networks = [recall_network(plan, kind, delay, 0) for kind in RECALLED]
    length = delay + 2 * N_SHOWN
    round_s = _pace(networks, BATCH_SIZE, length)
    lengths = sum(delay + 2 * N_SHOWN for delay in plan.recall_delays) / length
    recall_steps = _between(50, _RECALL * seconds / n_seeds / (round_s * lengths), 3_000)
    return plan.model_copy(update={"quality_steps": steps, "recall_steps": recall_steps})


def _sized(text: Text, wish: Wish) -> Plan:
    """Return the plan without its steps; networks are as large as a Transformer comes out."""
    is_quick = wish.is_quick
    context = 32 if is_quick else 64
    wanted = build_language(
        "transformer", len(text.characters), context=context,
        n_wanted=20_000 if is_quick else 200_000,
    )  # fmt: skip
    return Plan(
        seeds=tuple(range(wish.seed, wish.seed + (2 if is_quick else 3))),
        n_parameters=n_parameters(wanted),
        context=context,
        batch_size=16 if is_quick else 32,
        quality_steps={},
        n_scored=3_000 if is_quick else 16_000,
        recall_delays=(2, 16) if is_quick else (2, 8, 32, 128),
        recall_steps=0,
        recall_parameters=8_000 if is_quick else 30_000,
        gradient_lengths=(2, 8, 32) if is_quick else (2, 4, 8, 16, 32, 64, 128, 256),
        pace_lengths=(16, 64) if is_quick else (32, 64, 128, 256, 512, 1024),
        pace_characters=512 if is_quick else 4096,
    )


def _pace(networks: Sequence[LanguageNetwork], n: int, length: int) -> float:
    """Return the seconds of one training step of each, added up: the quickest of three."""
    rounds = [[step_seconds(one, n, length) for one in networks] for _ in range(3)]
    return _OVERHEAD * sum(min(times) for times in zip(*rounds, strict=True))


def _between(low: int, wanted: float, high: int) -> int:
    return max(low, min(high, int(wanted)))
