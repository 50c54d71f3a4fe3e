"""Text in pictures, by RapidOCR's models, which come with the extra `ocr`."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from rapidocr import RapidOCR

_LEAST_SURE = 0.5


class PictureReader:
    """Reads lines of text from pictures; its models are loaded once."""

    def __init__(self) -> None:
        self._read = RapidOCR(params={"Global.log_level": "critical"})

    def lines(self, picture: NDArray[np.uint8]) -> Iterator[tuple[str, float, float, float]]:
        """Yield text, height, left and top of each line, in pixels, from the top down."""
        found = self._read(picture)
        if found.txts is None or found.boxes is None:
            return
        places = [(float(box[:, 1].min()), float(box[:, 0].min()), box) for box in found.boxes]
        read = zip(places, found.txts, found.scores, strict=True)
        for (top, left, box), text, score in sorted(read, key=lambda one: one[0][:2]):
            if score >= _LEAST_SURE:
                yield text, float(box[:, 1].max()) - top, left, top
