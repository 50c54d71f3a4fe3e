"""A run for each promise, beside a loop of our own, to the last digit."""

import copy
import importlib.util

NO_TORCH = "this exercise needs torch, which is not installed here: `uv sync --group neural`"


def clouds(n, seed, torch):
    """Three clouds of points that overlap."""
    chance = torch.Generator().manual_seed(seed)
    y = torch.randint(3, (n,), generator=chance)
    return torch.randn(n, 2, generator=chance) + 1.2 * torch.eye(3)[y][:, :2], y


def expected(model, x, y, held_x, held_y, epochs, batch, rate, seed, torch):
    chance = torch.Generator().manual_seed(seed)
    history, kept = [], []
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for rows in torch.randperm(len(x), generator=chance).split(batch):
            loss = torch.nn.functional.cross_entropy(model(x[rows]), y[rows])
            slopes = torch.autograd.grad(loss, list(model.parameters()))
            with torch.no_grad():
                for weight, slope in zip(model.parameters(), slopes, strict=True):
                    weight.sub_(rate * 0.9**epoch * slope)
            total += float(loss) * len(rows)
        model.eval()
        with torch.no_grad():
            share = (model(held_x).argmax(1) == held_y).double().mean().item()
        history.append({"loss": total / len(x), "accuracy": share})
        kept.append(copy.deepcopy(model.state_dict()))
    best = max(range(epochs), key=lambda e: (round(history[e]["accuracy"], 6), -e))
    return history, kept[best]


def differs(module, model, data, options, torch):
    mine = copy.deepcopy(model)
    history = module.train(mine, *data, **options)
    wanted, state = expected(copy.deepcopy(model), *data, *options.values(), torch)
    wrong = []
    for name in ("loss", "accuracy"):
        values = [epoch[name] for epoch in history]
        if not all(isinstance(value, float) for value in values):
            wrong.append(f"{name} (a {type(values[0]).__name__}, which keeps its graph alive)")
        elif any(abs(a - b[name]) > 1e-5 for a, b in zip(values, wanted, strict=True)):
            wrong.append(name)
    found = mine.state_dict()
    if any(not torch.allclose(found[n].float(), state[n].float(), atol=1e-5) for n in state):
        wrong.append("final weights")
    if mine.training:
        wrong.append("mode at the end")
    return wrong


class Watched:
    """Counts the passes that keep a graph in evaluation mode."""

    def __init__(self, model, torch):
        self.n_graphs = 0
        model.register_forward_hook(self.look)
        self.torch = torch

    def look(self, model, _, __):
        self.n_graphs += int(not model.training and self.torch.is_grad_enabled())


def check(module):
    assert importlib.util.find_spec("torch"), NO_TORCH
    import torch  # noqa: PLC0415 - said clearly when it is missing

    torch.set_num_threads(1)
    torch.manual_seed(0)
    linear = torch.nn.Linear(2, 3)
    normed = torch.nn.Sequential(
        torch.nn.Linear(2, 16), torch.nn.BatchNorm1d(16), torch.nn.ReLU(), torch.nn.Linear(16, 3)
    )
    even, odd = clouds(60, 0, torch), clouds(67, 1, torch)
    held = clouds(100, 2, torch)

    def options(epochs, batch, rate):
        return {"epochs": epochs, "batch": batch, "rate": rate, "seed": 3}

    cases = [
        ("one step on every row", linear, even, options(1, 60, 0.5)),
        ("one epoch in three steps", linear, even, options(1, 20, 0.5)),
        ("one epoch with a short last batch", linear, odd, options(1, 20, 0.5)),
        ("three epochs, a step each", linear, even, options(3, 60, 0.5)),
        ("with batch norm, one epoch", normed, odd, options(1, 20, 0.1)),
        (
            "with batch norm, a rate that is too large, eight epochs",
            normed,
            odd,
            options(8, 20, 3.0),
        ),
    ]
    for what, model, (x, y), chosen in cases:
        wrong = differs(module, model, (x, y, *held), chosen, torch)
        assert not wrong, f"{what}: {' and '.join(wrong)} not as specified"
    model = copy.deepcopy(normed)
    watched = Watched(model, torch)
    module.train(model, *even, *held, **options(2, 20, 0.1))
    assert not watched.n_graphs, "measuring builds a graph that nobody needs"
