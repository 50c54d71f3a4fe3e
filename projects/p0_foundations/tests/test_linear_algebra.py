"""Linear algebra against NumPy and scikit-learn, and where its digits are lost."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from p0_foundations import (
    NumbersError,
    ShapeError,
    compare_conditioning,
    condition_number,
    least_squares_by_normal_equations,
    least_squares_by_qr,
    least_squares_by_svd,
    load_digits,
    principal_components,
    project,
)
from p0_foundations.linear_algebra import LEAST_SQUARES

SIZES = st.tuples(st.integers(1, 4), st.integers(0, 8))


@settings(deadline=None)
@given(sizes=SIZES, seed=st.integers(0, 10**6))
def test_three_ways_give_the_one_least_squares_solution(sizes, seed) -> None:
    k, more = sizes
    rng = np.random.default_rng(seed)
    A, b = rng.normal(size=(k + more, k)), rng.normal(size=k + more)
    if condition_number(A) > 1e4:
        return
    expected = np.linalg.lstsq(A, b)[0]
    for solve in LEAST_SQUARES.values():
        np.testing.assert_allclose(solve(A, b), expected, rtol=1e-6, atol=1e-8)


@settings(deadline=None)
@given(sizes=SIZES, seed=st.integers(0, 10**6))
def test_what_a_projection_leaves_over_stands_at_a_right_angle(sizes, seed) -> None:
    k, more = sizes
    rng = np.random.default_rng(seed)
    onto, vector = rng.normal(size=(k + more, k)), rng.normal(size=k + more)
    found = project(vector, onto)
    np.testing.assert_allclose(found.point + found.residual, vector)
    np.testing.assert_allclose(onto.T @ found.residual, 0, atol=1e-7 * condition_number(onto))
    again = project(found.point, onto)
    np.testing.assert_allclose(again.point, found.point, atol=1e-7)


def test_a_line_is_a_subspace_too() -> None:
    found = project([2.0, 2.0], [1.0, 0.0])
    assert (found.point.tolist(), found.residual.tolist()) == ([2.0, 0.0], [0.0, 2.0])


def test_the_normal_equations_lose_twice_the_digits() -> None:
    found = compare_conditioning([1e1, 1e4, 1e6, 1e10])
    normal, qr = found.errors["normal equations"], found.errors["QR"]
    assert normal[2] > 1e3 * qr[2]
    assert np.isnan(normal[3]) or normal[3] > 0.1
    assert (qr < 1e-14 * found.conditions).all()
    assert (found.errors["SVD"] < 1e-14 * found.conditions).all()


def test_components_are_those_of_scikit_learn() -> None:
    from sklearn.decomposition import PCA

    rows = load_digits().flat.rows
    ours, theirs = principal_components(rows, 10), PCA(10, svd_solver="full").fit(rows)
    np.testing.assert_allclose(ours.variances, theirs.explained_variance_)
    np.testing.assert_allclose(ours.shares, theirs.explained_variance_ratio_)
    np.testing.assert_allclose(np.abs(ours.scores(rows)), np.abs(theirs.transform(rows)), atol=1e-8)
    np.testing.assert_allclose(ours.directions @ ours.directions.T, np.eye(10), atol=1e-12)


def test_more_eigen_digits_rebuild_a_digit_better_and_all_rebuild_it_whole() -> None:
    rows = load_digits().flat.rows
    errors = []
    for k in (2, 10, 30, 64):
        kept = principal_components(rows, k)
        errors.append(np.abs(kept.rebuild(kept.scores(rows)) - rows).mean())
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-12


def test_dependent_columns_are_named_and_the_svd_takes_them() -> None:
    A = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    for refuse in (least_squares_by_normal_equations, least_squares_by_qr):
        with pytest.raises(NumbersError, match="as good as dependent"):
            refuse(A, [1.0, 2.0, 3.0])
    np.testing.assert_allclose(least_squares_by_svd(A, [1.0, 2.0, 3.0]), [0.2, 0.4])
    assert condition_number([[1.0, 0.0], [0.0, 0.0]]) == np.inf
    assert condition_number([[3.0, 0.0], [0.0, 0.5]]) == 6.0


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (lambda: condition_number([1.0]), ShapeError, "not shape (1,)"),
        (lambda: condition_number([[np.nan]]), NumbersError, "finite numbers"),
        (lambda: least_squares_by_qr(np.ones((2, 3)), np.ones(2)), NumbersError, "use the SVD"),
        (lambda: least_squares_by_qr(np.ones((3, 2)), np.ones(2)), ShapeError, "A (3, 2), b (2,)"),
        (lambda: principal_components(np.ones((3, 2)), 3), NumbersError, "accepted: 1 to 2"),
    ],
)
def test_what_has_no_answer_is_refused(wrong, error, words) -> None:
    with pytest.raises(error, match=re.escape(words)):
        wrong()
