"""Reverse-mode automatic differentiation on NumPy arrays, in one file.

A `Tensor` is an array that remembers what it was made of: its parents, and for each a rule that
turns the gradient of the output into the parent's share. Going back from a loss through all rules,
children before parents, gives its gradient in everything it was made of, at a few times the price
of the loss itself (Griewank and Walther, "Evaluating Derivatives", 2008, section 3.2). Each rule is
written once, in operators that arrays and tensors share: `backward` runs it on arrays, fast;
`gradients` runs it on tensors, so that its answers can be differentiated again.

Values are float64. At a kink the gradient is torch's choice: 0 for `absolute` and `relu` at 0,
equal shares among the tied in `max`, `min`, `maximum`, `minimum`. Knows no loss and no optimiser.
Read next: `graphs.py`, which walks a computation; `losses.py` and `optimisers.py`, which use it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol, cast, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from p0_foundations.errors import GradientError, ShapeError

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shape = tuple[int, ...]
Axis = int | tuple[int, ...] | None


class Tensor:
    """An array in a computation, with the gradient that `backward` leaves on it.

    `value` is the array, `grad` an array of its shape or None, `parents` what it was made of by the
    operation `op`. Operands that are no tensors are constants. `name` is for the reader of a graph.
    """

    __slots__ = ("grad", "name", "needs_grad", "op", "parents", "rules", "shape", "value")
    __array_ufunc__: None = None  # so that `array * tensor` asks the tensor

    def __init__(self, value: ArrayLike, *, name: str = "", needs_grad: bool = True) -> None:
        self.value: Floats = np.asarray(value, dtype=np.float64)
        self.shape: Shape = self.value.shape
        self.grad: Floats | None = None
        self.op = "leaf" if needs_grad else "constant"
        self.parents: tuple[Tensor, ...] = ()
        self.rules: tuple[Callable[..., Tensor], ...] = ()
        self.name = name
        self.needs_grad = needs_grad

    def __repr__(self) -> str:
        return f"Tensor({np.array2string(self.value, threshold=20)}, op={self.op!r})"

    def item(self) -> float:
        """Return the value of a tensor of one element."""
        return float(self.value.item())

    def backward(self, seed: ArrayLike | None = None) -> None:
        """Add d(self)/d(node) to the `grad` of every node that self was made of.

        A tensor of more than one element needs a `seed` of its shape: the gradient of some later
        scalar in it. Gradients add up over calls, as in torch: set `grad` to None in between.
        """
        order = parents_first(self)
        flow = _flow(self, order, _seed_of(self, seed), is_lifted=False)
        for node in order:
            if node.needs_grad:
                share = np.asarray(flow[id(node)])
                node.grad = share if node.grad is None else node.grad + share

    # Arithmetic: an operation, its value, and a rule for each of its two parents.
    def __add__(self, other: Operand) -> Tensor:
        return _binary("add", np.add, self, other, lambda g, *_: g, lambda g, *_: g)

    def __sub__(self, other: Operand) -> Tensor:
        return _binary("subtract", np.subtract, self, other, lambda g, *_: g, lambda g, *_: -g)

    def __mul__(self, other: Operand) -> Tensor:
        rules: Rules2 = (lambda g, _out, _a, b: g * b), (lambda g, _out, a, _b: g * a)
        return _binary("multiply", np.multiply, self, other, *rules)

    def __truediv__(self, other: Operand) -> Tensor:
        rules: Rules2 = (lambda g, _out, _a, b: g / b), (lambda g, out, _a, b: -g * out / b)
        return _binary("divide", np.divide, self, other, *rules)

    def __pow__(self, other: Operand) -> Tensor:
        """Raise to a power; at 0**0 both gradients are 0, never not-a-number."""
        rules: Rules2 = (
            lambda g, _out, a, b: g * b * a ** (b - 1.0 + _is_zero(b)),
            lambda g, out, a, _b: g * out * log(a + _is_zero(a)),
        )
        return _binary("power", np.power, self, other, *rules)

    def __neg__(self) -> Tensor:
        return _unary("negate", -self.value, self, lambda g, *_: -g)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: Operand) -> Tensor:
        return _lift(other) - self

    def __rtruediv__(self, other: Operand) -> Tensor:
        return _lift(other) / self

    def __rpow__(self, other: Operand) -> Tensor:
        return _lift(other) ** self

    def __rmatmul__(self, other: Operand) -> Tensor:
        return _lift(other) @ self

    def __matmul__(self, other: Operand) -> Tensor:
        """Multiply matrices as `numpy.matmul`: the last two axes, the ones before broadcast."""
        a, b = self, _lift(other)
        if not a.shape or not b.shape or a.shape[-1] != b.shape[-2:][0]:
            raise ShapeError(f"matmul: {a.shape} @ {b.shape}: the inner sizes must be equal")
        if len(a.shape) == 1:
            return (a.reshape(1, -1) @ b).reshape((*b.shape[:-2], *b.shape[1:][-1:]))
        if len(b.shape) == 1:
            return (a @ b.reshape(-1, 1)).reshape(a.shape[:-1])
        rules: Rules2 = (lambda g, _out, _a, b: g @ b.mT), (lambda g, _out, a, _b: a.mT @ g)
        return _binary("matmul", np.matmul, a, b, *rules)

    def __gt__(self, other: Operand) -> Mask:
        """Compare; this and its like are plain masks, through which nothing flows back."""
        return self.value > _lift(other).value

    def __ge__(self, other: Operand) -> Mask:
        return self.value >= _lift(other).value

    def __lt__(self, other: Operand) -> Mask:
        return self.value < _lift(other).value

    def __le__(self, other: Operand) -> Mask:
        return self.value <= _lift(other).value

    def reshape(self, *shape: int | Shape) -> Tensor:
        """Return the same elements in another shape, given as sizes or a tuple; one may be -1."""
        wanted = cast("Shape", shape[0] if len(shape) == 1 else shape)
        try:
            value = self.value.reshape(wanted)
        except ValueError:
            raise ShapeError(f"reshape: {self.shape} does not fill {wanted}") from None
        return _unary("reshape", value, self, lambda g, _, a: g.reshape(a.shape))

    def transpose(self, *axes: int) -> Tensor:
        """Permute the axes; without arguments, reverse them."""
        n = len(self.shape)
        order = tuple(axis % n for axis in axes if n) or tuple(reversed(range(n)))
        if sorted(order) != list(range(n)):
            raise ShapeError(f"transpose: {axes} are not the axes of a shape {self.shape}")
        back = tuple(order.index(k) for k in range(n))
        value = self.value.transpose(order)
        return _unary("transpose", value, self, lambda g, *_: g.transpose(*back))

    @property
    def mT(self) -> Tensor:  # noqa: N802 - NumPy's name
        """Each matrix transposed: the last two axes swapped."""
        return self.transpose(*range(len(self.shape) - 2), -1, -2)

    def __getitem__(self, index: Any) -> Tensor:
        """Take elements by slices, integers or arrays; an element taken twice gets both shares."""
        value = self.value[index]
        return _unary("take", value, self, lambda g, _, a: _put(g, index, a.shape))

    def sum(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Add up over one axis, several, or all."""
        kept = self.value.sum(axis=axis, keepdims=True)
        value = kept if keepdims else np.squeeze(kept, axis=axis)
        return _unary("sum", value, self, lambda g, _, a: _spread(g, kept.shape, a.shape))

    def mean(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Average."""
        total = self.sum(axis, keepdims=keepdims)
        return total / (self.value.size / total.value.size)

    def max(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return the largest; where several tie, they share the gradient."""
        kept = self.value.max(axis=axis, keepdims=True)
        tied = np.asarray(self.value == kept, dtype=np.float64)
        part = tied / tied.sum(axis=axis, keepdims=True)
        value = kept if keepdims else np.squeeze(kept, axis=axis)
        return _unary("max", value, self, lambda g, _, a: _spread(g, kept.shape, a.shape) * part)

    def min(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return the smallest; where several tie, they share the gradient."""
        return -(-self).max(axis, keepdims=keepdims)


Operand = Tensor | ArrayLike
Rule1 = Callable[[Tensor, Tensor, Tensor], Tensor]
Rule2 = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""(gradient of the output, output, parents) to one parent's share; all tensors, or all arrays."""
Rules2 = tuple[Rule2, Rule2]


class Elementwise(Protocol):
    """A function that maps a tensor to a tensor, and numbers or arrays to an array."""

    @overload
    def __call__(self, x: Tensor) -> Tensor: ...
    @overload
    def __call__(self, x: ArrayLike) -> Floats: ...


def _elementwise(op: str, compute: Callable[[Floats], Floats], rule: Rule1) -> Elementwise:
    def apply(x: Operand) -> Tensor | Floats:
        if isinstance(x, Tensor):
            return _unary(op, compute(x.value), x, rule)
        return compute(np.asarray(x, dtype=np.float64))

    return cast("Elementwise", apply)


def _sigmoid(x: Floats) -> Floats:
    small = np.exp(-np.abs(x))  # never overflows
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


exp = _elementwise("exp", np.exp, lambda g, out, _: g * out)
log = _elementwise("log", np.log, lambda g, _, a: g / a)
sqrt = _elementwise("sqrt", np.sqrt, lambda g, out, _: 0.5 * g / out)
sin = _elementwise("sin", np.sin, lambda g, _, a: g * cos(a))
cos = _elementwise("cos", np.cos, lambda g, _, a: -g * sin(a))
tanh = _elementwise("tanh", np.tanh, lambda g, out, _: g * (1.0 - out * out))
sigmoid = _elementwise("sigmoid", _sigmoid, lambda g, out, _: g * out * (1.0 - out))
softplus = _elementwise("softplus", lambda x: np.logaddexp(0.0, x), lambda g, _, a: g * sigmoid(a))
relu = _elementwise("relu", lambda x: np.maximum(x, 0.0), lambda g, _, a: g * (a > 0.0))
absolute = _elementwise("abs", np.abs, lambda g, _, a: g * (1.0 * (a > 0.0) - (a < 0.0)))


def maximum(a: Operand, b: Operand) -> Tensor:
    """Return the larger, element by element; a tie gives each half of the gradient."""
    rules: Rules2 = (lambda g, _, a, b: g * _wins(a, b)), (lambda g, _, a, b: g * _wins(b, a))
    return _binary("maximum", np.maximum, a, b, *rules)


def minimum(a: Operand, b: Operand) -> Tensor:
    """Return the smaller, element by element; a tie gives each half of the gradient."""
    return -maximum(-_lift(a), -_lift(b))


def where(condition: ArrayLike, a: Operand, b: Operand) -> Tensor:
    """Return `a` where the condition holds, else `b`; only the chosen get a gradient."""
    mask = np.asarray(condition, dtype=np.bool_)
    rules: Rules2 = (lambda g, *_: g * mask), (lambda g, *_: g * ~mask)
    return _binary("where", partial(np.where, mask), a, b, *rules)


def concatenate(tensors: Sequence[Operand], axis: int = 0) -> Tensor:
    """Join along an axis that exists."""
    parts = tuple(_lift(one) for one in tensors)
    try:
        value = np.concatenate([part.value for part in parts], axis=axis)
    except ValueError:
        shapes = ", ".join(str(part.shape) for part in parts)
        raise ShapeError(f"concatenate: {shapes} differ outside axis {axis}") from None
    before = (slice(None),) * (axis % value.ndim)
    ends = np.cumsum([part.shape[axis] for part in parts]).tolist()

    def share(place: slice, g: Tensor, *_: Tensor) -> Tensor:
        return g[(*before, place)]

    places = map(slice, [0, *ends[:-1]], ends)
    return _made("concatenate", value, parts, tuple(partial(share, place) for place in places))


def logsumexp(x: Operand, axis: Axis = -1, *, keepdims: bool = False) -> Tensor:
    """Return log(sum(exp(x))): the largest is taken out first, so that nothing overflows."""
    x = _lift(x)
    largest = x.value.max(axis=axis, keepdims=True)
    rest = log(exp(x - largest).sum(axis, keepdims=keepdims))
    return rest + (largest if keepdims else np.squeeze(largest, axis=axis))


def log_softmax(x: Operand, axis: Axis = -1) -> Tensor:
    """Return the logarithm of `softmax`, also where that is too small for a float."""
    x = _lift(x)
    return x - logsumexp(x, axis, keepdims=True)


def softmax(x: Operand, axis: Axis = -1) -> Tensor:
    """Return exp(x) / sum(exp(x)) along an axis: scores turned into probabilities."""
    return exp(log_softmax(x, axis))


def gradients(output: Tensor, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Return d(output)/d(input) for each input, as tensors that can be differentiated again."""
    seed = Tensor(_seed_of(output, None), needs_grad=False)
    flow = _flow(output, parents_first(output), seed, is_lifted=True)
    return [flow.get(id(one)) or Tensor(np.zeros(one.shape), needs_grad=False) for one in inputs]


def parents_first(output: Tensor) -> list[Tensor]:
    """Order what a tensor was made of; a stack of its own, so that depth has no limit."""
    order: list[Tensor] = []
    seen: set[int] = set()
    stack = [(output, False)]
    while stack:
        node, are_parents_done = stack.pop()
        if are_parents_done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order


def _flow(output: Tensor, order: Sequence[Tensor], seed: Any, *, is_lifted: bool) -> dict[int, Any]:
    """Carry the seed back through every rule; returns the gradient by the id of its tensor."""
    flow = {id(output): seed}
    for node in reversed(order):
        family = (node, *node.parents)
        given = family if is_lifted else [one.value for one in family]
        for parent, rule in zip(node.parents, node.rules, strict=True):
            if parent.needs_grad:
                share = _unbroadcast(rule(flow[id(node)], *given), parent.shape)
                before = flow.get(id(parent))
                flow[id(parent)] = share if before is None else before + share
    return flow


def _unbroadcast(g: Any, shape: Shape) -> Any:
    """Sum a gradient over the axes along which its operand was repeated."""
    if g.shape == shape:
        return g
    n_new = len(g.shape) - len(shape)
    repeated = (*range(n_new), *(n_new + k for k, n in enumerate(shape) if n == 1))
    return g.sum(axis=repeated, keepdims=True).reshape(shape)


def _seed_of(output: Tensor, seed: ArrayLike | None) -> Floats:
    if not output.needs_grad:
        raise GradientError("this tensor was made of constants alone: it has no gradient")
    if seed is None and output.value.size != 1:
        raise GradientError(
            f"a tensor of shape {output.shape} is no scalar: reduce it to one number, or give the "
            "gradient of a later scalar in it as `seed`"
        )
    given = np.ones(output.shape) if seed is None else np.asarray(seed, dtype=np.float64)
    if given.shape == output.shape:
        return given
    raise ShapeError(f"seed: shape {given.shape} for a tensor of shape {output.shape}")


def _lift(x: Operand) -> Tensor:
    return x if isinstance(x, Tensor) else Tensor(x, needs_grad=False)


def _made(
    op: str, value: Floats, parents: tuple[Tensor, ...], rules: tuple[Callable[..., Tensor], ...]
) -> Tensor:
    """Return a node; made of constants alone it is a constant and remembers nothing."""
    node = Tensor(value, needs_grad=any(one.needs_grad for one in parents))
    if node.needs_grad:
        node.op, node.parents, node.rules = op, parents, rules
    return node


def _unary(op: str, value: Floats, a: Tensor, rule: Rule1) -> Tensor:
    return _made(op, value, (a,), (rule,))


def _binary(
    op: str, compute: Callable[..., Floats], a: Operand, b: Operand, *rules: Rule2
) -> Tensor:
    a, b = _lift(a), _lift(b)
    try:
        value = compute(a.value, b.value)
    except ValueError:
        raise ShapeError(f"{op}: the shapes {a.shape} and {b.shape} do not broadcast") from None
    return _made(op, value, (a, b), rules)


def _is_zero(x: Tensor) -> Mask:
    return (x >= 0.0) & (x <= 0.0)


def _wins(a: Tensor, b: Tensor) -> Floats:
    return 0.5 * (a > b) + 0.5 * (a >= b)


def _spread(g: Tensor, kept: Shape, shape: Shape) -> Tensor:
    """Give every element that a reduction took in the gradient of what it became."""
    return g.reshape(kept) * np.ones(shape)


def _put(g: Tensor | Floats, index: Any, shape: Shape) -> Any:
    """Return zeros with `g` added at the places that were taken: the way back of indexing."""
    if isinstance(g, Tensor):
        return _unary("put", _put(g.value, index, shape), g, lambda h, *_: h[index])
    full = np.zeros(shape)
    part = full[index]
    if part.base is full:  # a view: every element was taken once
        part += g
    else:
        np.add.at(full, index, g)
    return full
