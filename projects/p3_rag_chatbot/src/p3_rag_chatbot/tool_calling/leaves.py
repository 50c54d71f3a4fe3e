"""The parameters that hold values, wherever they are nested, and their places in the arguments."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from p3_rag_chatbot.tool_calling.schemas import Function, Parameter


@dataclass(frozen=True)
class Leaf:
    """A parameter that holds a value, and where it hangs in the arguments."""

    path: tuple[str, ...]
    parameter: Parameter
    is_required: bool


def leaves_of(function: Function) -> list[Leaf]:
    """List a function's leaves, in the order of its parameters."""
    return list(_leaves(function.parameters, (), is_required=True))


def _leaves(
    parameters: Sequence[Parameter], path: tuple[str, ...], *, is_required: bool
) -> Iterator[Leaf]:
    for one in parameters:
        here = (*path, one.name)
        needed = is_required and one.is_required
        if one.kind == "object" and one.properties:
            yield from _leaves(one.properties, here, is_required=needed)
        else:
            yield Leaf(here, one, needed)


def hang(arguments: dict[str, object], path: tuple[str, ...], value: object) -> None:
    """Put a value where it belongs; what stands in the way stays."""
    inner = arguments
    for name in path[:-1]:
        within = inner.setdefault(name, {})
        if not isinstance(within, dict):
            return
        inner = within
    inner[path[-1]] = value


def is_open(arguments: Mapping[str, object], path: tuple[str, ...]) -> bool:
    """Whether nothing hangs there yet."""
    inner: object = arguments
    for name in path:
        if not isinstance(inner, Mapping) or name not in inner:
            return True
        inner = inner[name]
    return False


def holds(arguments: Mapping[str, object], value: object) -> bool:
    """Whether a value hangs anywhere; a truth may hang in many places."""
    return not isinstance(value, bool) and any(
        holds(one, value) if isinstance(one, Mapping) else one == value
        for one in arguments.values()
    )
