"""Autodiff against central differences on random shapes, and what it refuses."""

import re
import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from p0_foundations import GradientError, ShapeError, Tensor, graph
from p0_foundations import autodiff as ad

STEP = 1e-6
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=4)
BROADCAST = hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3)

UNARY: dict[str, Callable] = {
    "exp": ad.exp,
    "log": lambda x: ad.log(x * x + 0.5),
    "sqrt": lambda x: ad.sqrt(x * x + 0.5),
    "sin": ad.sin,
    "cos": ad.cos,
    "tanh": ad.tanh,
    "sigmoid": ad.sigmoid,
    "softplus": ad.softplus,
    "relu": ad.relu,
    "absolute": ad.absolute,
    "negate": lambda x: -x,
    "power": lambda x: x**3,
    "exponent": lambda x: 2.0**x,
    "constant over": lambda x: 1.0 / (x * x + 1.0),
    "constant minus": lambda x: 3.0 - x,
    "transpose": lambda x: x.transpose(),
    "reshape": lambda x: x.reshape(-1),
    "square by itself": lambda x: x * x,
}
BINARY: dict[str, Callable] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / (b * b + 0.5),
    "power": lambda a, b: (a * a + 0.5) ** b,
    "maximum": ad.maximum,
    "minimum": ad.minimum,
    "where": lambda a, b: ad.where((a.value + b.value) > 0, a, b),
}
OVER_AXES: dict[str, Callable] = {
    "sum": lambda x, axis, keep: x.sum(axis, keepdims=keep),
    "mean": lambda x, axis, keep: x.mean(axis, keepdims=keep),
    "max": lambda x, axis, keep: x.max(axis, keepdims=keep),
    "min": lambda x, axis, keep: x.min(axis, keepdims=keep),
    "logsumexp": lambda x, axis, keep: ad.logsumexp(x, axis, keepdims=keep),
    "softmax": lambda x, axis, keep: ad.softmax(x, axis),
    "log_softmax": lambda x, axis, keep: ad.log_softmax(x, axis),
}


def distinct(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Random values apart from each other and from 0, so that no kink lies within a step."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))
    values = (rng.permutation(size) + 1.0 + 0.5 * rng.random(size)) / (size + 1.0)
    return (values * rng.choice([-1.5, 1.5], size)).reshape(shape)


def check(function: Callable, *arrays: np.ndarray) -> None:
    """Compare the gradient of a random weighting of the output with central differences."""
    tensors = [Tensor(a) for a in arrays]
    output = function(*tensors)
    weights = np.random.default_rng(7).normal(size=output.shape)
    output.backward(weights)

    def weighted(*given: np.ndarray) -> float:
        return float((function(*(Tensor(a) for a in given)).value * weights).sum())

    for k, tensor in enumerate(tensors):
        numeric = np.zeros(arrays[k].shape)
        for place in np.ndindex(arrays[k].shape):
            moved = [[np.array(a) for a in arrays] for _ in range(2)]
            moved[0][k][place] += STEP
            moved[1][k][place] -= STEP
            numeric[place] = (weighted(*moved[0]) - weighted(*moved[1])) / (2 * STEP)
        assert tensor.grad.shape == tensor.shape
        np.testing.assert_allclose(tensor.grad, numeric, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", UNARY)
@settings(deadline=None)
@given(shape=SHAPES, seed=st.integers(0, 10**6))
def test_a_function_of_each_element_has_the_gradient_of_finite_differences(name, shape, seed):
    check(UNARY[name], distinct(shape, seed))


@pytest.mark.parametrize("name", BINARY)
@settings(deadline=None)
@given(shapes=BROADCAST, seed=st.integers(0, 10**6))
def test_an_operation_of_two_has_it_whatever_broadcasts(name, shapes, seed):
    a, b = shapes.input_shapes
    check(BINARY[name], distinct(a, seed), distinct(b, seed + 1) * 1.01)


@pytest.mark.parametrize("name", OVER_AXES)
@settings(deadline=None)
@given(data=st.data(), keep=st.booleans(), seed=st.integers(0, 10**6))
def test_a_reduction_has_it_over_any_axes(name, data, keep, seed):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4))
    some = hnp.valid_tuple_axes(len(shape), min_size=1)
    axis = data.draw(st.one_of(st.none(), st.integers(-len(shape), len(shape) - 1), some))
    check(lambda x: OVER_AXES[name](x, axis, keep), distinct(shape, seed))


@settings(deadline=None)
@given(data=st.data(), sizes=st.tuples(*[st.integers(1, 3)] * 3), seed=st.integers(0, 10**6))
def test_matrix_products_have_it_batched_broadcast_and_with_vectors(data, sizes, seed):
    n, k, m = sizes
    batch = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3))
    lead_a, lead_b = batch.input_shapes
    a = data.draw(st.sampled_from([(k,), (n, k), (*lead_a, n, k)]))
    b = data.draw(st.sampled_from([(k,), (k, m), (*lead_b, k, m)]))
    left, right = distinct(a, seed), distinct(b, seed + 1)
    assert (Tensor(left) @ Tensor(right)).shape == np.matmul(left, right).shape
    check(lambda x, y: x @ y, left, right)


@settings(deadline=None)
@given(data=st.data(), seed=st.integers(0, 10**6))
def test_indexing_has_it_by_slices_integers_masks_and_repeated_places(data, seed):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4))
    index = data.draw(
        st.one_of(
            hnp.basic_indices(shape, allow_newaxis=True),
            hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2, max_side=5)),
            hnp.arrays(np.bool_, shape),
        )
    )
    x = distinct(shape, seed)
    assert np.array_equal(Tensor(x)[index].value, x[index])
    check(lambda t: t[index], x)


@settings(deadline=None)
@given(data=st.data(), seed=st.integers(0, 10**6))
def test_joining_and_permuting_have_it(data, seed):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=3))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    order = data.draw(st.permutations(range(len(shape))))
    wider = list(shape)
    wider[axis] += 2
    a, b = distinct(shape, seed), distinct(tuple(wider), seed + 1)
    check(lambda x, y: ad.concatenate([x, y], axis).transpose(*order) * 2.0, a, b)


@settings(deadline=None)
@given(shape=hnp.array_shapes(min_dims=2, max_dims=2, max_side=3), seed=st.integers(0, 10**6))
def test_a_gradient_can_be_differentiated_again(shape, seed):
    x = Tensor(distinct(shape, seed))
    y = (ad.tanh(x) * ad.exp(x) + ad.logsumexp(x, keepdims=True) / (x * x + 1.0)).sum()
    y = y + (x @ x.mT).sum() ** 2 + x[0].max() * x.reshape(-1)[:1].sum() ** 3
    (slope,) = ad.gradients(y, [x])
    y.backward()
    np.testing.assert_allclose(slope.value, x.grad)

    def slope_of(array: np.ndarray) -> np.ndarray:
        t = Tensor(array)
        z = (ad.tanh(t) * ad.exp(t) + ad.logsumexp(t, keepdims=True) / (t * t + 1.0)).sum()
        z = z + (t @ t.mT).sum() ** 2 + t[0].max() * t.reshape(-1)[:1].sum() ** 3
        z.backward()
        return t.grad

    weights = np.random.default_rng(3).normal(size=shape)
    (again,) = ad.gradients((slope * weights).sum(), [x])
    ahead, behind = (slope_of(x.value + s * STEP * weights) for s in (1, -1))
    np.testing.assert_allclose(again.value, (ahead - behind) / (2 * STEP), rtol=1e-4, atol=1e-5)


def test_what_is_used_twice_gets_both_shares_and_calls_add_up() -> None:
    x = Tensor(3.0)
    y = x * x + x
    y.backward()
    assert x.grad == 7.0
    y.backward()
    assert x.grad == 14.0


def test_ties_share_the_gradient_and_kinks_have_none() -> None:
    x = Tensor([2.0, 2.0, 1.0])
    x.max().backward()
    assert x.grad.tolist() == [0.5, 0.5, 0.0]
    a, b = Tensor(1.0), Tensor(1.0)
    ad.maximum(a, b).backward()
    assert (a.grad, b.grad) == (0.5, 0.5)
    zero = Tensor(0.0)
    (ad.absolute(zero) + ad.relu(zero) + zero**0 + Tensor(0.0) ** zero).backward()
    assert zero.grad == 0.0


def test_large_scores_neither_overflow_nor_lose_their_probabilities() -> None:
    scores = Tensor([1e4, 0.0, -1e4])
    assert ad.logsumexp(scores).item() == 1e4
    assert ad.softmax(scores).value.tolist() == [1.0, 0.0, 0.0]
    assert ad.log_softmax(scores).value.tolist() == [0.0, -1e4, -2e4]
    assert ad.sigmoid(np.array([-1e4, 1e4])).tolist() == [0.0, 1.0]
    assert ad.softplus(np.array([-1e4, 1e4])).tolist() == [0.0, 1e4]


def test_a_chain_far_deeper_than_the_recursion_limit_goes_back_and_is_freed() -> None:
    x = Tensor(1.0)
    y = x
    for _ in range(50 * sys.getrecursionlimit()):
        y = y + 1e-6
    y.backward()
    assert x.grad == 1.0
    del y


def test_an_array_on_the_left_asks_the_tensor() -> None:
    x = Tensor([1.0, 2.0])
    total = np.array([3.0, 4.0]) * x + np.ones((2, 2)) @ x
    assert isinstance(total, Tensor)
    total.sum().backward()
    assert x.grad.tolist() == [5.0, 6.0]


def test_constants_remember_nothing_and_get_no_gradient() -> None:
    data = Tensor([[1.0, 2.0]], needs_grad=False)
    weights = Tensor([[1.0], [1.0]])
    assert (data * 2.0).parents == ()
    (data @ weights).backward([[1.0]])
    assert data.grad is None
    assert weights.grad.tolist() == [[1.0], [2.0]]


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (lambda: Tensor([1.0, 2.0]).backward(), GradientError, "shape (2,) is no scalar"),
        (lambda: Tensor(1.0, needs_grad=False).backward(), GradientError, "constants alone"),
        (lambda: Tensor([1.0]).backward([1.0, 2.0]), ShapeError, "shape (2,) for a tensor"),
        (lambda: Tensor(np.ones(3)) + np.ones(2), ShapeError, "add: the shapes (3,) and (2,)"),
        (lambda: Tensor(np.ones((2, 3))) @ np.ones((2, 3)), ShapeError, "(2, 3) @ (2, 3)"),
        (lambda: Tensor(1.0) @ np.ones(3), ShapeError, "() @ (3,)"),
        (lambda: Tensor(np.ones((2, 2, 2))) @ np.ones((3, 2, 2)), ShapeError, "(2, 2, 2) and"),
        (lambda: Tensor(np.ones(6)).reshape(4, 2), ShapeError, "(6,) does not fill (4, 2)"),
        (lambda: Tensor(np.ones(2)).mT, ShapeError, "not the axes of a shape (2,)"),
        (lambda: ad.concatenate([np.ones((2, 2)), np.ones((2, 3))]), ShapeError, "(2, 2), (2, 3)"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_shapes(wrong, error, words) -> None:
    with pytest.raises(error, match=re.escape(words)):
        wrong()


def test_a_graph_can_be_walked_with_values_gradients_and_names() -> None:
    x, w = Tensor(2.0, name="x"), Tensor(3.0, name="w")
    y = ad.tanh(x * w) + x * 1.0
    y.backward()
    walked = graph(y)
    assert [node.op for node in walked.nodes][-1] == "add"
    assert sorted(node.op for node in walked.nodes) == sorted(
        ["add", "constant", "leaf", "leaf", "multiply", "multiply", "tanh"]
    )
    by_name = {node.name: node for node in walked.nodes if node.name}
    assert by_name["w"].grad == w.grad
    assert by_name["x"].value == 2.0
    assert all(parent < child for parent, child in walked.edges)
    assert len(walked.edges) == sum(len(node.parents) for node in ad.parents_first(y))
