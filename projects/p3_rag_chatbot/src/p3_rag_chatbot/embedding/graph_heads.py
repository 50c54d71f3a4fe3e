"""What stands on the encoder's last states: a vector of the text, or the span that answers."""

from collections.abc import Sequence

from onnx import TensorProto, helper

from p3_rag_chatbot.embedding.graph_form import (
    ANSWERABLE,
    ATTENTIONS,
    EMBEDDING,
    END,
    HIDDEN_STATES,
    INPUT_IDS,
    MASK,
    OUTSIDE,
    START,
    TYPE_IDS,
)
from p3_rag_chatbot.embedding.graph_writer import GraphWriter, Output, indices, number
from p3_rag_chatbot.embedding.minilm import BertShape

LEAST_LENGTH = 1e-12


def mean_head(writer: GraphWriter, states: str, shape: BertShape, *, is_padded: bool) -> Output:
    """Append the mean of the tokens' states, brought to length 1.

    It is their sum that is scaled: the number of tokens would only be divided out again.
    """
    add, constant = writer.add, writer.constant
    tokens, last = constant("token_axis", indices([1])), constant("last_axis", indices([-1]))
    if is_padded:
        mask = add("Cast", [MASK], "mask_float", to=TensorProto.FLOAT)
        row = add("Unsqueeze", [mask, tokens], "mask_row")
        total = add("Squeeze", [add("MatMul", [row, states], "sum_row"), tokens], "sum")
    else:
        total = add("ReduceSum", [states, tokens], "sum", keepdims=0)
    length = add("ReduceL2", [total, last], "length_of_sum", keepdims=1)
    least = constant("least_length", number(LEAST_LENGTH))
    add("Div", [total, add("Max", [length, least], "divisor")], EMBEDDING)
    return _output(EMBEDDING, "n", shape.n_dims)


def span_head(
    writer: GraphWriter, states: str, shape: BertShape, *, is_padded: bool
) -> list[Output]:
    """Append where the answer starts and ends, and whether [CLS] says that there is one."""
    add, constant, d = writer.add, writer.constant, shape.n_dims
    weight = constant("qa_outputs.weight_t", writer.tensor("qa_outputs.weight", 2, d).T)
    products = add("MatMul", [states, weight], "span_products")
    logits = add("Add", [products, writer.weight("qa_outputs.bias", 2)], "span_logits")
    may_be = _may_be_answer(writer, shape, is_padded=is_padded)
    outside = constant("outside", number(OUTSIDE))
    for k, name in enumerate((START, END)):
        index = constant(f"{name}_index", indices(k))
        anywhere = add("Gather", [logits, index], f"{name}_anywhere", axis=2)
        add("Where", [may_be, anywhere, outside], name)
    cls = add("Gather", [states, constant("first_token", indices(0))], "cls", axis=1)
    weight = constant("answerable.weight_t", writer.tensor("answerable.weight", 1, d).T)
    column = add("MatMul", [cls, weight], "answerable_product")
    column = add("Add", [column, writer.weight("answerable.bias", 1)], "answerable_column")
    add("Squeeze", [column, constant("column_axis", indices([1]))], ANSWERABLE)
    return [_output(START, "n", "t"), _output(END, "n", "t"), _output(ANSWERABLE, "n")]


def _may_be_answer(writer: GraphWriter, shape: BertShape, *, is_padded: bool) -> str:
    """Append which tokens are of the passage, the second segment, or are [CLS]: no answer."""
    add = writer.add
    passage = add("Mul", [TYPE_IDS, MASK], "unpadded_type_ids") if is_padded else TYPE_IDS
    in_passage = add("Cast", [passage], "in_passage", to=TensorProto.BOOL)
    cls_id = writer.constant("cls_id", indices(shape.cls_id))
    is_cls = add("Equal", [INPUT_IDS, cls_id], "is_cls")
    return add("Or", [in_passage, is_cls], "may_be_answer")


def open_outputs(
    writer: GraphWriter, states: Sequence[str], attentions: Sequence[str]
) -> list[Output]:
    """Append all layers' states and attentions, each as one output."""
    layer_axis = writer.constant("layer_axis", indices([1]))
    for name, parts in ((HIDDEN_STATES, states), (ATTENTIONS, attentions)):
        layers = [writer.add("Unsqueeze", [part, layer_axis], f"{part}.as_layer") for part in parts]
        writer.add("Concat", layers, name, axis=1)
    return [
        _output(HIDDEN_STATES, "n", len(states), "t", None),
        _output(ATTENTIONS, "n", len(attentions), None, "t", "t"),
    ]


def _output(name: str, *sizes: int | str | None) -> Output:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes)
