"""Pictures of linear algebra: a projection, a stretch, a fit, lost digits, eigen-digits."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from p0_foundations.datasets import Images
from p0_foundations.linear_algebra import (
    compare_conditioning,
    condition_number,
    least_squares_by_qr,
    principal_components,
    project,
)
from p0_foundations.pictures import Colours, Picture, label, legend, panels


def projection_picture(vector: ArrayLike, onto: ArrayLike) -> Picture:
    """Draw a vector of the plane, a line, the nearest point on it, and what is left over."""
    found, tip = project(vector, onto), np.asarray(vector, dtype=np.float64)
    along = np.asarray(onto, dtype=np.float64)
    reach = 1.3 * np.linalg.norm(tip) * along / np.linalg.norm(along)

    def draw(colours: Colours) -> Figure:
        figure, (axes,) = panels(colours, "projection")
        axes.plot(*np.stack([-0.2 * reach, reach]).T, color=colours.faint)
        axes.plot(*np.stack([0 * tip, tip]).T, "-o", color=colours.first, label="vector")
        axes.plot(*np.stack([0 * tip, found.point]).T, color=colours.third, label="its shadow")
        axes.plot(*np.stack([found.point, tip]).T, "--", color=colours.second, label="left over")
        axes.set_aspect("equal", "datalim")
        legend(axes, colours)
        return figure

    return Picture("A vector, and its projection on a line at a right angle", draw)


def stretch_picture(matrix: ArrayLike) -> Picture:
    """Draw what a matrix (2, 2) makes of the unit circle: an ellipse, by its singular values."""
    given = np.asarray(matrix, dtype=np.float64)
    u, sizes, _ = np.linalg.svd(given)
    angle = np.linspace(0, 2 * np.pi, 200)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    title = f"stretch {sizes[0]:.3g} and {sizes[1]:.3g}, condition {condition_number(given):.3g}"

    def draw(colours: Colours) -> Figure:
        figure, (axes,) = panels(colours, title)
        axes.plot(*circle, color=colours.faint)
        axes.plot(*(given @ circle), color=colours.first)
        for direction, size in zip(u.T, sizes, strict=True):
            axes.plot([0, direction[0] * size], [0, direction[1] * size], color=colours.second)
        axes.set_aspect("equal", "datalim")
        return figure

    return Picture(f"A circle and the ellipse that a matrix makes of it: {title}", draw)


def fit_picture(x: ArrayLike, y: ArrayLike, degree: int = 1) -> Picture:
    """Draw points and the polynomial that least squares fits to them."""
    at, seen = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    weights = least_squares_by_qr(np.vander(at, degree + 1), seen)
    line = np.linspace(at.min(), at.max(), 200)

    def draw(colours: Colours) -> Figure:
        figure, (axes,) = panels(colours, f"least squares, degree {degree}")
        fitted = np.polyval(weights, at)
        axes.vlines(at, np.minimum(seen, fitted), np.maximum(seen, fitted), color=colours.faint)
        axes.plot(at, seen, "o", color=colours.first, markersize=3)
        axes.plot(line, np.polyval(weights, line), color=colours.second)
        return figure

    return Picture(f"Points and the polynomial of degree {degree} nearest to them", draw)


def conditioning_picture() -> Picture:
    """Draw how many digits each way of least squares loses as a matrix comes near to flat."""
    found = compare_conditioning(np.geomspace(1, 1e12, 25))

    def draw(colours: Colours) -> Figure:
        figure, (axes,) = panels(colours, "error of the solution")
        tones = (colours.second, colours.first, colours.third)
        for (name, errors), tone in zip(found.errors.items(), tones, strict=True):
            axes.loglog(found.conditions, errors, color=tone, label=name, linewidth=1.2)
        label(axes, colours, "condition of the matrix", "relative error")
        legend(axes, colours)
        return figure

    return Picture("Error by condition: the normal equations lose digits twice as fast", draw)


def eigen_images_picture(images: Images, n: int = 8) -> Picture:
    """Draw the strongest directions among pictures, as pictures, with their share of variance."""
    found = principal_components(images.flat.rows, n)
    shape = images.pixels.shape[1:]

    def draw(colours: Colours) -> Figure:
        figure = Figure(figsize=(0.9 * n, 1.3), layout="constrained")
        for k, axes in enumerate(figure.subplots(1, n, squeeze=False)[0]):
            direction = found.directions[k].reshape(shape)
            size = np.abs(direction).max()
            axes.pcolormesh(direction[::-1], cmap="RdBu_r", vmin=-size, vmax=size)
            axes.set_aspect("equal")
            axes.set_axis_off()
            axes.set_title(f"{found.shares[k]:.0%}", fontsize=8, color=colours.ink)
        return figure

    return Picture(f"The {n} directions in which the pictures differ most", draw)
