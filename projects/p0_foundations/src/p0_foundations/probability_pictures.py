"""Pictures of probability: a spread, averages that settle, beliefs that sharpen, false alarms."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from p0_foundations.autodiff import Floats, Tensor
from p0_foundations.descent import Function
from p0_foundations.pictures import Colours, Picture, label, legend, panels
from p0_foundations.probability import (
    Belief,
    Bootstrap,
    Distribution,
    false_alarm_rates,
    maximum_likelihood,
    normal,
    running_means,
    sample_means,
)

BINS = 60


def distribution_picture(source: Distribution, *, n: int = 2_000, seed: int = 0) -> Picture:
    """Draw values of a distribution as a histogram under its density."""
    values = source.draw(np.random.default_rng(seed), (n,))
    low, high = np.quantile(values, [0.005, 0.995])
    shown = values[(values >= low) & (values <= high)]
    is_discrete = source.is_discrete
    edges = np.arange(low - 0.5, high + 1) if is_discrete else np.linspace(low, high, BINS)
    at = np.arange(low, high + 1) if is_discrete else np.linspace(low, high, 300)

    def draw(colours: Colours) -> Figure:
        figure, (axes,) = panels(colours, source.name)
        _draw_counts(axes, shown, edges, n, colours)
        style = "o" if is_discrete else "-"
        axes.plot(at, source.density(at), style, color=colours.second, markersize=3)
        return figure

    return Picture(f"{n:,} values of the {source.name} distribution under its density", draw)


def large_numbers_picture(source: Distribution, *, n: int = 2_000, seed: int = 0) -> Picture:
    """Draw running means, and the band of two standard errors where there is one."""
    means = running_means(source, n, seed=seed)
    counts = np.arange(1, n + 1)

    def draw(colours: Colours) -> Figure:
        figure, (axes,) = panels(colours, f"means of {source.name} draws")
        axes.plot(counts, means.T, color=colours.first, linewidth=0.8)
        if np.isfinite(source.variance):
            band = 2 * np.sqrt(source.variance / counts)
            for side in (-1, 1):
                axes.plot(counts, source.mean + side * band, "--", color=colours.second)
            axes.set_ylim(source.mean - 6 * band[9], source.mean + 6 * band[9])
        axes.set_xscale("log")
        label(axes, colours, "draws")
        return figure

    return Picture(f"The mean of the first n {source.name} draws, by n", draw)


def central_limit_picture(source: Distribution, sizes: tuple[int, ...] = (1, 5, 50)) -> Picture:
    """Draw standardised means of samples of several sizes under the normal density."""
    found = [sample_means(source, size) for size in sizes]
    at = np.linspace(-4, 4, 200)

    def draw(colours: Colours) -> Figure:
        titles = [f"n = {one.size}, distance {one.distance:.3f}" for one in found]
        figure, every = panels(colours, *titles)
        for axes, one in zip(every, found, strict=True):
            edges, n = np.linspace(-4, 4, BINS), len(one.standardised)
            _draw_counts(axes, one.standardised, edges, n, colours)
            axes.plot(at, normal().density(at), color=colours.second)
        return figure

    return Picture(f"Means of {source.name} samples come near to the normal as they grow", draw)


def likelihood_picture(
    negative_log_likelihood: Function, start: float, name: str = "parameter"
) -> Picture:
    """Draw the likelihood of one parameter, its top, and a standard error to each side."""
    fit = maximum_likelihood(negative_log_likelihood, [start])
    best, error = float(fit.parameters[0]), float(fit.standard_errors[0])
    at = np.linspace(best - 4 * error, best + 4 * error, 200)
    logs = [-negative_log_likelihood(Tensor([one])).item() for one in at]
    relative = np.exp(np.array(logs) - fit.log_likelihood)

    def draw(colours: Colours) -> Figure:
        figure, (axes,) = panels(colours, f"{best:.3g} ± {error:.2g}")
        axes.plot(at, relative, color=colours.first)
        axes.axvline(best, color=colours.second)
        axes.axvspan(best - error, best + error, color=colours.faint, alpha=0.3)
        label(axes, colours, name, "likelihood, of its top")
        return figure

    return Picture(f"How likely each {name} makes the data; the best is {best:.3g}", draw)


def belief_picture(*beliefs: Belief) -> Picture:
    """Draw what is believed of a share, update after update."""
    share = np.linspace(0, 1, 400)[1:-1]

    def draw(colours: Colours) -> Figure:
        figure, (axes,) = panels(colours, "belief in a share")
        for k, belief in enumerate(beliefs):
            tone = colours.first if k == len(beliefs) - 1 else colours.faint
            axes.plot(share, belief.density(share), color=tone)
        label(axes, colours, "share")
        return figure

    low, high = beliefs[-1].interval()
    return Picture(f"Beliefs in a share; the last holds {low:.2f} to {high:.2f} at 95 %", draw)


def bootstrap_picture(found: Bootstrap) -> Picture:
    """Draw a statistic on resamples, and the interval of their middle."""
    edges = np.linspace(found.draws.min(), found.draws.max(), BINS)

    def draw(colours: Colours) -> Figure:
        figure, (axes,) = panels(colours, f"{found.low:.3g} to {found.high:.3g}")
        _draw_counts(axes, found.draws, edges, len(found.draws), colours)
        for end in (found.low, found.high):
            axes.axvline(end, color=colours.second)
        return figure

    return Picture(f"A statistic on resamples, {found.level:.0%} between the lines", draw)


def false_alarms_picture(counts: ArrayLike = (1, 5, 10, 20, 50, 100)) -> Picture:
    """Draw how often tests of nothing cry alarm, by their number and correction."""
    n_tests = np.asarray(counts, dtype=np.int64)
    rates = [false_alarm_rates(int(n)) for n in n_tests]

    def draw(colours: Colours) -> Figure:
        figure, (axes,) = panels(colours, "any false alarm")
        tones = (colours.second, colours.first, colours.third, colours.ink)
        for name, tone in zip(rates[0], tones, strict=True):
            axes.plot(n_tests, [one[name] for one in rates], color=tone, label=name)
        label(axes, colours, "tests of nothing", "share of reports")
        legend(axes, colours)
        return figure

    return Picture("Share of reports with a false alarm, by number of tests and correction", draw)


def _draw_counts(axes: Axes, values: Floats, edges: Floats, n: int, colours: Colours) -> None:
    counts, _ = np.histogram(values, edges)

    axes.stairs(counts / (n * np.diff(edges)), edges, fill=True, color=colours.first, alpha=0.6)
