"""Every operation of autodiff gives torch's values and gradients to 1e-10, in float64."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from p0_foundations import Tensor
from p0_foundations import autodiff as ad

pytestmark = pytest.mark.slow  # importing torch takes seconds

TOLERANCE = 1e-10
LABELS = np.array([0, 2, 1, 2])
TWO_ROWS = np.array([[1, 0, 1], [2, 2, 0]])

OPERATIONS: dict[str, tuple[tuple[tuple[int, ...], ...], Callable, Callable]] = {
    "add": (((4, 3), (3,)), lambda a, b: a + b, lambda a, b: a + b),
    "subtract": (((4, 1), (1, 3)), lambda a, b: a - b, lambda a, b: a - b),
    "multiply": (((2, 1, 3), (4, 1)), lambda a, b: a * b, lambda a, b: a * b),
    "divide": (((4, 3), ()), lambda a, b: a / b, lambda a, b: a / b),
    "power": (((4, 3), (4, 1)), lambda a, b: (a * a + 1) ** b, lambda a, b: (a * a + 1) ** b),
    "cube": (((5,),), lambda a: a**3, lambda a: a**3),
    "exp": (((5,),), ad.exp, torch.exp),
    "log": (((5,),), lambda a: ad.log(a * a), lambda a: torch.log(a * a)),
    "sqrt": (((5,),), lambda a: ad.sqrt(a * a), lambda a: torch.sqrt(a * a)),
    "sin": (((5,),), ad.sin, torch.sin),
    "cos": (((5,),), ad.cos, torch.cos),
    "tanh": (((5,),), ad.tanh, torch.tanh),
    "sigmoid": (((5,),), lambda a: ad.sigmoid(a * 30.0), lambda a: torch.sigmoid(a * 30.0)),
    "softplus": (((5,),), ad.softplus, torch.nn.functional.softplus),
    "relu": (((5,),), ad.relu, torch.relu),
    "absolute": (((5,),), ad.absolute, torch.abs),
    "maximum": (((4, 3), (3,)), ad.maximum, torch.maximum),
    "minimum": (((4, 3), (3,)), ad.minimum, torch.minimum),
    "ties": (((4,),), lambda a: ad.maximum(a, 1 * a), lambda a: torch.maximum(a, 1 * a)),
    "where": (
        ((4, 3), (3,)),
        lambda a, b: ad.where(a > b, a * b, b),
        lambda a, b: torch.where(a > b, a * b, b),
    ),
    "sum": (((2, 3, 4),), lambda a: a.sum((0, -1)), lambda a: a.sum((0, -1))),
    "mean": (((2, 3, 4),), lambda a: a.mean(1, keepdims=True), lambda a: a.mean(1, keepdim=True)),
    "max": (((4, 3),), lambda a: a.max(1), lambda a: a.amax(1)),
    "min": (((4, 3),), lambda a: a.min(), lambda a: a.amin()),
    "logsumexp": (
        ((4, 3),),
        lambda a: ad.logsumexp(a * 500.0, 0),
        lambda a: torch.logsumexp(a * 500.0, 0),
    ),
    "softmax": (((4, 3),), ad.softmax, lambda a: torch.softmax(a, -1)),
    "log_softmax": (((4, 3),), ad.log_softmax, lambda a: torch.log_softmax(a, -1)),
    "matmul": (((4, 3), (3, 5)), lambda a, b: a @ b, lambda a, b: a @ b),
    "batched": (((2, 1, 4, 3), (5, 3, 2)), lambda a, b: a @ b, lambda a, b: a @ b),
    "matrix by vector": (((2, 4, 3), (3,)), lambda a, b: a @ b, lambda a, b: a @ b),
    "vector by matrix": (((3,), (2, 3, 4)), lambda a, b: a @ b, lambda a, b: a @ b),
    "dot": (((3,), (3,)), lambda a, b: a @ b, lambda a, b: a @ b),
    "reshape": (((4, 3),), lambda a: a.reshape(2, -1), lambda a: a.reshape(2, -1)),
    "transpose": (((2, 3, 4),), lambda a: a.transpose(2, 0, 1), lambda a: a.permute(2, 0, 1)),
    "concatenate": (
        ((2, 3), (2, 1)),
        lambda a, b: ad.concatenate([a, b], 1),
        lambda a, b: torch.cat([a, b], 1),
    ),
    "slice": (((4, 3),), lambda a: a[1:, ::2], lambda a: a[1:, ::2]),
    "gather": (((4, 3),), lambda a: a[np.arange(4), LABELS], lambda a: a[range(4), LABELS]),
    "embedding": (((3, 4),), lambda a: a[TWO_ROWS], lambda a: a[torch.tensor(TWO_ROWS)]),
}  # fmt: skip


def arrays_of(shapes: tuple[tuple[int, ...], ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape) for shape in shapes]


def assert_near(ours: np.ndarray, theirs: torch.Tensor) -> None:
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_has_the_value_and_the_gradients_of_torch(name: str) -> None:
    shapes, ours, theirs = OPERATIONS[name]
    arrays = arrays_of(shapes)
    our_inputs = [Tensor(a) for a in arrays]
    their_inputs = [torch.tensor(a, requires_grad=True) for a in arrays]
    our_output, their_output = ours(*our_inputs), theirs(*their_inputs)
    assert_near(our_output.value, their_output)
    seed = np.random.default_rng(1).normal(size=our_output.shape)
    our_output.backward(seed)
    their_output.backward(torch.tensor(seed))
    for mine, other in zip(our_inputs, their_inputs, strict=True):
        assert_near(mine.grad, other.grad)


def test_an_exact_hessian_is_that_of_torch() -> None:
    (at,) = arrays_of(((4,),))

    def ours(x: Tensor) -> Tensor:
        return ad.logsumexp(x * x) + ad.tanh(x[0] * x[1]) * ad.exp(x[2]) + x[3] ** 3

    def theirs(x: torch.Tensor) -> torch.Tensor:
        return torch.logsumexp(x * x, 0) + torch.tanh(x[0] * x[1]) * torch.exp(x[2]) + x[3] ** 3

    from p0_foundations import hessian

    assert_near(hessian(ours, at), torch.autograd.functional.hessian(theirs, torch.tensor(at)))
