"""The options of `train` that are the recipe's fields: written once, in `Recipe`. No torch."""

import inspect
from collections.abc import Callable
from dataclasses import fields, replace
from importlib.util import find_spec
from typing import Annotated, Any, get_args, get_type_hints

import typer

from p2_nn_service.errors import TrainingError
from p2_nn_service.training.recipe import Recipe

Changes = dict[str, Any]
Resume = Annotated[str, typer.Option(help="Go on with this run, as it was begun.")]
CheckpointSeconds = Annotated[
    float, typer.Option(min=0, help="Seconds between two checkpoints within an epoch; 0: none.")
]
Track = Annotated[
    str, typer.Option(help="Where a run is written beside its folder: tensorboard, mlflow, wandb.")
]


def need_training() -> None:
    """Refuse, with the way to get it, where torch is not installed."""
    if find_spec("torch") is None:
        raise TrainingError(
            "training is not installed here; install ai-roadmap-p2-nn-service[train]"
        )


def names(listed: str) -> tuple[str, ...]:
    """Split what was named with commas between."""
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def with_recipe_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each field of `Recipe`; it gets the named ones as `changes`."""
    own = inspect.signature(command, eval_str=True)
    kept = [one for name, one in own.parameters.items() if name != "changes"]
    kinds = get_type_hints(Recipe, include_extras=True)
    added = [_option(field.name, *get_args(kinds[field.name])) for field in fields(Recipe)]
    names = [one.name for one in added]

    def called(**given: Any) -> None:
        named = {name: given.pop(name) for name in names}
        command(**given, changes={k: v for k, v in named.items() if v is not None})

    called.__doc__, called.__name__ = command.__doc__, command.__name__
    called.__signature__ = own.replace(parameters=[*kept, *added])  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in (*kept, *added)}
    return called


def changed(recipe: Recipe, changes: Changes) -> Recipe:
    """Apply what was named on the command line; `RecipeError` for what is not accepted."""
    read = dict(changes)
    if "augment" in read:
        read["augment"] = Recipe.from_text({"augment": read["augment"]}).augment
    return replace(recipe, **read)


def _option(name: str, kind: Any, words: str) -> inspect.Parameter:
    if kind == tuple[str, ...]:
        kind = str
    annotation = Annotated[kind | None, typer.Option(help=words, rich_help_panel="Recipe")]
    where = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Parameter(name, where, default=None, annotation=annotation)
