"""How unlike training an image is, as one more output of the graph: `strangeness` (n,).

The distance of its features from the nearest class, in units of how features vary within classes
(Mahalanobis; Lee et al. 2018, equation 2), plus the energy of its logits (Liu et al. 2020, equation
4 at T = 1), each in standard deviations over training images. The energy alone takes noise for
something known; the distance alone is less sure of other data sets.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from p2_nn_service.classifier import FEATURES, LOGITS, STRANGENESS, Tensors

Floats = NDArray[np.float64]
SHRINKAGE = 1e-3
"""Share of the mean variance that every direction has, so that silent features have some."""
PREFIX = "strangeness_"
"""Of the names of the nodes, which stay in single precision."""


@dataclass(frozen=True)
class Fitted:
    """What training images say: features as `x @ whiten + shift`, in which classes have variance 1.

    `centres` (classes, d) are the classes' means there; `scales` and `offset` make the sum of the
    distance and the energy out of their standard deviations and means.
    """

    whiten: Floats
    shift: Floats
    centres: Floats
    scales: tuple[float, float]
    offset: float


def fit_strangeness(outputs: Tensors, labels: NDArray[np.int64]) -> Fitted:
    """Fit on what the graph answers to training images; every class has to be among them."""
    features = outputs[FEATURES].astype(np.float64)
    known = np.unique(labels)
    means = np.stack([features[labels == k].mean(axis=0) for k in known])
    within = features - means[np.searchsorted(known, labels)]
    covariance = within.T @ within / max(1, len(features) - len(known))
    d = len(covariance)
    covariance += (SHRINKAGE * np.trace(covariance) / d + 1e-9) * np.eye(d)
    whiten = np.linalg.inv(np.linalg.cholesky(covariance)).T
    shift = -features.mean(axis=0) @ whiten
    centres = means @ whiten + shift
    x = features @ whiten + shift
    distance = np.sqrt(((x[:, None] - centres[None]) ** 2).sum(axis=2).min(axis=1))
    wide = outputs[LOGITS].astype(np.float64)
    top = wide.max(axis=1)
    energy = -(top + np.log(np.exp(wide - top[:, None]).sum(axis=1)))
    a, b = (1 / (one.std() + 1e-9) for one in (distance, energy))
    offset = -a * distance.mean() - b * energy.mean()
    return Fitted(whiten, shift, centres, (float(a), float(b)), float(offset))


def add_strangeness(graph: Path, fitted: Fitted) -> None:
    """Write the output into a graph that answers features and logits."""
    model = onnx.load(graph)
    a, b = fitted.scales
    constants = {
        "whiten": fitted.whiten,
        "shift": fitted.shift,
        "to_centres": -2 * fitted.centres.T,
        "centres_squared": (fitted.centres**2).sum(axis=1),
        "distance_scale": np.array(a),
        "energy_scale": np.array(-b),
        "offset": np.array(fitted.offset),
    }
    for name, value in constants.items():
        tensor = numpy_helper.from_array(value.astype(np.float32), PREFIX + name)
        model.graph.initializer.append(tensor)
    axis = numpy_helper.from_array(np.array([1], np.int64), PREFIX + "axis")
    model.graph.initializer.append(axis)
    steps: list[tuple[str, list[str], str]] = [
        ("Gemm", [FEATURES, "whiten", "shift"], "x"),
        ("ReduceSumSquare", ["x", "axis"], "x_squared"),
        ("Gemm", ["x", "to_centres", "centres_squared"], "crossed"),
        ("Add", ["crossed", "x_squared"], "squares"),
        ("ReduceMin", ["squares", "axis"], "nearest"),
        ("Relu", ["nearest"], "nearest_positive"),
        ("Sqrt", ["nearest_positive"], "distance"),
        ("ReduceLogSumExp", [LOGITS, "axis"], "minus_energy"),
        ("Mul", ["distance", "distance_scale"], "distance_scaled"),
        ("Mul", ["minus_energy", "energy_scale"], "energy_scaled"),
        ("Add", ["distance_scaled", "energy_scaled"], "both"),
        ("Add", ["both", "offset"], "moved"),
        ("Squeeze", ["moved", "axis"], STRANGENESS),
    ]
    own = {FEATURES, LOGITS, STRANGENESS}
    for kind, inputs, output in steps:
        named = [one if one in own else PREFIX + one for one in (*inputs, output)]
        node = helper.make_node(kind, named[:-1], named[-1:], name=PREFIX + output)
        model.graph.node.append(node)
    told = helper.make_tensor_value_info(STRANGENESS, TensorProto.FLOAT, ["n"])
    model.graph.output.append(told)
    onnx.checker.check_model(model)
    graph.write_bytes(model.SerializeToString())
