"""All measurements in their order, each kept when it is made; what is there is not made again."""

import platform
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import torch

from p2_nn_service.errors import NetworkError
from p2_nn_service.language.kinds import BodyKind
from p2_nn_service.language.texts import Text
from p2_nn_service.language.why import gradients, pace, quality, recall
from p2_nn_service.language.why.findings import Findings, Wish
from p2_nn_service.language.why.pace import COMPARED
from p2_nn_service.language.why.planning import RECALLED, make_plan
from p2_nn_service.language.why.verdict import words
from p2_nn_service.runs import RunFolder, runs_dir
from p2_nn_service.training.distributed import best_device

Task = tuple[str, Callable[[], None]]
"""What is measured, in words, and what measures it and adds it to the findings."""
Report = Callable[[int, int, str], None]
"""Told how many tasks are behind, of how many, and which comes next."""


def run_experiment(text: Text, wish: Wish, out: Path, report: Report) -> Findings:
    """Make the measurements that the folder lacks and say what all of them show.

    The folder is a data directory too: its training runs show on a service's page. Raises
    `NetworkError` when it holds an experiment that was begun otherwise, and `KeyboardInterrupt`
    when asked to stop; the same call goes on.
    """
    found = Findings.read(out) or Findings(
        wish=wish, plan=make_plan(text, wish), machine=_machine()
    )
    if found.wish != wish:
        raise NetworkError(
            f"{out} holds another experiment ({_told(found.wish)}), not this one ({_told(wish)}); "
            "name another folder with --out"
        )
    found.keep(out)
    tasks = list(_tasks(text, found, out))
    for k, (name, measure) in enumerate(tasks):
        report(k, len(tasks), name)
        measure()
        found.keep(out)
    report(len(tasks), len(tasks), "")
    found.verdict = words(found)
    found.keep(out)
    return found


def _tasks(text: Text, found: Findings, out: Path) -> Iterator[Task]:
    """Yield what is to be measured yet, the quick before the long."""
    if not found.paces:
        yield "pace", lambda: found.paces.extend(pace.measure_paces(text, found.plan))
    yield from _gradient_tasks(text, found)
    for seed in found.plan.seeds:
        yield from _quality_tasks(text, found, out, seed)
        yield from _recall_tasks(found, seed)


def _gradient_tasks(text: Text, found: Findings) -> Iterator[Task]:
    have = {(one.kind, one.seed) for one in found.gradients if not one.is_trained}
    for kind, seed in product(RECALLED, found.plan.seeds):

        def measure(kind: BodyKind = kind, seed: int = seed) -> None:
            found.gradients += gradients.measure_untrained(text, found.plan, kind, seed)

        if (kind, seed) not in have:
            yield f"gradients: {kind}, seed {seed}", measure


def _quality_tasks(text: Text, found: Findings, out: Path, seed: int) -> Iterator[Task]:
    have = {(one.kind, one.seed) for one in found.quality}
    for kind in COMPARED:

        def measure(kind: BodyKind = kind) -> None:
            folder = RunFolder(runs_dir(out) / f"{kind}-seed-{seed}")
            of, network = quality.measure_quality(text, found.plan, kind, seed, folder)
            found.gradients += gradients.measure(network, text, found.plan, seed, is_trained=True)
            found.quality.append(of)

        if (kind, seed) not in have:
            yield f"quality: {kind}, seed {seed}", measure


def _recall_tasks(found: Findings, seed: int) -> Iterator[Task]:
    have = {(one.kind, one.seed, one.delay) for one in found.recall}
    for delay, kind in product(found.plan.recall_delays, RECALLED):

        def measure(delay: int = delay, kind: BodyKind = kind) -> None:
            found.recall.append(recall.measure_recall(found.plan, kind, delay, seed))

        if (kind, seed, delay) not in have:
            yield f"recall after {delay}: {kind}, seed {seed}", measure


def _machine() -> str:
    device = best_device()
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    n_threads = torch.get_num_threads()
    return (
        f"{platform.machine()}, {n_threads} thread{'' if n_threads == 1 else 's'}, "
        f"torch {torch.__version__}"
    )


def _told(wish: Wish) -> str:
    how = ", quick" if wish.is_quick else ""
    return f"{wish.text}, {wish.minutes:g} minutes, seed {wish.seed}{how}"
