"""Graphs that are built once and kept: each under the hash of all that it was made from.

A graph appears whole or not at all, so processes may share the folder; one that was damaged since
is built again. What builds it (`graph.py`, with the ONNX library) is loaded only when it has to be.
"""

import hashlib
from pathlib import Path

from common.models.local_files import create_whole, make_folder
from common.models.weights import WeightsError
from common.serving import OnnxModel
from common.serving.onnx import ModelFileError

from p3_rag_chatbot.embedding.graph_form import GraphForm
from p3_rag_chatbot.embedding.lora import Adapter, adapter_files
from p3_rag_chatbot.embedding.minilm import MiniLM
from p3_rag_chatbot.embedding.tensor_files import read_tensors

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
    from p3_rag_chatbot.embedding.graph import build_graph  # noqa: PLC0415 - see the module

    tensors = read_tensors(model.tensors)
    if adapter is not None:
        tensors = Adapter.read(adapter).merged_into(tensors)
    content = build_graph(tensors, form).SerializeToString()
    try:
        make_folder(path.parent)
        create_whole(path, content)
    except OSError as error:
        raise WeightsError(
            f"{path.parent} cannot keep a model of {len(content):,} bytes: "
            f"{error.strerror or error}; make room, or name another folder with --data-dir"
        ) from error
