"""The truth, later: what predicted rows turned out to be, stored before it is acknowledged.

All of a request's truths are stored, or none. Telling one again replaces it, so that a caller who
got no answer may repeat itself. A truth may come before its prediction is in the log (the log is
written behind the answers): it is kept, and joined whenever scores are computed. Knows no HTTP.
Read next: `live_scores.py`.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import sqlalchemy as sa
from common.errors import FieldError
from common.store import Store, StoreError, upsert
from pydantic_core import to_json

from p1_prediction_api.contracts import Signature, Truth, TruthsStored
from p1_prediction_api.database import PREDICTIONS, TRUTHS, Database, in_parts
from p1_prediction_api.encoding import LARGEST_NUMBER
from p1_prediction_api.errors import TruthError
from p1_prediction_api.live import LiveModel
from p1_prediction_api.prediction_log import PredictionLog

MAX_NAMED = 20
FLUSH_S = 2.0


class Feedback:
    """Takes truths for the model that answers now; `on_stored` is called after each commit."""

    def __init__(self, live: LiveModel, predictions: PredictionLog, database: Database) -> None:
        self._live = live
        self._predictions = predictions
        self._database = database
        self.on_stored: list[Callable[[], None]] = []

    async def store(self, truths: Sequence[Truth]) -> TruthsStored:
        """Commit the truths; raises `TruthError` for one that cannot be, and stores none then."""
        loaded = self._live.current
        _refuse(_misfits(truths, loaded.signature))
        with contextlib.suppress(TimeoutError, StoreError):  # so that fewer ids are unknown
            await asyncio.wait_for(self._predictions.flush(), FLUSH_S)
        stored = await asyncio.to_thread(
            store_truths, self._database.store, truths, loaded.version.model
        )
        for tell in self.on_stored:
            tell()
        return stored


def store_truths(store: Store, truths: Sequence[Truth], model: str) -> TruthsStored:
    """Store truths of predictions of `model`, the last word of each row; see `Feedback.store`."""
    told_at = time.time()
    rows = {
        (one.id, one.row): {
            "prediction_id": one.id,
            "row": one.row,
            "told_at": told_at,
            "truth": to_json(one.truth).decode(),
        }
        for one in truths
    }

    def work(connection: sa.Connection) -> TruthsStored:
        known = _known(connection, {one.id for one in truths})
        _refuse(_strangers(truths, known, model))
        ordered = [rows[key] for key in sorted(rows)]  # two writers lock rows in one order
        upsert(connection, TRUTHS, ordered, key=("prediction_id", "row"))
        n_pending = sum(prediction not in known for prediction, _ in rows)
        return TruthsStored(n_stored=len(rows), n_pending=n_pending)

    return store.run(work)


def _known(connection: sa.Connection, ids: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Return model and number of rows of each prediction that is in the log."""
    found: dict[str, tuple[str, int]] = {}
    for some in in_parts(sorted(ids)):
        columns = PREDICTIONS.c.id, PREDICTIONS.c.model, PREDICTIONS.c.n_rows
        query = sa.select(*columns).where(PREDICTIONS.c.id.in_(some))
        found |= {made: (model, n_rows) for made, model, n_rows in connection.execute(query)}
    return found


def _refuse(misfits: Iterator[FieldError]) -> None:
    named = list(islice(misfits, MAX_NAMED))
    if named:
        raise TruthError(named, n_more=sum(1 for _ in misfits))


def _misfits(truths: Sequence[Truth], signature: Signature) -> Iterator[FieldError]:
    """Name truths that the model could not have said."""
    is_class, classes = signature.task == "classification", frozenset(signature.classes)
    for k, one in enumerate(truths):
        field = f"truths.{k}.truth"
        if not is_class and isinstance(one.truth, str):
            yield FieldError(field=field, message="is not a number", accepted="a number")
        elif not is_class and abs(float(one.truth)) > LARGEST_NUMBER:
            accepted = f"a number up to {LARGEST_NUMBER:g}"
            yield FieldError(field=field, message="is too large", accepted=accepted)
        elif is_class and one.truth not in classes:
            known = ", ".join(signature.classes[:30])
            yield FieldError(
                field=field, message=f"is no class of {signature.target}", accepted=known
            )


def _strangers(
    truths: Sequence[Truth], known: dict[str, tuple[str, int]], model: str
) -> Iterator[FieldError]:
    """Name truths of another model's predictions, and of rows that a prediction has not."""
    for k, one in enumerate(truths):
        if one.id not in known:
            continue
        of_model, n_rows = known[one.id]
        if of_model != model:
            message = f"names a prediction of {of_model}, and {model} is served here"
            accepted = f"an id of {model}"
            yield FieldError(field=f"truths.{k}.id", message=message, accepted=accepted)
        elif one.row >= n_rows:
            message, accepted = f"is {one.row} of {n_rows} row(s)", f"0 to {n_rows - 1}"
            yield FieldError(field=f"truths.{k}.row", message=message, accepted=accepted)
