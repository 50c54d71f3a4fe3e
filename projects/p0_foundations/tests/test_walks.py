"""Searches that explain their steps, their step limits, and the best lines by each loss."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from p0_foundations.errors import NumbersError, OptimisationError
from p0_foundations.formulas import parse_formula
from p0_foundations.landscapes import LANDSCAPES
from p0_foundations.line_fits import LABEL_LOSSES, LINE_LOSSES, fit_line
from p0_foundations.optimisers import OPTIMISERS
from p0_foundations.walks import optimiser_named, walk
from scipy import optimize

BOWL = parse_formula("x^2 + 3*y^2")


@pytest.mark.parametrize("name", ["gradient-descent", "momentum", "nesterov", "newton"])
@pytest.mark.parametrize("share", [0.98, 1.02])
def test_a_search_closes_in_just_below_its_limit_and_leaves_just_above(name, share) -> None:
    limit = walk(BOWL, [2.0, 1.0], name, optimiser_named(name, 0.01), 1).step_limit
    assert limit is not None
    path = walk(BOWL, [2.0, 1.0], name, optimiser_named(name, share * limit), 2000).path
    assert path.verdict == ("converged" if share < 1 else "diverged")


@pytest.mark.parametrize("name", ["rmsprop", "adam"])
def test_what_divides_by_the_slope_has_no_limit(name) -> None:
    assert walk(BOWL, [2.0, 1.0], name, optimiser_named(name, 0.1), 5).step_limit is None


@pytest.mark.parametrize("name", OPTIMISERS)
def test_the_memory_of_each_step_leads_to_the_next_point(name) -> None:
    found = walk(BOWL, [2.0, 1.0], name, optimiser_named(name, 0.05), 6)
    points, slopes, memory = found.path.points, found.path.gradients, found.memory
    for k in range(found.path.n_steps):
        match name:
            case "gradient-descent":
                change = slopes[k]
            case "momentum":
                change = memory["velocity"][k]
            case "nesterov":
                change = slopes[k] + 0.9 * memory["velocity"][k]
            case "rmsprop":
                change = slopes[k] / (np.sqrt(memory["square"][k]) + 1e-8)
            case "adam":
                fair = memory["square"][k] / (1 - 0.999 ** (k + 1))
                change = memory["mean"][k] / (1 - 0.9 ** (k + 1)) / (np.sqrt(fair) + 1e-8)
            case _:
                change = np.linalg.solve(found.hessians[k], slopes[k])
        assert points[k + 1] == pytest.approx(points[k] - 0.05 * change)


@pytest.mark.parametrize("one", LANDSCAPES, ids=lambda one: one.name)
def test_every_landscape_begins_in_its_window_and_its_search_does_not_diverge(one) -> None:
    assert one.x[0] < one.start[0] < one.x[1]
    assert one.y[0] < one.start[1] < one.y[1]
    optimiser = optimiser_named("gradient-descent", one.step_size)
    path = walk(parse_formula(one.formula), one.start, "gradient-descent", optimiser, 200).path
    assert path.verdict != "diverged"
    assert path.losses[-1] < path.losses[0]


def test_a_slope_whose_square_is_beyond_a_float_leaves_only_finite_memory() -> None:
    steep = parse_formula("exp(400)*exp(400*x) + y^2")
    found = walk(steep, [0.0, 1.0], "rmsprop", optimiser_named("rmsprop", 0.1), 3)
    assert np.isfinite(found.memory["square"]).all()
    assert found.memory["square"].max() > 1e300


def test_an_optimiser_of_no_name_is_refused_with_the_names() -> None:
    with pytest.raises(OptimisationError, match="adam"):
        optimiser_named("adamw", 0.1)


SMALL = st.floats(-5, 5).map(lambda v: round(v, 2))
PENALTIES = {
    ("squared", False): lambda s, y: (s - y) ** 2,
    ("absolute", False): lambda s, y: np.abs(s - y),
    ("huber", False): lambda s, y: np.where(
        np.abs(s - y) <= 1, (s - y) ** 2 / 2, np.abs(s - y) - 0.5
    ),
    ("squared", True): lambda s, y: (s - y) ** 2,
    ("logistic", True): lambda s, y: np.logaddexp(0, -s * y),
    ("hinge", True): lambda s, y: np.maximum(0, 1 - s * y),
}


@settings(deadline=None, max_examples=25)
@pytest.mark.parametrize("key", PENALTIES, ids=str)
@given(data=st.data())
def test_no_line_costs_less_than_the_fitted_one(key, data) -> None:
    loss, is_labels = key
    target = st.sampled_from([-1.0, 1.0]) if is_labels else SMALL
    points = data.draw(st.lists(st.tuples(SMALL, target), min_size=3, max_size=12))
    x, y = np.array(points).T
    assume(np.std(x) > 0.1)
    fit = fit_line(points, loss, is_labels=is_labels)

    def cost(line) -> float:
        return float(PENALTIES[key](line[0] * x + line[1], y).mean())

    assert cost([fit.slope, fit.intercept]) == pytest.approx(fit.mean_loss, abs=1e-9)
    rival = optimize.minimize(cost, [fit.slope, fit.intercept], method="Nelder-Mead")
    assert not fit.is_settled or rival.fun > fit.mean_loss - 1e-4


def test_labels_that_a_line_separates_have_no_best_logistic_line() -> None:
    points = [(-2.0, -1.0), (-1.0, -1.0), (1.0, 1.0), (2.0, 1.0)]
    assert not fit_line(points, "logistic", is_labels=True).is_settled
    widest = fit_line(points, "hinge", is_labels=True)
    assert (widest.slope, widest.intercept, widest.mean_loss) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize("loss", LINE_LOSSES)
def test_the_squared_line_follows_an_outlier_and_the_absolute_one_does_not(loss) -> None:
    x = np.linspace(0, 10, 11)
    clean = [(float(a), float(a) + 0.2 * (-1) ** k) for k, a in enumerate(x)]
    lines = [fit_line([*clean, (10.0, y)], loss) for y in (10.0, 40.0)]
    moved = abs((lines[1].slope - lines[0].slope) * 10 + lines[1].intercept - lines[0].intercept)
    assert moved > 5 if loss == "squared" else moved < 1


@pytest.mark.parametrize(
    ("points", "loss", "words"),
    [
        ([(1.0, 0.0), (1.0, 2.0)], "squared", "two different x"),
        ([(0.0, 0.0), (1e-300, 2.0)], "absolute", "two different x"),
        ([(1.0, 0.5), (2.0, 1.0)], "hinge", "labels are -1 or 1"),
        ([(1.0, -1.0), (2.0, 1.0)], "absolute", ", ".join(LABEL_LOSSES)),
    ],
)
def test_points_that_no_line_fits_are_refused_in_words(points, loss, words) -> None:
    with pytest.raises(NumbersError, match=words):
        fit_line(points, loss, is_labels=words != "two different x")
