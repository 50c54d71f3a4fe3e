"""The BERT encoder as an ONNX graph, written from its tensors node by node; no torch.

Devlin et al. 2019 (arXiv:1810.04805) over Vaswani et al. 2017 (arXiv:1706.03762): embeddings, then
layers of attention and a two-layer network, each added to its input and normalised. Attention,
the sum with its normalisation and the activation are single operators of ONNX Runtime.

Inputs, int64 (n, T): `input_ids`, `attention_mask`, `token_type_ids`. Outputs by head:
`embedding` (n, d), of length 1; or `start_logits` and `end_logits` (n, T), `answerable` (n,). An
open graph also has `hidden_states` (n, layers + 1, T, d) and `attentions` (n, layers, heads, T, T).
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import onnx
from common.models.weights import WeightsError
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from p3_rag_chatbot.embedding.minilm import SHAPE, BertShape
from p3_rag_chatbot.embedding.quantising import quantise_columns, quantise_rows
from p3_rag_chatbot.embedding.tensor_files import Tensor, Tensors

Head = Literal["embedding", "spans", "none"]
Precision = Literal["fp32", "int8"]

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
EMBEDDING = "embedding"
SPANS = ("start_logits", "end_logits", "answerable")
HIDDEN_STATES, ATTENTIONS = "hidden_states", "attentions"
OUTSIDE = -1e4
"""Logit of a token that is not of the passage."""
OPSET = 18
RUNTIME = "com.microsoft"
"""Where ONNX Runtime's own operators live."""


def build_graph(
    tensors: Tensors,
    *,
    head: Head,
    precision: Precision = "fp32",
    is_open: bool = False,
    shape: BertShape = SHAPE,
) -> onnx.ModelProto:
    """Write the graph; raises `WeightsError` for a tensor that is missing or of another shape.

    `int8` keeps embeddings and products in 8 bits, a quarter of the bytes; sums, normalisations and
    heads stay in float32.
    """
    writer = _Writer(tensors, precision)
    encoder = _Encoder(writer, shape, is_open=is_open)
    states = encoder.write()
    outputs = _open_outputs(writer, encoder) if is_open else []
    if head == "embedding":
        outputs.append(_mean_head(writer, states, shape))
    elif head == "spans":
        outputs += _span_head(writer, states, shape)
    return writer.model(outputs)


class _Writer:
    """A graph in the making: nodes in order, each weight once."""

    def __init__(self, tensors: Tensors, precision: Precision) -> None:
        self.precision = precision
        self._tensors = tensors
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def add(self, operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Append a node of one output, `name`; returns the name."""
        self._nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def add_many(
        self, operator: str, inputs: Sequence[str], names: Sequence[str], **attributes: Any
    ) -> None:
        """Append a node of several outputs; an empty name is an output not asked for."""
        node = helper.make_node(operator, inputs, names, name=names[0], **attributes)
        self._nodes.append(node)

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        """Keep a constant under a name; returns the name."""
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def tensor(self, name: str, *shape: int) -> Tensor:
        """Return a weight, checked against its shape."""
        found = self._tensors.get(name)
        if found is None:
            raise WeightsError(f"the weights have no tensor {name}: they are of another model")
        if found.shape != shape:
            raise WeightsError(f"the weights' {name} has the shape {found.shape}, not {shape}")
        return found

    def weight(self, name: str, *shape: int) -> str:
        """Keep a weight as it is; returns its name."""
        return self.constant(name, self.tensor(name, *shape))

    def linear(self, source: str, layer: str, n_in: int, n_out: int) -> str:
        """Append x W^T + b of a trained layer; returns the output's name."""
        weight, bias = self.tensor(f"{layer}.weight", n_out, n_in).T, f"{layer}.bias"
        self.weight(bias, n_out)
        return self.product(source, layer, weight, bias)

    def product(self, source: str, layer: str, weight: Tensor, bias: str) -> str:
        """Append x W + b with W (in, out), in the graph's precision; returns the output's name."""
        if self.precision == "int8":
            columns = quantise_columns(weight)
            inputs = [
                source,
                self.constant(f"{layer}.weight_int8", columns.numbers),
                self.constant(f"{layer}.scale", columns.scales),
                self.constant(f"{layer}.zero", np.zeros(len(columns.scales), np.int8)),
                bias,
            ]
            return self.add("DynamicQuantizeMatMul", inputs, layer, domain=RUNTIME)
        whole = self.constant(f"{layer}.weight_t", weight)
        return self.add("Add", [self.add("MatMul", [source, whole], f"{layer}.xw"), bias], layer)

    def model(self, outputs: Sequence[onnx.ValueInfoProto]) -> onnx.ModelProto:
        """Return the whole model, checked."""
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"]) for name in INPUTS
        ]
        constants = list(self._constants.values())
        graph = helper.make_graph(self._nodes, "bert", inputs, outputs, constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(RUNTIME, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
        onnx.checker.check_model(model)
        return model


class _Encoder:
    """The layers of one model, written in order; remembers the states and attentions on the way."""

    def __init__(self, writer: _Writer, shape: BertShape, *, is_open: bool) -> None:
        self._writer = writer
        self._shape = shape
        self._is_open = is_open
        self.states: list[str] = []
        self.attentions: list[str] = []

    def write(self) -> str:
        """Append embeddings and layers; returns the last states' name, (n, T, d)."""
        state = self._embeddings()
        self.states.append(state)
        self._write_mask()
        for k in range(self._shape.n_layers):
            state = self._layer(state, f"encoder.layer.{k}")
            self.states.append(state)
        return state

    def _embeddings(self) -> str:
        """Append the normalised sum of the words', the positions' and the segments' vectors."""
        add, d = self._writer.add, self._shape.n_dims
        words = self._words()
        segments = self._writer.weight("embeddings.token_type_embeddings.weight", 2, d)
        segment = add("Gather", [segments, "token_type_ids"], "segment_vectors")
        positions = self._writer.weight(
            "embeddings.position_embeddings.weight", self._shape.max_tokens, d
        )
        length = add("Shape", ["input_ids"], "length", start=1, end=2)
        one = self._writer.constant("first", np.array([0], np.int64))
        position = add("Slice", [positions, one, length, one], "position_vectors")
        placed = add("Add", [segment, position], "placed_vectors")
        return self._normalised_sum(words, placed, "embeddings.LayerNorm")

    def _words(self) -> str:
        add, writer = self._writer.add, self._writer
        name = "embeddings.word_embeddings.weight"
        found = writer.tensor(name, self._shape.n_words, self._shape.n_dims)
        if writer.precision == "fp32":
            return add("Gather", [writer.constant(name, found), "input_ids"], "word_vectors")
        rows = quantise_rows(found)
        numbers = writer.constant(f"{name}_int8", rows.numbers)
        scales = writer.constant(f"{name}_scale", rows.scales[:, None])
        picked = add("Gather", [numbers, "input_ids"], "word_numbers")
        scale = add("Gather", [scales, "input_ids"], "word_scales")
        return add(
            "Mul", [add("Cast", [picked], "word_floats", to=TensorProto.FLOAT), scale], "words"
        )

    def _write_mask(self) -> None:
        """Append the mask in the form that attention takes: int32, or what is added to scores."""
        add = self._writer.add
        if not self._is_open:
            add("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
            return
        axes = self._writer.constant("mask_axes", np.array([1, 2], np.int64))
        is_token = add("Cast", ["attention_mask"], "is_token", to=TensorProto.BOOL)
        is_token = add("Unsqueeze", [is_token, axes], "is_key")
        nothing = self._writer.constant("nothing", _number(0))
        never = self._writer.constant("never", _number(-1e9))
        add("Where", [is_token, nothing, never], "mask")

    def _layer(self, state: str, layer: str) -> str:
        """Append one layer: attention, then two linear layers with a GELU between."""
        writer, d = self._writer, self._shape.n_dims
        attended = self._attention(state, f"{layer}.attention")
        mixed = writer.linear(attended, f"{layer}.attention.output.dense", d, d)
        middle = self._normalised_sum(mixed, state, f"{layer}.attention.output.LayerNorm")
        n_wide = self._shape.n_wide
        wide = writer.linear(middle, f"{layer}.intermediate.dense", d, n_wide)
        active = writer.add("Gelu", [wide], f"{layer}.gelu", domain=RUNTIME)
        narrow = writer.linear(active, f"{layer}.output.dense", n_wide, d)
        return self._normalised_sum(narrow, middle, f"{layer}.output.LayerNorm")

    def _attention(self, state: str, layer: str) -> str:
        d, names = self._shape.n_dims, ("query", "key", "value")
        parts = [self._writer.linear(state, f"{layer}.self.{name}", d, d) for name in names]
        if self._is_open:
            return self._attention_in_steps(parts, layer)
        return self._writer.add(
            "MultiHeadAttention",
            [*parts, "", "mask"],
            f"{layer}.heads",
            domain=RUNTIME,
            num_heads=self._shape.n_heads,
        )

    def _attention_in_steps(self, parts: Sequence[str], layer: str) -> str:
        """Append attention such that its probabilities (n, heads, T, T) can be seen."""
        add, shape = self._writer.add, self._shape
        split = self._writer.constant(
            "by_head", np.array([0, 0, shape.n_heads, shape.n_dims // shape.n_heads], np.int64)
        )
        joined = self._writer.constant("joined", np.array([0, 0, shape.n_dims], np.int64))
        orders = ((0, 2, 1, 3), (0, 2, 3, 1), (0, 2, 1, 3))
        query, key, value = (
            add("Transpose", [add("Reshape", [part, split], f"{part}.split")], f"{part}.t", perm=o)
            for part, o in zip(parts, orders, strict=True)
        )
        scale = self._writer.constant("scale", _number((shape.n_dims / shape.n_heads) ** -0.5))
        scores = add("MatMul", [query, key], f"{layer}.qk")
        scores = add("Mul", [scores, scale], f"{layer}.scaled")
        scores = add("Add", [scores, "mask"], f"{layer}.masked")
        weights = add("Softmax", [scores], f"{layer}.probabilities", axis=-1)
        self.attentions.append(weights)
        mixed = add("MatMul", [weights, value], f"{layer}.mixed")
        turned = add("Transpose", [mixed], f"{layer}.turned", perm=(0, 2, 1, 3))
        return add("Reshape", [turned, joined], f"{layer}.heads")

    def _normalised_sum(self, left: str, right: str, layer: str) -> str:
        """Append LayerNorm(left + right).

        `Sum`, not `Add`: that the runtime would join with the normalisation to one operator, ten
        times as slow as the two (measured with ONNX Runtime 1.32).
        """
        d = self._shape.n_dims
        scale, shift = (self._writer.weight(f"{layer}.{part}", d) for part in ("weight", "bias"))
        total = self._writer.add("Sum", [left, right], f"{layer}.sum")
        return self._writer.add(
            "LayerNormalization", [total, scale, shift], layer, epsilon=self._shape.epsilon
        )


def _mean_head(writer: _Writer, states: str, shape: BertShape) -> onnx.ValueInfoProto:
    """Append the mean over the tokens, divided by its length."""
    axis = writer.constant("token_axis", np.array([1], np.int64))
    last = writer.constant("last_axis", np.array([-1], np.int64))
    mask = writer.add("Cast", ["attention_mask"], "mask_float", to=TensorProto.FLOAT)
    row = writer.add("Unsqueeze", [mask, axis], "mask_row")
    total = writer.add("Squeeze", [writer.add("MatMul", [row, states], "sums"), axis], "sum")
    # Dividing by the number of tokens would change nothing: the length is taken out right after.
    length = writer.add("ReduceL2", [total, last], "length_of_sum", keepdims=1)
    least = writer.constant("least", _number(1e-12))
    writer.add("Div", [total, writer.add("Max", [length, least], "divisor")], EMBEDDING)
    return helper.make_tensor_value_info(EMBEDDING, TensorProto.FLOAT, ["n", shape.n_dims])


def _span_head(writer: _Writer, states: str, shape: BertShape) -> list[onnx.ValueInfoProto]:
    """Append where the answer starts and ends, and whether [CLS] says that there is one."""
    add, d = writer.add, shape.n_dims
    spans = writer.constant("qa_outputs.weight_t", writer.tensor("qa_outputs.weight", 2, d).T)
    logits = add("MatMul", [states, spans], "span_products")
    logits = add("Add", [logits, writer.weight("qa_outputs.bias", 2)], "span_logits")
    may_be = _may_be_answer(writer, shape)
    outside = writer.constant("outside", _number(OUTSIDE))
    for k, name in enumerate(SPANS[:2]):
        index = writer.constant(f"{name}_index", np.array(k, np.int64))
        one = add("Gather", [logits, index], f"{name}_anywhere", axis=2)
        add("Where", [may_be, one, outside], name)
    first = writer.constant("first_token", np.array(0, np.int64))
    cls = add("Gather", [states, first], "cls", axis=1)
    weight = writer.constant("answerable.weight_t", writer.tensor("answerable.weight", 1, d).T)
    belief = add("MatMul", [cls, weight], "answerable_product")
    belief = add("Add", [belief, writer.weight("answerable.bias", 1)], "answerable_column")
    column = writer.constant("column_axis", np.array([1], np.int64))
    add("Squeeze", [belief, column], SPANS[2])
    shapes = (["n", "t"], ["n", "t"], ["n"])
    return [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes)
        for name, sizes in zip(SPANS, shapes, strict=True)
    ]


def _may_be_answer(writer: _Writer, shape: BertShape) -> str:
    """Append which tokens are of the passage, the second segment, or are [CLS]: no answer."""
    add = writer.add
    of_passage = add("Mul", ["token_type_ids", "attention_mask"], "of_passage")
    cls_id = writer.constant("cls_id", np.array(shape.cls_id, np.int64))
    is_cls = add("Equal", ["input_ids", cls_id], "is_cls")
    in_passage = add("Cast", [of_passage], "in_passage", to=TensorProto.BOOL)
    return add("Or", [in_passage, is_cls], "may_be_answer")


def _open_outputs(writer: _Writer, encoder: _Encoder) -> list[onnx.ValueInfoProto]:
    """Append all layers' states and attentions, each as one output."""
    axis = writer.constant("layer_axis", np.array([1], np.int64))
    found = []
    for name, parts, sizes in (
        (HIDDEN_STATES, encoder.states, ["n", len(encoder.states), "t", None]),
        (ATTENTIONS, encoder.attentions, ["n", len(encoder.attentions), None, "t", "t"]),
    ):
        layers = [writer.add("Unsqueeze", [part, axis], f"{part}.as_layer") for part in parts]
        writer.add("Concat", layers, name, axis=1)
        found.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes))
    return found


def _number(value: float) -> Tensor:
    return np.array(value, np.float32)
