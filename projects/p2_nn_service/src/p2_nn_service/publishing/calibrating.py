"""Probabilities that mean what they say, and when an image is strange: fitted on held-out images.

Temperature scaling (Guo et al. 2017, section 4.2): one number divides the logits; it changes no
label. The figure after it is cross-fitted: each half is measured with the other half's temperature.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from p2_nn_service.answers import probabilities

Logits = NDArray[np.float32]
Labels = NDArray[np.int64]
KNOWN_SHARE = 0.95
"""Share of held-out images that are not called strange."""
_GOLDEN = (5**0.5 - 1) / 2
_COLDEST, _HOTTEST = 0.05, 20.0


@dataclass(frozen=True)
class Calibration:
    """The temperature, and the probabilities of the images it was fitted on.

    `honest` are of temperatures that were fitted on other images; `raw` are of temperature 1.
    """

    temperature: float
    honest: NDArray[np.float64]
    raw: NDArray[np.float64]


def calibrate(logits: Logits, labels: Labels) -> Calibration:
    """Fit the temperature on held-out logits (n, classes), and cross-fit the probabilities."""
    first = np.arange(len(labels)) % 2 == 0
    honest = np.empty(logits.shape)
    for part in (first, ~first):
        if part.any():
            others = ~part if (~part).any() else part
            honest[part] = probabilities(
                logits[part], fit_temperature(logits[others], labels[others])
            )
    return Calibration(fit_temperature(logits, labels), honest, probabilities(logits, 1.0))


def fit_temperature(logits: Logits, labels: Labels) -> float:
    """Return the temperature of least mean negative log-likelihood, by golden section.

    The loss has one minimum in 1/T (it is convex there), and so has it in log T.
    """

    def loss(log_t: float) -> float:
        p = probabilities(logits, float(np.exp(log_t)))[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(p, 1e-12)).mean())

    low, high = float(np.log(_COLDEST)), float(np.log(_HOTTEST))
    while high - low > 1e-4:
        a, b = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, b) if loss(a) < loss(b) else (a, high)
    return round(float(np.exp((low + high) / 2)), 4)


def strange_from(strangeness: NDArray[np.float32]) -> float:
    """Return what an image's strangeness has to exceed to be called so, from held-out images."""
    return round(float(np.quantile(strangeness, KNOWN_SHARE)), 4)


def auroc(known: NDArray[np.floating], strange: NDArray[np.floating]) -> float:
    """Return the share of pairs in which the stranger scores higher, ties counting half."""
    ordered = np.sort(known)
    below = np.searchsorted(ordered, strange, side="left")
    up_to = np.searchsorted(ordered, strange, side="right")
    return float(((below + up_to) / 2).mean() / len(ordered))
