"""Every picture draws in both forms, says what it shows, and keeps to its colours."""

import numpy as np
import pytest
from p0_foundations import (
    Belief,
    GradientDescent,
    NumbersError,
    Picture,
    belief_picture,
    binomial,
    bootstrap,
    bootstrap_picture,
    cauchy,
    central_limit_picture,
    conditioning_picture,
    contour_picture,
    distribution_picture,
    eigen_images_picture,
    exp,
    exponential,
    false_alarms_picture,
    fit_picture,
    large_numbers_picture,
    likelihood_picture,
    load_digits,
    minimise,
    parse_formula,
    projection_picture,
    stretch_picture,
    window_around,
)

BOWL = parse_formula("x^2 + 3*y^2")
WILD = minimise(BOWL.at, [1.0, 1.0], GradientDescent(5.0))
PICTURES = {
    "a projection": lambda: projection_picture([2.0, 1.0], [1.0, 0.2]),
    "a stretch": lambda: stretch_picture([[2.0, 1.0], [0.0, 0.5]]),
    "a fit": lambda: fit_picture(np.arange(9.0), np.arange(9.0) ** 2, 2),
    "conditioning": conditioning_picture,
    "eigen-digits": lambda: eigen_images_picture(load_digits(), 4),
    "a distribution": lambda: distribution_picture(exponential()),
    "a discrete one": lambda: distribution_picture(binomial(10, 0.3)),
    "large numbers": lambda: large_numbers_picture(exponential(), n=200),
    "no large numbers": lambda: large_numbers_picture(cauchy(), n=200),
    "the central limit": lambda: central_limit_picture(exponential(), (1, 5)),
    "a likelihood": lambda: likelihood_picture(lambda p: (3 * exp(p[0]) - 2 * p[0]).sum(), 0.0),
    "beliefs": lambda: belief_picture(Belief(), Belief().after(3, 1)),
    "a bootstrap": lambda: bootstrap_picture(bootstrap([1.0, 2.0, 5.0, 9.0], n_resamples=200)),
    "false alarms": lambda: false_alarms_picture([1, 10]),
    "contours": lambda: contour_picture(BOWL),
    "contours without values": lambda: contour_picture(parse_formula("log(-1-x^2)")),
    "a level place": lambda: contour_picture(parse_formula("3")),
    "a path that diverged": lambda: contour_picture(BOWL, window_around(WILD), WILD),
}  # fmt: skip


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_svg_in_the_pages_colours_and_png_in_its_own(name: str) -> None:
    picture: Picture = PICTURES[name]()
    svg = picture.svg()
    assert svg.startswith('<svg role="img" aria-label="')
    assert len(picture.title) > 10
    assert "var(--accent)" in svg or "currentColor" in svg
    assert not any(colour in svg for colour in ("#010203", "#040506", "#070809", "#0a0b0c"))
    assert "nan" not in svg.lower()
    assert picture.png().startswith(b"\x89PNG")


def test_a_window_shows_a_path_whole_and_only_the_start_of_one_that_ran_away() -> None:
    calm = minimise(BOWL.at, [1.0, 1.0], GradientDescent(0.1))
    left, right, bottom, top = window_around(calm)
    assert left < calm.points[:, 0].min() < calm.points[:, 0].max() < right
    assert bottom < calm.points[:, 1].min() < calm.points[:, 1].max() < top
    left, right, _, _ = window_around(WILD)
    assert right - left < 1000 < np.abs(WILD.points).max()


def test_a_window_without_extent_is_refused() -> None:
    with pytest.raises(NumbersError, match="left below right"):
        contour_picture(BOWL, (1.0, 1.0, 0.0, 1.0))
