"""The graph in whole numbers of eight bits: smaller, and twice as quick where a processor has them.

Static quantisation: ranges are measured on training images, weights have a scale a channel, and
the graph carries pairs of quantise and dequantise nodes that the runtime folds. The head stays in
single precision: it costs next to nothing, and strangeness is read from its logits. Weights use
seven bits, since processors without VNNI add up eight in sixteen and saturate: what is measured
here holds on every machine.
Source: Jacob et al. (2018), section 2; ONNX Runtime, "Quantize ONNX models", QDQ format.
"""

import logging
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process
from typing_extensions import override

from p2_nn_service.classifier import INPUT, LOGITS, MAPS
from p2_nn_service.publishing.strangeness import PREFIX

N_CALIBRATION = 1000
N_AT_ONCE = 50
QUANTISED = ("Conv", "Gemm", "MatMul")


class _Images(quantization.CalibrationDataReader):
    """Hands the calibrator a few images at a time."""

    def __init__(self, pixels: NDArray[np.float32]) -> None:
        self._parts = iter([pixels[at : at + N_AT_ONCE] for at in range(0, len(pixels), N_AT_ONCE)])

    @override
    # pyrefly: ignore[bad-override] - None ends it, as in the library's own readers
    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        part = next(self._parts, None)
        return None if part is None else {INPUT: part}


def quantise(graph: Path, pixels: NDArray[np.float32], out: Path) -> None:
    """Write the int8 form of a graph; `pixels` are training images, some hundreds or more."""
    logging.getLogger().setLevel(max(logging.getLogger().level, logging.ERROR))
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="p2-int8-") as folder:
        warnings.simplefilter("ignore")  # of the quantiser's own use of its libraries
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(graph), str(prepared), skip_symbolic_shape=True)
        quantization.quantize_static(
            str(prepared),
            str(out),
            _Images(pixels[:N_CALIBRATION]),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED),
            per_channel=True,
            reduce_range=True,
            weight_type=quantization.QuantType.QInt8,
            activation_type=quantization.QuantType.QUInt8,
            nodes_to_exclude=_heads(prepared),
        )


def _heads(path: Path) -> list[str]:
    """Name the nodes after the features: those of strangeness, of the logits and of the maps."""
    graph = onnx.load(path).graph
    made_by = {name: node for node in graph.node for name in node.output}
    found = [node.name for node in graph.node if node.name.startswith(PREFIX)]
    for output in (LOGITS, MAPS):
        name = output
        while name in made_by:
            node = made_by[name]
            found.append(node.name)
            if node.op_type in QUANTISED:
                break
            name = node.input[0]
    return found
