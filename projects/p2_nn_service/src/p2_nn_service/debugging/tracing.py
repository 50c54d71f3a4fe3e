"""Every operation of a forward pass, with the module that asked for it.

Sees functions as they are called in Python (`relu`, `linear`, `log`, `a / b`), in modules and out
of them; not what happens inside a fused one, such as the steps of `lstm`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils.hooks import RemovableHandle
from typing_extensions import override


@dataclass(frozen=True)
class Operation:
    """A call of a function: its name as torch has it, and the module inside which it was made."""

    name: str
    module: str

    def __str__(self) -> str:
        return f"{self.name} in {self.module}" if self.module else f"{self.name}, outside modules"


Seen = Callable[[Operation, Sequence[Tensor], Sequence[Tensor]], None]
"""Is given an operation with the tensors that went in and came out."""


class Tracing(TorchFunctionMode):
    """While inside, `seen` is told of each operation on tensors that `model` makes."""

    def __init__(self, model: nn.Module, seen: Seen) -> None:
        super().__init__()
        self.model, self.seen = model, seen
        self._inside: list[str] = []
        self._handles: list[RemovableHandle] = []

    @override
    def __enter__(self) -> Self:
        for name, module in self.model.named_modules():
            if name:
                self._follow(name, module)
        return super().__enter__()

    @override
    def __exit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        super().__exit__(exc_type, exc_val, exc_tb)

    @override
    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        given = list(tensors_in((args, kwargs or {})))
        out = func(*args, **(kwargs or {}))
        found = list(tensors_in(out))
        if found:
            module = self._inside[-1] if self._inside else ""
            self.seen(Operation(_name(func), module), given, found)
        return out

    def _follow(self, name: str, module: nn.Module) -> None:
        def enter(*_: Any) -> None:
            self._inside.append(name)

        def leave(*_: Any) -> None:
            self._inside.pop()

        self._handles.append(module.register_forward_pre_hook(enter))
        self._handles.append(module.register_forward_hook(leave, always_call=True))


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Yield the tensors of floats in a value and in what it is made of."""
    if isinstance(value, Tensor):
        if value.is_floating_point():
            yield value
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for one in value:
            yield from tensors_in(one)


def _name(func: Callable[..., Any]) -> str:
    """Return a name such as `log`, `relu` or `div`."""
    full = resolve_name(func) or getattr(func, "__name__", str(func))
    parts = [part for part in full.split(".") if part != "__get__"]
    return parts[-1].strip("_")
