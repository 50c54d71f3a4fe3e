"""The BERT encoder as an ONNX graph, written from its tensors node by node; no torch.

Devlin et al. 2019 (arXiv:1810.04805) over Vaswani et al. 2017 (arXiv:1706.03762): embeddings, then
layers of attention and a two-layer network, each added to its input and normalised. Which inputs
and outputs a graph has: `graph_form.py`. What stands on the encoder: `graph_heads.py`.
"""

from collections.abc import Sequence

import onnx
from onnx import TensorProto

from p3_rag_chatbot.embedding.graph_form import INPUT_IDS, MASK, TYPE_IDS, GraphForm
from p3_rag_chatbot.embedding.graph_heads import mean_head, open_outputs, span_head
from p3_rag_chatbot.embedding.graph_writer import RUNTIME, GraphWriter, indices, number
from p3_rag_chatbot.embedding.minilm import SHAPE, BertShape
from p3_rag_chatbot.embedding.quantising import quantise_rows
from p3_rag_chatbot.embedding.tensor_files import Tensors

NEVER = -1e9
"""Added to the score of a token that is padding."""


def build_graph(tensors: Tensors, form: GraphForm, shape: BertShape = SHAPE) -> onnx.ModelProto:
    """Write the graph; raises `WeightsError` for a tensor that is missing or of another shape."""
    writer = GraphWriter(tensors, form.precision)
    encoder = _Encoder(writer, shape, form)
    last = encoder.write()
    outputs = open_outputs(writer, encoder.states, encoder.attentions) if form.is_open else []
    if form.head == "embedding":
        outputs.append(mean_head(writer, last, shape, is_padded=form.is_padded))
    elif form.head == "spans":
        outputs += span_head(writer, last, shape, is_padded=form.is_padded)
    inputs = [INPUT_IDS, MASK, TYPE_IDS] if form.is_padded else [INPUT_IDS, TYPE_IDS]
    return writer.model(inputs, outputs)


class _Encoder:
    """The layers of one model, written in order; remembers the states and attentions on the way."""

    def __init__(self, writer: GraphWriter, shape: BertShape, form: GraphForm) -> None:
        self._writer = writer
        self._shape = shape
        self._form = form
        self.states: list[str] = []
        self.attentions: list[str] = []

    def write(self) -> str:
        """Append embeddings and layers; returns the last states' name, (n, T, d)."""
        state = self._embeddings()
        self.states.append(state)
        if self._form.is_padded:
            self._write_mask()
        for k in range(self._shape.n_layers):
            state = self._layer(state, f"encoder.layer.{k}")
            self.states.append(state)
        return state

    def _embeddings(self) -> str:
        """Append the normalised sum of the words', the positions' and the segments' vectors."""
        writer, d = self._writer, self._shape.n_dims
        words = self._words()
        segments = writer.weight("embeddings.token_type_embeddings.weight", 2, d)
        segment = writer.add("Gather", [segments, TYPE_IDS], "segment_vectors")
        name, n_positions = "embeddings.position_embeddings.weight", self._shape.max_tokens
        positions = writer.weight(name, n_positions, d)
        length = writer.add("Shape", [INPUT_IDS], "length", start=1, end=2)
        zero = writer.constant("from_first", indices([0]))
        position = writer.add("Slice", [positions, zero, length, zero], "position_vectors")
        placed = writer.add("Add", [segment, position], "placed_vectors")
        return self._normalised_sum(words, placed, "embeddings.LayerNorm")

    def _words(self) -> str:
        writer, name = self._writer, "embeddings.word_embeddings.weight"
        table = writer.tensor(name, self._shape.n_words, self._shape.n_dims)
        if self._form.precision == "fp32":
            return writer.add("Gather", [writer.constant(name, table), INPUT_IDS], "word_vectors")
        rows = quantise_rows(table)
        numbers = writer.constant(f"{name}_int8", rows.numbers)
        scales = writer.constant(f"{name}_scale", rows.scales[:, None])
        scale = writer.add("Gather", [scales, INPUT_IDS], "word_scales")
        picked = writer.add("Gather", [numbers, INPUT_IDS], "word_numbers")
        picked = writer.add("Cast", [picked], "word_floats", to=TensorProto.FLOAT)
        return writer.add("Mul", [picked, scale], "word_vectors")

    def _write_mask(self) -> None:
        """Append the mask in the form that attention takes: int32, or what is added to scores."""
        add, constant = self._writer.add, self._writer.constant
        if not self._form.is_open:
            add("Cast", [MASK], "key_mask", to=TensorProto.INT32)
            return
        axes = constant("head_and_query_axes", indices([1, 2]))
        is_token = add("Cast", [MASK], "is_token", to=TensorProto.BOOL)
        is_token = add("Unsqueeze", [is_token, axes], "is_key")
        choices = [constant("nothing", number(0)), constant("never", number(NEVER))]
        add("Where", [is_token, *choices], "key_mask")

    def _layer(self, state: str, layer: str) -> str:
        """Append one layer: attention, then two linear layers with a GELU between."""
        writer, d, n_wide = self._writer, self._shape.n_dims, self._shape.n_wide
        attended = self._attention(state, f"{layer}.attention")
        mixed = writer.linear(attended, f"{layer}.attention.output.dense", d, d)
        middle = self._normalised_sum(mixed, state, f"{layer}.attention.output.LayerNorm")
        wide = writer.linear(middle, f"{layer}.intermediate.dense", d, n_wide)
        active = writer.add("Gelu", [wide], f"{layer}.gelu", domain=RUNTIME)
        narrow = writer.linear(active, f"{layer}.output.dense", n_wide, d)
        return self._normalised_sum(narrow, middle, f"{layer}.output.LayerNorm")

    def _attention(self, state: str, layer: str) -> str:
        d, names = self._shape.n_dims, ("query", "key", "value")
        parts = [self._writer.linear(state, f"{layer}.self.{name}", d, d) for name in names]
        if self._form.is_open:
            return self._attention_in_steps(parts, layer)
        inputs = [*parts, "", "key_mask"] if self._form.is_padded else parts
        n_heads = self._shape.n_heads
        return self._writer.add(
            "MultiHeadAttention", inputs, f"{layer}.heads", domain=RUNTIME, num_heads=n_heads
        )

    def _attention_in_steps(self, parts: Sequence[str], layer: str) -> str:
        """Append attention such that its probabilities (n, heads, T, T) can be seen."""
        add, constant, shape = self._writer.add, self._writer.constant, self._shape
        n_each = shape.n_dims // shape.n_heads
        by_head = constant("by_head", indices([0, 0, shape.n_heads, n_each]))
        orders = ((0, 2, 1, 3), (0, 2, 3, 1), (0, 2, 1, 3))
        split = [add("Reshape", [part, by_head], f"{part}.split") for part in parts]
        query, key, value = (
            add("Transpose", [part], f"{part}.turned", perm=order)
            for part, order in zip(split, orders, strict=True)
        )
        products = add("MatMul", [query, key], f"{layer}.products")
        root = constant("root_of_head_size", number(n_each**0.5))
        scores = add("Div", [products, root], f"{layer}.scores")
        if self._form.is_padded:
            scores = add("Add", [scores, "key_mask"], f"{layer}.masked")
        shares = add("Softmax", [scores], f"{layer}.shares", axis=-1)
        self.attentions.append(shares)
        mixed = add("MatMul", [shares, value], f"{layer}.mixed")
        turned = add("Transpose", [mixed], f"{layer}.turned", perm=(0, 2, 1, 3))
        joined = constant("joined", indices([0, 0, shape.n_dims]))
        return add("Reshape", [turned, joined], f"{layer}.heads")

    def _normalised_sum(self, left: str, right: str, layer: str) -> str:
        """Append LayerNorm(left + right).

        `Sum`, not `Add`: that the runtime would join with the normalisation to one operator, which
        takes five times as long as the two (ONNX Runtime 1.32).
        """
        d = self._shape.n_dims
        scale, shift = (self._writer.weight(f"{layer}.{part}", d) for part in ("weight", "bias"))
        total = self._writer.add("Sum", [left, right], f"{layer}.sum")
        return self._writer.add(
            "LayerNormalization", [total, scale, shift], layer, epsilon=self._shape.epsilon
        )
