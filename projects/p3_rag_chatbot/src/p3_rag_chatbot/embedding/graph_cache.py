"""Graphs that are built once and kept: each under the hash of all that it was made from.

A graph appears whole or not at all, so processes may share the folder; one that was damaged since
is built again. Read next: `graph_building.py`, the process that builds one.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

from common.models.weights import WeightsError
from common.serving import OnnxModel
from common.serving.onnx import ModelFileError

from p3_rag_chatbot.embedding.graph_building import REFUSED, BuildOrder
from p3_rag_chatbot.embedding.graph_form import GraphForm
from p3_rag_chatbot.embedding.minilm import MiniLM
from p3_rag_chatbot.peft_files import adapter_files

_BUILDERS = ("graph.py", "graph_heads.py", "graph_writer.py", "lora.py", "minilm.py",
             "quantising.py", "tensor_files.py")  # fmt: skip


def load_graph(
    model: MiniLM,
    form: GraphForm,
    data_dir: Path,
    *,
    adapter: Path | None = None,
) -> OnnxModel:
    """Load the graph, with the adapter in a folder of peft merged in; build it if need be.

    Building takes one to three seconds, once. Raises `WeightsError`.
    """
    path = _place(model, form, data_dir, adapter)
    if path.is_file():
        try:
            return OnnxModel.load(path)
        except ModelFileError:
            path.unlink(missing_ok=True)  # damaged since it was written
    _build(model, form, adapter, path)
    return OnnxModel.load(path)


def _place(model: MiniLM, form: GraphForm, data_dir: Path, adapter: Path | None) -> Path:
    """Name the graph by what it is made of: weights, adapter, and the code that builds it."""
    sources = [Path(__file__).with_name(name) for name in _BUILDERS]
    digest = hashlib.sha256(model.sha256.encode())
    for path in (*sources, *(adapter_files(adapter) if adapter else ())):
        try:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        except OSError as error:
            raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error
    return data_dir / "graphs" / f"{form.name}-{digest.hexdigest()[:16]}.onnx"


def _build(model: MiniLM, form: GraphForm, adapter: Path | None, path: Path) -> None:
    """Build it in a process of its own, which needs three times the memory that a graph takes."""
    order = BuildOrder(model.tensors, form, adapter, path)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "p3_rag_chatbot.embedding.graph_building"],
        input=order.to_json(),
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode == REFUSED:
        raise WeightsError(done.stdout.strip())
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        raise WeightsError(f"building {path.name} ended with {done.returncode}: {last}")
