"""Formulas: right where Python is right, and nothing outside the list passes."""

import ast
import math
import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from p0_foundations import Formula, FormulaError, Tensor, gradients, parse_formula
from p0_foundations.formulas import CONSTANTS, FUNCTIONS, MAX_CHARACTERS, PAIRS

LEAVES = st.sampled_from(["x", "y", "pi", "e", "2", "0.5", "1e1", ".25", "3."])
FORMULAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]}{t[2]})"),
        st.tuples(inner, st.sampled_from(["^2", "**3", "^-1"])).map(lambda t: f"({t[0]}){t[1]}"),
        st.tuples(st.sampled_from(sorted(FUNCTIONS)), inner).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(st.sampled_from(sorted(PAIRS)), inner, inner).map(
            lambda t: f"{t[0]}({t[1]},{t[2]})"
        ),
        inner.map(lambda t: f"-{t}"),
    ),
    max_leaves=8,
).filter(lambda text: len(text) <= MAX_CHARACTERS)
PYTHON = {
    name: getattr(math, name, None) or getattr(__builtins__, name, None) for name in FUNCTIONS
}
PYTHON |= {"abs": abs, "min": min, "max": max}
ANYTHING = st.lists(
    st.sampled_from([*"xyez0189.^*/+-(), _", "sin", "log", "max", "pi", "__", "lambda ", " if "]),
    max_size=30,
).map("".join)  # fmt: skip
KNOWN = {"x", "y", *CONSTANTS, *FUNCTIONS, *PAIRS}


def accepted_or_refused(text: str) -> Formula | None:
    """Read a text; None when it is refused at a column that it has."""
    try:
        return parse_formula(text)
    except FormulaError as error:
        is_place = 1 <= error.column <= len(text) + 1
    assert is_place
    return None


@settings(deadline=None)
@given(text=FORMULAS, x=st.floats(-3, 3), y=st.floats(-3, 3))
def test_a_formula_means_what_it_means_in_python(text: str, x: float, y: float) -> None:
    try:
        expected = eval(text.replace("^", "**"), {**PYTHON, **CONSTANTS, "x": x, "y": y})
    except (ValueError, ZeroDivisionError, OverflowError):
        expected = math.nan  # ours gives infinity or not-a-number there, without an error
    try:
        found = float(parse_formula(text)(x, y))
    except FormulaError as error:
        assume("exponent" not in str(error))
        raise
    if isinstance(expected, float | int) and math.isfinite(expected):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


@settings(deadline=None)
@given(text=st.one_of(ANYTHING, st.text(max_size=40)))
def test_whatever_passes_holds_only_what_is_on_the_list(text: str) -> None:
    formula = accepted_or_refused(text)
    if formula is None:
        return
    assert np.shape(formula(0.5, 0.5)) == ()
    tree = ast.parse(text.replace("^", "**").strip(), mode="eval")
    allowed = ast.Expression | ast.BinOp | ast.UnaryOp | ast.Call | ast.Name | ast.Constant
    rest = ast.operator | ast.unaryop | ast.expr_context
    assert all(isinstance(node, allowed | rest) for node in ast.walk(tree))
    assert {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} <= KNOWN


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x.__class__", "column 1: this is not understood"),
        ("__import__('os')", 'column 12: "\'" is not understood'),
        ("open(x)", "column 1: 'open' is not a function"),
        ("x + sin.real", "column 5: this is not understood"),
        ("(x)(y)", "column 1: 'x' is not a function"),
        ("x if y else 1", "column 1: this is not understood"),
        ("x^2 + z", "column 7: 'z' is not known; accepted: x, y, numbers"),
        ("x^2 + 3y", "column 8: write 3*… for a product"),
        ("x^2^y^)", "column 7: something is missing or too much"),
        ("x(y)(x)", "column 1: only a function can be called"),
        ("3*sin(y", "column 6: something is missing or too much"),
        ("9^9^9", "column 3: an exponent of 3.87"),
        ("x^1e999", "not a number that is read"),
        ("sin + x", "column 1: sin needs parentheses"),
        ("max(x)", "column 1: max takes 2 values"),
        ("sin(*x)", "column 1: sin takes 1 value"),
        ("True", "column 1: not a number"),
        ("x == y", "column 3: '=' is not understood"),
        ("x\n+y", "column 2: '\\n' is not understood"),
        ("x²", "column 2: '²' is not understood"),
        ("  ", "column 1: nothing to read"),
        ("x+" * 150 + "x", "at most 200"),
        ("-" * 150 + "x", "nested more than 100 deep"),
        ("(" * 199 + "x", "column "),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_column_and_what_is_accepted(text, words) -> None:
    with pytest.raises(FormulaError, match=re.escape(words)):
        parse_formula(text)


def test_values_broadcast_and_where_there_is_none_no_warning_is_raised() -> None:
    x, y = np.linspace(-1, 1, 5)[None, :], np.linspace(-1, 1, 4)[:, None]
    assert parse_formula("7")(x, y).shape == (4, 5)
    values = parse_formula("log(x) + exp(1000*y) + 1/0")(x, y)
    assert not np.isfinite(values).any()


def test_a_formula_has_exact_gradients() -> None:
    formula = parse_formula("x^2 + 3*sin(y) + tan(x*y) + max(x, y)")
    point = Tensor([0.3, 0.5])
    (slope,) = gradients(formula.at(point), [point])
    bend = 1 / math.cos(0.15) ** 2
    expected = [0.6 + 0.5 * bend, 3 * math.cos(0.5) + 0.3 * bend + 1]
    assert slope.value == pytest.approx(expected, rel=1e-12)
