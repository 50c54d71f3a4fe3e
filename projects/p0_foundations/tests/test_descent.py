"""Optimisers against closed forms, step limits that hold, and searches that say how they ended."""

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from p0_foundations import (
    OPTIMISERS,
    Adam,
    GradientDescent,
    Momentum,
    Newton,
    OptimisationError,
    Optimiser,
    Tensor,
    Verdict,
    exp,
    hessian,
    largest_stable_step,
    minimise,
    minimise_on_batches,
    parse_formula,
    squared_error,
)

ROSENBROCK = parse_formula("(1-x)^2 + 100*(y-x^2)^2").at


def bowl(bends: np.ndarray, seed: int):
    """A quadratic with these eigenvalues in random directions; returns it and its matrix."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(bends), len(bends))))
    matrix = q @ np.diag(bends) @ q.T
    return (lambda x: 0.5 * (x @ (matrix @ x))), matrix


@pytest.mark.criterion("p0.descent")
@settings(deadline=None, max_examples=30)
@given(bends=st.lists(st.floats(0.1, 50), min_size=1, max_size=5), seed=st.integers(0, 1000))
def test_descent_converges_below_two_over_l_and_diverges_beyond(bends, seed) -> None:
    function, _ = bowl(np.array(bends), seed)
    start = np.random.default_rng(seed).normal(size=len(bends)) + 3.0
    limit = largest_stable_step(function, start)
    assert limit == pytest.approx(2 / max(bends))
    below = minimise(function, start, GradientDescent(0.9 * limit), steps=20_000)
    assert below.verdict is Verdict.CONVERGED
    beyond = minimise(function, start, GradientDescent(1.1 * limit), steps=20_000)
    assert beyond.verdict is Verdict.DIVERGED
    assert np.isfinite(beyond.points).all()
    assert np.isfinite(beyond.losses).all()


def test_at_the_limit_itself_a_search_swings_and_is_called_stalled() -> None:
    path = minimise(parse_formula("x^2 + y^2").at, [1.0, 0.0], GradientDescent(1.0), steps=1000)
    assert path.verdict is Verdict.STALLED
    assert path.points[:4, 0].tolist() == [1.0, -1.0, 1.0, -1.0]


@pytest.mark.criterion("p0.descent")
def test_a_step_of_descent_shrinks_each_direction_by_one_minus_its_bend() -> None:
    bends = np.array([1.0, 4.0, 9.0])
    function, _ = bowl(bends, 0)
    path = minimise(function, [1.0, 2.0, 3.0], GradientDescent(0.1), steps=20)
    directions = np.linalg.eigh(hessian(function, [0.0, 0.0, 0.0]))[1]
    along = path.points @ directions
    expected = along[0] * (1 - 0.1 * bends) ** np.arange(21)[:, None]
    np.testing.assert_allclose(along, expected, atol=1e-12)


def test_newton_ends_on_a_bowl_in_one_step_and_never_climbs_to_a_saddle() -> None:
    function, _ = bowl(np.array([0.01, 100.0]), 1)
    path = minimise(function, [5.0, -3.0], Newton())
    assert (path.verdict, path.n_steps) == (Verdict.CONVERGED, 1)
    valley = minimise(ROSENBROCK, [-1.2, 1.0], Newton())
    assert valley.n_steps < 30
    np.testing.assert_allclose(valley.points[-1], [1.0, 1.0], atol=1e-6)
    saddle = minimise(parse_formula("x^4/4 - x^2/2 + y^2").at, [0.1, 1.0], Newton())
    np.testing.assert_allclose(np.abs(saddle.points[-1]), [1.0, 0.0], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "step_size"),
    [("gradient-descent", 0.002), ("momentum", 0.0005), ("nesterov", 0.0005), ("rmsprop", 0.002),
     ("adam", 0.02), ("newton", 1.0)],
)  # fmt: skip
def test_every_optimiser_finds_the_bottom_of_a_bent_valley(name: str, step_size: float) -> None:
    path = minimise(ROSENBROCK, [-1.0, 1.5], OPTIMISERS[name](step_size), steps=8_000)
    np.testing.assert_allclose(path.points[-1], [1.0, 1.0], atol=2e-2)


def test_momentum_needs_fewer_steps_than_descent_in_a_narrow_valley() -> None:
    function, _ = bowl(np.array([0.05, 10.0]), 2)
    plain = minimise(function, [3.0, 3.0], GradientDescent(0.1), steps=10_000)
    heavy = minimise(function, [3.0, 3.0], Momentum(0.1, 0.9), steps=10_000)
    assert heavy.verdict is plain.verdict is Verdict.CONVERGED
    assert heavy.n_steps < plain.n_steps / 3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gradient-descent", "momentum", "nesterov", "rmsprop", "adam"])
def test_an_optimiser_takes_the_steps_of_torch(name: str) -> None:
    import torch

    theirs = {
        "gradient-descent": lambda p: torch.optim.SGD(p, lr=0.01),
        "momentum": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
        "nesterov": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True),
        "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01),
        "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    }[name]
    point = torch.tensor([-1.0, 1.5], dtype=torch.float64, requires_grad=True)
    optimiser = theirs([point])
    seen = [point.detach().numpy().copy()]
    for _ in range(30):
        optimiser.zero_grad()
        (torch.cosh(point[0] - 1) + point[1] ** 2 * (1 + point[0] ** 2)).backward()
        optimiser.step()
        seen.append(point.detach().numpy().copy())

    def function(p: Tensor) -> Tensor:
        return (exp(p[0] - 1) + exp(1 - p[0])) * 0.5 + p[1] ** 2 * (1 + p[0] ** 2)

    ours = minimise(function, [-1.0, 1.5], OPTIMISERS[name](0.01), steps=30)
    np.testing.assert_allclose(ours.points, np.array(seen), rtol=1e-10)


def test_an_optimiser_that_ran_before_runs_the_same_again() -> None:
    adam = Adam(0.05)
    first, second = (minimise(ROSENBROCK, [0.0, 0.0], adam, steps=50) for _ in range(2))
    assert np.array_equal(first.points, second.points)


@pytest.mark.parametrize(
    ("text", "start", "optimiser", "verdict", "words"),
    [
        ("log(x)", [0.1, 0.0], GradientDescent(0.3), Verdict.DIVERGED, "no finite value at (-2.9"),
        ("-x^2", [1.0, 0.0], GradientDescent(0.3), Verdict.DIVERGED, "the point ran away"),
        ("x^2 + y^2", [1.0, 1.0], GradientDescent(1e300), Verdict.DIVERGED, "step 1"),
        ("x^4", [10.0, 0.0], Adam(1e200), Verdict.DIVERGED, "step 1"),
        ("x^2", [1.0, 1.0], GradientDescent(1.005), Verdict.DIVERGED, "rose 40 times in a row"),
        ("x^2 - y^2", [1.0, 0.0], GradientDescent(0.1), Verdict.CONVERGED, "a saddle or a top"),
        ("abs(x)", [1.05, 0.0], GradientDescent(0.1), Verdict.STALLED, "no lower loss"),
        ("x", [0.0, 0.0], GradientDescent(0.1), Verdict.UNFINISHED, "not yet 0"),
        ("3", [0.0, 0.0], Newton(), Verdict.CONVERGED, "step 0"),
        ("x", [0.0, 0.0], Newton(), Verdict.UNFINISHED, "not yet 0"),
    ],
)
def test_a_search_says_how_it_ended_and_holds_nothing_that_is_not_finite(
    text: str, start: list[float], optimiser: Optimiser, verdict: Verdict, words: str
) -> None:
    path = minimise(parse_formula(text).at, start, optimiser)
    assert path.verdict is verdict
    assert words in path.reason
    for part in (path.points, path.losses, path.gradients):
        assert np.isfinite(part).all()
        assert len(part) == path.n_steps + 1


@settings(deadline=None)
@given(
    text=st.sampled_from(["x^2*y", "exp(x*y)", "1/x + y^3", "sqrt(x*y)", "x^y", "tan(x)*log(y)"]),
    start=st.tuples(st.floats(-100, 100), st.floats(-100, 100)),
    name=st.sampled_from(sorted(OPTIMISERS)),
    step_size=st.floats(0, 1e3),
)
def test_nothing_a_person_can_set_makes_a_path_that_cannot_be_drawn(text, start, name, step_size):
    try:
        path = minimise(parse_formula(text).at, start, OPTIMISERS[name](step_size), steps=150)
    except OptimisationError as error:
        assume("at the start" not in str(error))
        raise
    assert all(np.isfinite(part).all() for part in (path.points, path.losses, path.gradients))


def test_small_batches_find_the_line_that_all_rows_give() -> None:
    rng = np.random.default_rng(0)
    rows = np.column_stack([np.ones(500), rng.normal(size=500)])
    targets = rows @ [1.0, -2.0] + 0.1 * rng.normal(size=500)
    exact = np.linalg.lstsq(rows, targets)[0]

    def loss(point: Tensor, chosen: np.ndarray) -> Tensor:
        return squared_error(rows[chosen] @ point, targets[chosen])

    path = minimise_on_batches(
        loss, [0.0, 0.0], 500, GradientDescent(0.02), epochs=20, batch_size=25
    )
    assert path.n_steps == 20 * 20
    np.testing.assert_allclose(path.points[-50:].mean(0), exact, atol=0.02)
    again = minimise_on_batches(
        loss, [0.0, 0.0], 500, GradientDescent(0.02), epochs=20, batch_size=25
    )
    assert np.array_equal(path.points, again.points)
    wild = minimise_on_batches(loss, [0.0, 0.0], 500, GradientDescent(5.0))
    assert wild.verdict is Verdict.DIVERGED


def test_an_exact_hessian_is_the_matrix_of_a_quadratic() -> None:
    function, matrix = bowl(np.array([1.0, -2.0, 3.0, 0.0]), 5)
    np.testing.assert_allclose(hessian(function, np.ones(4)), matrix, atol=1e-12)
    assert largest_stable_step(lambda x: -(x @ x), [1.0]) == np.inf


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: GradientDescent(-1.0), "step_size=-1.0; accepted: a finite number"),
        (lambda: GradientDescent(float("nan")), "step_size=nan"),
        (lambda: Momentum(0.1, 1.0), "momentum=1.0; accepted: 0 to below 1"),
        (lambda: minimise(ROSENBROCK, [[1.0]], Adam()), "a list of finite numbers"),
        (lambda: minimise(ROSENBROCK, [np.nan, 1.0], Adam()), "a list of finite numbers"),
        (lambda: minimise(ROSENBROCK, [1.0, 1.0], Adam(), steps=-1), "-1 steps"),
        (
            lambda: minimise(parse_formula("log(x)").at, [-1, 0], Adam()),
            "no finite value at the st",
        ),
        (
            lambda: minimise(parse_formula("sqrt(x)").at, [0, 0], Adam()),
            "no finite slope at the st",
        ),
        (lambda: minimise_on_batches(lambda p, _: p[0], [1.0], 0, Adam()), "0 rows in batches"),
    ],
)
def test_what_cannot_begin_is_refused(wrong, words) -> None:
    with pytest.raises(OptimisationError, match=re.escape(words)):
        wrong()
