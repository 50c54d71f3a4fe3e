"""The process that builds a graph and ends: `python -m`, an order on its input.

A service that built one itself would keep the ONNX library and 100 MiB for the rest of its life.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from common.models.local_files import create_whole, make_folder
from common.models.weights import WeightsError

from p3_rag_chatbot.embedding.graph_form import GraphForm
from p3_rag_chatbot.embedding.lora import Adapter
from p3_rag_chatbot.embedding.tensor_files import read_tensors

REFUSED = 3
"""Exit code when the reason is on the output."""


@dataclass(frozen=True)
class BuildOrder:
    """Which graph to make of which tensors, and where to; `adapter` is a folder of peft."""

    tensors: Path
    form: GraphForm
    adapter: Path | None
    path: Path

    def to_json(self) -> str:
        """Write it for the process."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        told = json.loads(text)
        adapter = Path(told["adapter"]) if told["adapter"] else None
        form = GraphForm(**told["form"])
        return cls(Path(told["tensors"]), form, adapter, Path(told["path"]))


def carry_out(order: BuildOrder) -> None:
    """Build the graph and write it, whole or not at all; raises `WeightsError`."""
    from p3_rag_chatbot.embedding.graph import build_graph  # noqa: PLC0415 - the ONNX library

    tensors = read_tensors(order.tensors)
    if order.adapter is not None:
        tensors = Adapter.read(order.adapter).merged_into(tensors)
    content = build_graph(tensors, order.form).SerializeToString()
    folder = order.path.parent
    try:
        make_folder(folder)
        create_whole(order.path, content)
    except OSError as error:
        raise WeightsError(
            f"{folder} cannot keep a model of {len(content):,} bytes: "
            f"{error.strerror or error}; make room, or name another folder with --data-dir"
        ) from error


if __name__ == "__main__":
    try:
        carry_out(BuildOrder.from_json(sys.stdin.read()))
    except WeightsError as error:
        sys.stdout.write(str(error))
        sys.exit(REFUSED)
