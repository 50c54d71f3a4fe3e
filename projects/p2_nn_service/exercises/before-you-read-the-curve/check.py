"""Run each experiment and say which predictions it does not confirm."""

import numpy as np


def cross_entropy(logits, target):
    z = logits - logits.max(axis=-1, keepdims=True)
    return float(-(target * (z - np.log(np.exp(z).sum(axis=-1, keepdims=True)))).sum(-1).mean())


def softmax(z):
    weights = np.exp(z - z.max())
    return weights / weights.sum()


def lowest(target, loss_of):
    """Descend on logits until nothing is left to gain, by numeric slopes."""
    z = np.zeros_like(target)
    for _ in range(4000):
        slope = np.empty_like(z)
        for k in range(len(z)):
            up, down = z.copy(), z.copy()
            up[k] += 1e-4
            down[k] -= 1e-4
            slope[k] = (loss_of(up) - loss_of(down)) / 2e-4
        z -= 5.0 * slope
    return loss_of(z)


def softmax_twice():
    target = np.eye(10)[3]
    return min(cross_entropy(softmax(gap * target), target) for gap in (1.0, 10.0, 100.0, 1000.0))


def smoothed():
    target = np.full(10, 0.01)
    target[3] += 0.9
    return lowest(target, lambda z: cross_entropy(z, target))


def with_noise():
    rng = np.random.default_rng(0)
    n = 2_000_000
    truth = rng.integers(0, 5, n)
    labels = np.where(rng.random(n) < 0.2, rng.integers(0, 5, n), truth)
    share = (labels == truth).mean()
    known = np.where(labels == truth, share, (1 - share) / 4)
    return float(-np.log(known).mean())


def out_of_step():
    target = np.array([0.9, 0.1])
    return lowest(target, lambda z: cross_entropy(z, target))


def without_zeroing():
    x, slope = 1.0, 0.0
    for _ in range(3):
        slope += x
        x -= 0.1 * slope
    return x


def overstated():
    rows = np.array([0.2] * 1000 + [1.4] * 50)
    return float(np.mean([part.mean() for part in np.split(rows, [500, 1000])]) - rows.mean())


def running_mean():
    stored = 0.0
    for _ in range(12):
        stored = 0.9 * stored + 0.1 * 4
    return stored


def trembling():
    rng = np.random.default_rng(0)
    kept = (rng.random((200_000, 100)) < 0.5) / 0.5
    return float((kept * 0.01).sum(axis=1).std())


def of_the_start():
    share = 1.0
    for _ in range(500):
        share *= 0.999
    return share


def check(module):
    truths = {
        "a": cross_entropy(np.zeros((1, 37)), np.eye(37)[:1]),
        "b": softmax_twice(),
        "c": smoothed(),
        "d": with_noise(),
        "e": out_of_step(),
        "f": without_zeroing(),
        "g": overstated(),
        "h": running_mean(),
        "i": trembling(),
        "j": of_the_start(),
    }
    open_ones = [name for name in truths if module.ANSWERS.get(name) is None]
    assert not open_ones, f"no prediction yet for {', '.join(open_ones)}"
    wrong = [
        name
        for name, truth in truths.items()
        if not abs(module.ANSWERS[name] - truth) <= 0.01 * abs(truth)
    ]
    assert not wrong, f"the experiment does not confirm {', '.join(wrong)}"
