"""Against a loop over positions; then padding, the future, and large scores."""

import numpy as np


def slowly(q, k, v, n_heads, length, causal):
    n, d = q.shape
    w = d // n_heads
    out, weights = np.zeros((n, d)), np.zeros((n_heads, n, len(k)))
    for h in range(n_heads):
        part = slice(h * w, (h + 1) * w)
        for i in range(n):
            last = min(length, i + 1) if causal else length
            if last == 0:
                continue
            scores = k[:last, part] @ q[i, part] / np.sqrt(w)
            e = np.exp(scores - scores.max())
            weights[h, i, :last] = e / e.sum()
            out[i, part] = weights[h, i, :last] @ v[:last, part]
    return out, weights


def compare(name, got, wanted):
    for what, a, b in zip(("out", "weights"), got, wanted, strict=True):
        assert np.shape(a) == b.shape, f"{name}: {what} has shape {np.shape(a)}, wanted {b.shape}"
        assert np.isfinite(a).all(), f"{name}: {what} is not finite"
        worst = np.abs(a - b).max()
        assert worst < 1e-9, f"{name}: {what} is off by up to {worst:.2g}"


def case(module, name, rng, *, n=5, m=5, n_heads=2, lengths=None, causal=False, size=1.0):
    d = 4 * n_heads
    q = rng.normal(size=(3, n, d)) * size
    k, v = rng.normal(size=(2, 3, m, d)) * size
    kept = q.copy(), k.copy(), v.copy()
    got = module.attend(q, k, v, n_heads, lengths=lengths, causal=causal)
    same = all(np.array_equal(a, b) for a, b in zip(kept, (q, k, v), strict=True))
    assert same, f"{name}: what the caller gave was changed"
    sizes = [m] * 3 if lengths is None else lengths
    each = [slowly(q[b], k[b], v[b], n_heads, sizes[b], causal) for b in range(3)]
    compare(name, got, [np.stack(part) for part in zip(*each, strict=True)])


def check(module):
    rng = np.random.default_rng(0)
    case(module, "one head", rng, n_heads=1)
    case(module, "four heads", rng, n_heads=4)
    case(module, "more keys than questions", rng, n=2, m=7)
    case(module, "sentences of 5, 3 and 1", rng, lengths=[5, 3, 1])
    case(module, "an empty sentence", rng, lengths=[5, 0, 2])
    case(module, "no look ahead", rng, causal=True)
    case(module, "no look ahead, with padding", rng, lengths=[5, 2, 4], causal=True)
    case(module, "large scores", rng, size=150.0)
    q, k, v = rng.normal(size=(3, 2, 4, 8))
    before, _ = module.attend(q, k, v, 2, lengths=[2, 4])
    k[0, 2:], v[0, 2:] = np.nan, np.inf
    with np.errstate(all="ignore"):
        after, weights = module.attend(q, k, v, 2, lengths=[2, 4])
    assert np.array_equal(before, after), "what stands in the padding changed the answer"
    assert (weights[0, :, :, 2:] == 0).all(), "padding is looked at"
