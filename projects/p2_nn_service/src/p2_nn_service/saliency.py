"""Where in an image the evidence for its label lies, computed on request. No torch.

A graph that answers `maps` (the head applied at each place before the places are averaged) gives
it for nothing: class activation maps, exact for such networks (Zhou et al. 2016). Any other graph
is asked again with a window of the image covered, place by place, and the fall of the label's
log-odds is the weight of that place: occlusion (Zeiler and Fergus 2014).
"""

import asyncio

import numpy as np
from numpy.typing import NDArray

from p2_nn_service.classifier import LOGITS, MAPS, Answer, Classifier, Pixels

Map = NDArray[np.float64]
N_STEPS = 14
"""Places a side at which the window stands, at most."""
WINDOW = 4.5
"""The window's side is the image's divided by it."""


async def saliency(classifier: Classifier, pixels: Pixels, answer: Answer) -> list[Map]:
    """Return each image's weights, 0 to 1, rows from the top; all 0 where nothing speaks for it."""
    if MAPS in answer.outputs:
        maps = answer.output(MAPS)
        return [_scaled(maps[k, label].astype(np.float64)) for k, label in enumerate(answer.labels)]
    return [
        await _occluded(classifier, image, label)
        for image, label in zip(pixels, answer.labels, strict=True)
    ]


async def _occluded(classifier: Classifier, image: NDArray[np.float32], label: int) -> Map:
    """Cover a window at each place of a grid, filled with the tone of the image's edge.

    A batch at a time: however many places there are, no more than a batch waits for the model.
    """
    covered, windows = cover(image)
    before = _log_odds((await classifier.answer(image[None])).output(LOGITS), label)[0]
    falls: list[NDArray[np.float64]] = []
    for at in range(0, len(covered), classifier.max_batch):
        answer = await classifier.answer(covered[at : at + classifier.max_batch])
        falls.append(before - _log_odds(answer.output(LOGITS), label))
        await asyncio.sleep(0)  # a lone caller's batch runs at once: others come in between
    return _scaled(spread(np.concatenate(falls), windows, image.shape[1:]))


def cover(image: NDArray[np.float32]) -> tuple[Pixels, list[tuple[slice, slice]]]:
    """Return the image with each window covered (n, channels, height, width), and the windows."""
    _, height, width = image.shape
    ground = np.median(
        np.concatenate([image[:, 0], image[:, -1], image[:, :, 0], image[:, :, -1]], axis=1), axis=1
    )
    rows, columns = _windows(height), _windows(width)
    windows = [(row, column) for row in rows for column in columns]
    covered = np.repeat(image[None], len(windows), axis=0)
    for one, (row, column) in zip(covered, windows, strict=True):
        one[:, row, column] = ground[:, None, None]
    return covered, windows


def _windows(length: int) -> list[slice]:
    size = max(1, min(length, round(length / WINDOW)))
    starts = np.unique(np.linspace(0, length - size, min(N_STEPS, length)).round().astype(int))
    return [slice(int(start), int(start) + size) for start in starts]


def spread(
    falls: NDArray[np.float64], windows: list[tuple[slice, slice]], size: tuple[int, ...]
) -> Map:
    """Give each pixel the mean fall of the windows that covered it."""
    total, times = np.zeros(size), np.zeros(size)
    for fall, (row, column) in zip(falls, windows, strict=True):
        total[row, column] += fall
        times[row, column] += 1
    return total / np.maximum(times, 1)


def _log_odds(logits: NDArray[np.float32], label: int) -> NDArray[np.float64]:
    wide = logits.astype(np.float64)
    rest = np.delete(wide, label, axis=1)
    top = rest.max(axis=1)
    against: NDArray[np.float64] = top + np.log(np.exp(rest - top[:, None]).sum(axis=1))
    return wide[:, label] - against


def _scaled(weights: Map) -> Map:
    """Keep what speaks for the label, the strongest as 1."""
    kept = np.maximum(weights, 0)
    top = kept.max()
    return np.round(kept / top, 4) if top > 0 else kept
