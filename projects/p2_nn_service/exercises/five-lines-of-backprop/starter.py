"""A small tied language model with its backward pass."""

import numpy as np


def forward(weights, symbols, targets):
    """Return the mean cross-entropy and what `backward` needs."""
    table, W, b, scale = (weights[name] for name in ("table", "W", "b", "scale"))
    x = table[symbols]  # (n, t, d)
    h = np.tanh(x @ W + b)
    y = x + scale * h
    z = y @ table.T  # (n, t, k)
    z = z - z.max(axis=-1, keepdims=True)
    chances = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    said = np.take_along_axis(chances, targets[..., None], axis=-1)
    loss = float(-np.log(said).mean())
    return loss, {"symbols": symbols, "targets": targets, "x": x, "h": h, "y": y, "p": chances}


def backward(weights, kept):
    """Return the gradient of the loss by each weight."""
    table, W, scale = weights["table"], weights["W"], weights["scale"]
    x, h, y = kept["x"], kept["h"], kept["y"]
    dz = kept["p"].copy()
    np.put_along_axis(
        dz,
        kept["targets"][..., None],
        np.take_along_axis(dz, kept["targets"][..., None], -1) - 1,
        -1,
    )
    dz /= len(kept["targets"])
    d_table = np.einsum("ntk,ntd->kd", dz, y)
    dy = dz @ table
    d_scale = (dy * h).sum()
    da = scale * dy * (1 - h)
    dW = np.einsum("nti,ntj->ij", x, da)
    db = da.mean(axis=(0, 1))
    dx = da @ W.T
    d_table[kept["symbols"]] += dx
    return {"table": d_table, "W": dW, "b": db, "scale": np.asarray(d_scale)}
