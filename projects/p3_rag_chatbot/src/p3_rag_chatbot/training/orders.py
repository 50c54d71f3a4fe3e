"""What a person asks `finetune` for, and how its run keeps it, to go on as it was begun.

A run's folder holds `order.json` and, where there are any, the person's own examples: a resume
needs nothing but the run's name, whatever has become of the file they were read from. Loads no
torch, so that what cannot be is refused at once. Read next: `finetuning.py`, which does the work.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from p2_nn_service import RunFolder, find_run
from pydantic import TypeAdapter, ValidationError

from p3_rag_chatbot.errors import OrderError
from p3_rag_chatbot.peft_files import write_text
from p3_rag_chatbot.settings import Settings
from p3_rag_chatbot.training.examples import read_own

ORDER_FILE, OWN_FILE = "order.json", "own.csv"
MAX_RANK = 256


@dataclass(frozen=True)
class Order:
    """What a person asked for; None and empty take the adapter's own defaults."""

    name: str
    own: Path | None = None
    rank: int | None = None
    epochs: int | None = None
    resume: str = ""
    to: Path | None = None

    def __post_init__(self) -> None:
        if self.rank is not None and not 1 <= self.rank <= MAX_RANK:
            raise OrderError(f"rank is {self.rank}; accepted: 1 to {MAX_RANK}")
        if self.epochs is not None and self.epochs < 1:
            raise OrderError(f"epochs is {self.epochs}; accepted: 1 or more")

    @property
    def changes(self) -> Mapping[str, object]:
        """What differs from the adapter's defaults."""
        given = {"own": self.own, "rank": self.rank, "epochs": self.epochs, "to": self.to}
        return {name: value for name, value in given.items() if value is not None}


_ORDER = TypeAdapter(Order)


def as_begun(order: Order, settings: Settings) -> Order:
    """Return the order itself, or of one that resumes a run, what that run was begun with.

    Raises `OrderError` where it asks for something else, `RunNotFoundError` for an unknown run,
    `DocumentError` for examples that cannot be learned from.
    """
    if not order.resume:
        if order.own is not None:
            read_own(order.own)
        return order
    if order.changes:
        named = ", ".join(f"--{name}" for name in order.changes)
        raise OrderError(f"a run is gone on with as it was begun; leave out {named}")
    path = find_run(settings.data_dir, order.resume).path / ORDER_FILE
    try:
        begun = _ORDER.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise OrderError(f"resume is {order.resume!r}, which is no run of finetune's") from error
    if begun.name != order.name:
        raise OrderError(
            f"resume is {order.resume!r}, a run of another adapter; go on with it by "
            f"`p3-rag-chatbot finetune {begun.name} --resume {order.resume}`"
        )
    return replace(begun, resume=order.resume)


def run_of(order: Order, settings: Settings) -> RunFolder:
    """Return the folder of the run to go on with, or a new one that keeps the order."""
    runs = settings.data_dir / "runs"
    if order.resume:
        return RunFolder(runs / order.resume)
    folder = runs / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{order.name}"
    folder.mkdir(parents=True, exist_ok=True)
    kept = replace(order, to=order.to and order.to.absolute())
    if order.own is not None:
        shutil.copyfile(order.own, folder / OWN_FILE)
        kept = replace(kept, own=(folder / OWN_FILE).absolute())
    write_text(folder / ORDER_FILE, _ORDER.dump_json(kept, indent=2).decode())
    return RunFolder(folder)
