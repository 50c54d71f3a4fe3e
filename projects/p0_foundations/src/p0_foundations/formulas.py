"""A typed-in function of x and y, such as `x^2 + 3*sin(y)`, read safely: parsed, never evaluated.

The text becomes a syntax tree by `ast`, every node of which must be on a list; what is on it is
rebuilt as functions of ours. So no text can reach an attribute, an import or a name of Python's.
Lengths, depths and exponents are bounded. Knows no picture and no optimiser.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from p0_foundations.autodiff import (
    Elementwise,
    Floats,
    Tensor,
    absolute,
    cos,
    exp,
    log,
    maximum,
    minimum,
    sin,
    sqrt,
    tanh,
)
from p0_foundations.errors import FormulaError

MAX_CHARACTERS = 200
MAX_DEPTH = 100
MAX_EXPONENT = 100.0
VARIABLES = ("x", "y")
CONSTANTS = {"pi": np.pi, "e": np.e}


def _tan(a: Tensor) -> Tensor:
    return sin(a) / cos(a)


FUNCTIONS: dict[str, Elementwise] = {
    "sin": sin,
    "cos": cos,
    "tan": cast("Elementwise", _tan),
    "tanh": tanh,
    "exp": exp,
    "log": log,
    "sqrt": sqrt,
    "abs": absolute,
}
PAIRS = {"min": (minimum, np.minimum), "max": (maximum, np.maximum)}
ACCEPTED = "accepted: x, y, numbers, pi, e, + - * / ^, parentheses, " + ", ".join(
    [*FUNCTIONS, *PAIRS]
)
_FORBIDDEN = re.compile(r"[^A-Za-z0-9_ .+\-*/^(),]")
_NUMBER = re.compile(r"(?<![A-Za-z0-9_.])(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")

Value = Tensor | Floats
Part = Callable[[Value, Value], Value]


@dataclass(frozen=True)
class Formula:
    """A function of two numbers; call it with tensors for gradients, with arrays for a surface.

    Where it has no value (`log` of a negative number, a division by zero) arrays hold NaN or
    infinity, without a warning: what draws or descends looks before it uses them.
    """

    text: str
    _part: Part = field(repr=False, compare=False)

    def __call__(self, x: ArrayLike, y: ArrayLike) -> Floats:
        """Return the values; `x` and `y` broadcast."""
        a, b = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(y, np.float64))
        with np.errstate(all="ignore"):
            return np.broadcast_to(cast("Floats", self._part(a, b)), a.shape)

    def at(self, point: Tensor) -> Tensor:
        """Return the value at a point of two numbers: what `minimise` takes as its function."""
        with np.errstate(all="ignore"):
            value = self._part(point[0], point[1])
        return value if isinstance(value, Tensor) else Tensor(value, needs_grad=False)


def parse_formula(text: str) -> Formula:
    """Read a formula; `^` and `**` are powers. `FormulaError` says where it cannot be read."""
    if len(text) > MAX_CHARACTERS:
        message = f"{len(text)} characters; at most {MAX_CHARACTERS} are read"
        raise FormulaError(message, text=text, column=MAX_CHARACTERS + 1)
    if not text.strip():
        raise FormulaError(f"nothing to read; {ACCEPTED}", text=text, column=1)
    return Formula(text, _Reader(text).read())


class _Reader:
    """Turns one text into a function, with columns as its writer sees them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._columns = [k + 1 for k, c in enumerate(text) for _ in range(1 + (c == "^"))]

    def read(self) -> Part:
        """Check the characters, parse, and rebuild from what is accepted."""
        if found := _FORBIDDEN.search(self._text):
            raise self._error(f"{found[0]!r} is not understood; {ACCEPTED}", found.start() + 1)
        for number in _NUMBER.finditer(self._text):
            if re.match(r"[A-Za-z_]", self._text[number.end() :]):
                raise self._error(f"write {number[0]}*… for a product", number.end() + 1)
        code = self._text.replace("^", "**")
        start = len(code) - len(code.lstrip())
        self._columns = self._columns[start:]
        try:
            tree = ast.parse(code.strip(), mode="eval")
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            place = max(getattr(error, "offset", None) or 1, 1) - 1
            raise self._error(
                "something is missing or too much here", self._column(place)
            ) from None
        return self._part(tree.body, depth=1)

    def _part(self, node: ast.expr, depth: int) -> Part:
        if depth > MAX_DEPTH:
            raise self._error(f"nested more than {MAX_DEPTH} deep", self._column(node.col_offset))
        match node:
            case ast.Constant():
                return self._number(node)
            case ast.Name():
                return self._name(node)
            case ast.UnaryOp(op=ast.UAdd()):
                return self._part(node.operand, depth + 1)
            case ast.UnaryOp(op=ast.USub()):
                inner = self._part(node.operand, depth + 1)
                return lambda x, y: -inner(x, y)
            case ast.BinOp():
                return self._operation(node, depth)
            case ast.Call():
                return self._call(node, depth)
            case _:
                raise self._error(
                    f"this is not understood; {ACCEPTED}", self._column(node.col_offset)
                )

    def _number(self, node: ast.Constant) -> Part:
        value = node.value
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not abs(cast("float", value)) <= 1e300:
            message = f"not a number that is read; {ACCEPTED}"
            raise self._error(message, self._column(node.col_offset))
        number = np.float64(cast("float", value))
        return lambda _x, _y: cast("Floats", number)

    def _name(self, node: ast.Name) -> Part:
        if node.id == "x":
            return lambda x, _y: x
        if node.id == "y":
            return lambda _x, y: y
        if node.id in CONSTANTS:
            number = np.float64(CONSTANTS[node.id])
            return lambda _x, _y: cast("Floats", number)
        if node.id in FUNCTIONS or node.id in PAIRS:
            raise self._error(f"{node.id} needs parentheses", self._column(node.col_offset))
        raise self._error(f"{node.id!r} is not known; {ACCEPTED}", self._column(node.col_offset))

    def _operation(self, node: ast.BinOp, depth: int) -> Part:
        left, right = self._part(node.left, depth + 1), self._part(node.right, depth + 1)
        match node.op:
            case ast.Add():
                return lambda x, y: left(x, y) + right(x, y)
            case ast.Sub():
                return lambda x, y: left(x, y) - right(x, y)
            case ast.Mult():
                return lambda x, y: left(x, y) * right(x, y)
            case ast.Div():
                return lambda x, y: left(x, y) / right(x, y)
            case ast.Pow():
                self._check_exponent(node.right, right)
                return lambda x, y: left(x, y) ** right(x, y)
            case _:
                raise self._error(
                    f"this is not understood; {ACCEPTED}", self._column(node.col_offset)
                )

    def _check_exponent(self, node: ast.expr, exponent: Part) -> None:
        if any(isinstance(one, ast.Name) and one.id in VARIABLES for one in ast.walk(node)):
            return
        nowhere = cast("Floats", np.float64(0.0))
        with np.errstate(all="ignore"):
            value = float(cast("Floats", exponent(nowhere, nowhere)))
        if not abs(value) <= MAX_EXPONENT:
            message = f"an exponent of {value:g}; accepted: up to {MAX_EXPONENT:g} either way"
            raise self._error(message, self._column(node.col_offset))

    def _call(self, node: ast.Call, depth: int) -> Part:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        wanted = 1 if name in FUNCTIONS else 2 if name in PAIRS else 0
        if not wanted:
            shown = f"{name!r} is not a function" if name else "only a function can be called"
            raise self._error(f"{shown}; {ACCEPTED}", self._column(node.col_offset))
        is_plain = not node.keywords and not any(isinstance(a, ast.Starred) for a in node.args)
        if not is_plain or len(node.args) != wanted:
            message = f"{name} takes {wanted} value{'s' * (wanted > 1)}"
            raise self._error(message, self._column(node.col_offset))
        parts = [self._part(argument, depth + 1) for argument in node.args]
        if wanted == 1:
            function, inner = FUNCTIONS[name], parts[0]
            return lambda x, y: function(inner(x, y))
        return lambda x, y: _paired(name, parts[0](x, y), parts[1](x, y))

    def _column(self, place: int) -> int:
        return self._columns[place] if place < len(self._columns) else len(self._text) + 1

    def _error(self, message: str, column: int) -> FormulaError:
        return FormulaError(message, text=self._text, column=column)


def _paired(name: str, a: Value, b: Value) -> Value:
    on_tensors, on_arrays = PAIRS[name]
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return on_tensors(a, b)
    return cast("Floats", on_arrays(a, b))
