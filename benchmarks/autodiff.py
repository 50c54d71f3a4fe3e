"""One epoch of a small network on the 8 x 8 digits: ours, a scalar engine, torch on the CPU.

    uv run --group dev python benchmarks/autodiff.py

Network 64-32-10 with relu, float64, batches of 32, plain gradient descent, the same initial
weights. Ours and torch take turns for several rounds over all 1,797 digits; the scalar engine, in
the manner of micrograd, takes one batch and is scaled up. Medians; read the ratios.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from p0_foundations import GradientDescent, Network, load_digits, train

SIZES = (64, 32, 10)
BATCH = 32
STEP_SIZE = 0.1


class Scalar:
    """One number that remembers what it was made of: a node for each multiplication."""

    def __init__(self, value: float, parents: "tuple[tuple[Scalar, float], ...]" = ()) -> None:
        self.value, self.parents, self.grad = value, parents, 0.0

    def __add__(self, other: "Scalar") -> "Scalar":
        return Scalar(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other: "Scalar") -> "Scalar":
        return Scalar(self.value * other.value, ((self, other.value), (other, self.value)))

    def mapped(self, value: float, slope: float) -> "Scalar":
        """Return a function of this number, by its value and slope."""
        return Scalar(value, ((self, slope),))

    def backward(self) -> None:
        """Go back, children before parents."""
        order: list[Scalar] = []
        seen: set[int] = set()
        stack: list[tuple[Scalar, bool]] = [(self, False)]
        while stack:
            node, is_done = stack.pop()
            if is_done:
                order.append(node)
            elif id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                stack.extend((parent, False) for parent, _ in node.parents)
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += slope * node.grad


def scalar_batch(parameters: np.ndarray, rows: np.ndarray, labels: np.ndarray) -> None:
    """Take one step with scalars."""
    weights = [Scalar(float(one)) for one in parameters]
    total = Scalar(0.0)
    for row, chosen in zip(rows, labels, strict=True):
        signal, first = [Scalar(float(one)) for one in row], 0
        for n_in, n_out in pairwise(SIZES):
            outputs = []
            for j in range(n_out):
                one = weights[first + n_in * n_out + j]
                for i in range(n_in):
                    one = one + weights[first + i * n_out + j] * signal[i]
                is_hidden = n_out != SIZES[-1]
                outputs.append(
                    one.mapped(max(one.value, 0.0), float(one.value > 0)) if is_hidden else one
                )
            signal, first = outputs, first + (n_in + 1) * n_out
        powers = [one.mapped(np.exp(one.value), np.exp(one.value)) for one in signal]
        whole = powers[0]
        for one in powers[1:]:
            whole = whole + one
        total = total + whole.mapped(np.log(whole.value), 1.0 / whole.value)
        total = total + signal[chosen].mapped(-signal[chosen].value, -1.0)
    total.backward()
    for weight in weights:
        weight.value -= STEP_SIZE * weight.grad / len(rows)


def torch_epoch(rows: torch.Tensor, labels: torch.Tensor) -> None:
    """Train one epoch with torch."""
    layers = [torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10)]
    network = torch.nn.Sequential(*layers).double()
    optimiser = torch.optim.SGD(network.parameters(), lr=STEP_SIZE)
    order = torch.randperm(len(rows))
    for first in range(0, len(rows), BATCH):
        chosen = order[first : first + BATCH]
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(network(rows[chosen]), labels[chosen]).backward()
        optimiser.step()


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="One epoch on digits: ours, scalars, torch.")
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)  # its best on matrices this small
    torch.manual_seed(0)
    data, network = load_digits().flat, Network(SIZES, "relu")
    rows, labels = torch.tensor(data.rows), torch.tensor(data.labels)
    n_batches = -(-len(data.rows) // BATCH)
    times: dict[str, list[float]] = {"ours": [], "torch": [], "scalars": []}
    for k in range(rounds + 1):
        found = {
            "ours": seconds(lambda: train(network, data, GradientDescent(STEP_SIZE), epochs=1)),
            "torch": seconds(lambda: torch_epoch(rows, labels)),
        }
        if k <= 3:
            some = slice(0, BATCH)
            step = seconds(
                lambda s=some: scalar_batch(network.initial(), data.rows[s], data.labels[s])
            )
            found["scalars"] = step * n_batches
        for name, value in found.items() if k else ():
            times[name].append(value)
    ours = statistics.median(times["ours"])
    print("| engine | seconds an epoch | to ours |")
    print("| --- | ---: | ---: |")
    for name, every in times.items():
        median = statistics.median(every)
        print(f"| {name} | {median:.3f} | {median / ours:.2f} |")


if __name__ == "__main__":
    main()
