"""Check a gradient against finite differences, and those against themselves."""

import numpy as np

EPS = np.finfo(float).eps
TOLERANCE = 0.003
"""Nearer than this part of its size a claim is right."""


def wrong_entries(f, gradient, x):
    """Return the flat positions at which the claimed gradient is wrong."""
    middle = f(x.copy())
    return [k for k in range(x.size) if not _is_right(float(gradient.flat[k]), f, x, k, middle)]


def _is_right(claim, f, x, k, middle):
    if not np.isfinite(claim):
        return False
    h = EPS ** (1 / 3) * (abs(x.flat[k]) or 1.0)

    def at(offset):
        moved = x.copy()
        moved.flat[k] += offset
        return f(moved)

    ups = [at(h), at(h / 2)]
    downs = [at(-h), at(-h / 2)]
    # Rounding: how far the values of almost equal points are from one straight line.
    near = [at(s * h * 1e-3) for s in (-1.0, 1.0, -0.5, 0.5)]
    noise = max(abs(near[0] + near[1] - 2 * middle), abs(near[2] + near[3] - 2 * middle))
    rounding = 8 * (EPS * max(map(abs, (*ups, *downs, middle))) + noise) / h
    rights = [(ups[0] - middle) / h, 2 * (ups[1] - middle) / h]
    lefts = [(middle - downs[0]) / h, 2 * (middle - downs[1]) / h]
    jumps = [r - g for r, g in zip(rights, lefts, strict=True)]
    is_bend = abs(jumps[1]) > 0.75 * abs(jumps[0]) and abs(jumps[1]) > 4 * rounding
    if is_bend:
        rounding = 8 * EPS * max(map(abs, (*ups, *downs, middle))) / h
        # One-sided differences extrapolated to the point itself.
        ends = sorted((2 * rights[1] - rights[0], 2 * lefts[1] - lefts[0]))
        slack = 8 * rounding + TOLERANCE * max(map(abs, ends))
        return ends[0] - slack <= claim <= ends[1] + slack
    coarse, fine = (ups[0] - downs[0]) / (2 * h), (ups[1] - downs[1]) / h
    estimate = fine + (fine - coarse) / 3
    slack = rounding + abs(fine - coarse) + TOLERANCE * abs(estimate)
    return abs(claim - estimate) <= slack
