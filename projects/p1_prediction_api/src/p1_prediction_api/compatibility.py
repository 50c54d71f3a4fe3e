"""Whether a new version is of the same table as the one that answers, whose place it takes.

An alias names any version of a model; one trained on another table under the same name would load,
and then answer every caller's rows with a refusal, or with predictions of something else.
"""

from p1_prediction_api.contracts import Signature
from p1_prediction_api.errors import OtherTableError

MAX_NAMED = 5


def check_same_table(current: Signature, fresh: Signature) -> None:
    """Raise `OtherTableError` unless rows and answers mean the same to both.

    Target, task and the names and kinds of the features have to agree; ranges, categories, classes
    and order may change, as they do when a model learns from newer rows.
    """
    if differences := _differences(current, fresh):
        raise OtherTableError(
            f"it is of another table than the version that answers: {'; '.join(differences)} "
            "(ALLOW_OTHER_TABLES serves it all the same)"
        )


def _differences(current: Signature, fresh: Signature) -> list[str]:
    found = []
    if (current.task, current.target) != (fresh.task, fresh.target):
        found.append(
            f"it predicts {fresh.target!r} ({fresh.task}), not {current.target!r} ({current.task})"
        )
    old = {feature.name: feature.kind for feature in current.features}
    new = {feature.name: feature.kind for feature in fresh.features}
    if more := [name for name in new if name not in old]:
        found.append(f"it also needs {_named(more)}")
    if gone := [name for name in old if name not in new]:
        found.append(f"it does not take {_named(gone)}")
    if changed := [name for name in new if name in old and old[name] != new[name]]:
        found.append(f"it takes another kind of {_named(changed)}")
    return found


def _named(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(repr(name) for name in names[:MAX_NAMED]) + more
