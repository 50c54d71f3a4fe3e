"""A trained network as an ONNX graph that takes pixels, and the proof that it answers the same.

Input `pixels`: float32 (n, channels, height, width), 0 to 1; normalisation is inside. Outputs
`logits` (n, classes), `features` (n, d), and, where the network averages a map of features over all
places before its head, `maps` (n, classes, h, w): the head applied at each place. Their mean and
the head's bias are the logits, so that they say where the evidence lies (Zhou et al. 2016).
"""

import logging
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from common.serving import OnnxModel
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from typing_extensions import override

from p2_nn_service.classifier import FEATURES, INPUT, LOGITS, MAPS, Tensors
from p2_nn_service.errors import ExportError
from p2_nn_service.models.network import Network
from p2_nn_service.training.examples import Scaling

OPSET = 18
TOLERANCE = 1e-3
"""Largest difference of a logit from the trained network's."""
LEAST_SIDE = 6
"""A coarser map says little of where; occlusion then says more."""
N_AT_ONCE = 64
Pixels = NDArray[np.float32]


class _FromPixels(nn.Module):
    """The network with its normalisation in front and its features beside its logits."""

    def __init__(self, network: Network, scaling: Scaling) -> None:
        super().__init__()
        self.network = network
        shape = (1, -1, 1, 1)
        self.register_buffer("mean", torch.tensor(scaling.mean).view(shape))
        self.register_buffer("scale", 1 / torch.tensor(scaling.std).view(shape))

    @override
    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        features = self.network.features((pixels - self.mean) * self.scale)
        return self.network.head(features), features


def export(network: Network, scaling: Scaling, shape: tuple[int, ...], path: Path) -> None:
    """Write the graph; raises `ExportError` for a network that ONNX has no words for."""
    whole = _FromPixels(network, scaling).eval()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it reports operators not asked for
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the exporter's own use of its libraries
            program = torch.onnx.export(
                whole,
                (torch.rand(2, *shape),),
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=[INPUT],
                output_names=[LOGITS, FEATURES],
                dynamic_shapes=({0: torch.export.Dim("n", min=1)},),
            )
    except torch.onnx.OnnxExporterError as error:
        reason = str(error).strip().splitlines()[0]
        raise ExportError(f"the network cannot be written as ONNX: {reason}") from error
    assert program is not None, "the dynamo exporter returns what it made"  # noqa: S101
    model = program.model_proto
    _forget_where_it_was_made(model)
    _add_maps(model, network)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def _forget_where_it_was_made(model: onnx.ModelProto) -> None:
    """Drop the exporter's notes: lines of source and paths of this machine, 50 kB of them."""
    graph = model.graph
    named = (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer)
    for one in (model, graph, *named):
        del one.metadata_props[:]
        one.doc_string = ""


def _add_maps(model: onnx.ModelProto, network: Network) -> None:
    """Add the output `maps` when the features are a map averaged over all its places."""
    averaged = _averaged_map(model)
    if averaged is None:
        return
    weight = network.head.weight.detach().numpy()[:, :, None, None]
    model.graph.initializer.append(numpy_helper.from_array(weight, "head_at_each_place"))
    model.graph.node.append(helper.make_node("Conv", [averaged, "head_at_each_place"], [MAPS]))
    shape = ["n", len(weight), None, None]
    model.graph.output.append(helper.make_tensor_value_info(MAPS, TensorProto.FLOAT, shape))


def _averaged_map(model: onnx.ModelProto) -> str | None:
    """Return the name of what is averaged to the features; None where they are made otherwise."""
    made_by = {name: node for node in model.graph.node for name in node.output}
    name = FEATURES
    while name in made_by:
        node = made_by[name]
        if node.op_type in {"GlobalAveragePool", "ReduceMean"}:
            sides = _sides(model, node.input[0])
            return node.input[0] if sides and min(sides) >= LEAST_SIDE else None
        if node.op_type not in {"Flatten", "Reshape", "Squeeze", "Identity"}:
            return None
        name = node.input[0]
    return None


def _sides(model: onnx.ModelProto, name: str) -> tuple[int, ...] | None:
    """Return height and width of a map; None for anything that is not one."""
    inferred = onnx.shape_inference.infer_shapes(model)
    for info in inferred.graph.value_info:
        dims = info.type.tensor_type.shape.dim
        if info.name == name and len(dims) == 4:
            return dims[2].dim_value, dims[3].dim_value
    return None


def halve_weights(path: Path) -> None:
    """Keep large weights in half precision: half the bytes, and nothing that a figure shows.

    They are computed with in single precision; the runtime casts them once, when it loads them.
    """
    model = onnx.load(path)
    graph = model.graph
    casts: list[onnx.NodeProto] = []
    for k, weight in enumerate(graph.initializer):
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < 256:
            continue
        if np.abs(values).max() > np.finfo(np.float16).max:
            continue
        half = f"{weight.name}_half"
        casts.append(helper.make_node("Cast", [half], [weight.name], to=TensorProto.FLOAT))
        graph.initializer[k].CopyFrom(numpy_helper.from_array(values.astype(np.float16), half))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    path.write_bytes(model.SerializeToString())


def run_graph(path: Path, pixels: Pixels) -> Tensors:
    """Return the outputs of a graph for many images, a few at a time."""
    session = OnnxModel.load(path)
    parts = [
        session.run({INPUT: pixels[at : at + N_AT_ONCE]}) for at in range(0, len(pixels), N_AT_ONCE)
    ]
    return {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}


def prove_parity(outputs: Tensors, trained: NDArray[np.float32]) -> float:
    """Return the largest difference of the graph's logits from the trained network's.

    Raises `ExportError` when it is beyond `TOLERANCE`, or the maps do not add up to the logits.
    """
    logits = outputs[LOGITS]
    if logits.shape != trained.shape or not np.isfinite(logits).all():
        raise ExportError(f"the graph answers logits of shape {logits.shape}, not all finite")
    away = np.abs(logits - trained).max(axis=1)
    if (worst := float(away.max())) > TOLERANCE:
        raise ExportError(
            f"the graph differs from the trained network: image {int(away.argmax())} by "
            f"{worst:.3g} in a logit (tolerance {TOLERANCE:g}); it was not published"
        )
    if MAPS in outputs:
        left = logits - outputs[MAPS].mean(axis=(2, 3))
        if np.ptp(left, axis=0).max() > TOLERANCE:  # what is left must be the head's bias
            raise ExportError("the maps do not add up to the logits; it was not published")
    return worst
