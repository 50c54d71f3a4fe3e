"""Text in pictures, by RapidOCR's models, which come with the extra `ocr`."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from rapidocr import RapidOCR
from rapidocr.utils.output import RapidOCROutput

_LEAST_SURE = 0.5


class PictureReader:
    """Reads lines of text from pictures; its models are loaded once."""

    def __init__(self) -> None:
        self._read = RapidOCR(params={"Global.log_level": "critical"})

    def lines(self, picture: NDArray[np.uint8]) -> Iterator[tuple[str, float, float, float]]:
        """Yield text, height, left and top of each line, in pixels, from the top down."""
        found = self._read(picture)
        if not isinstance(found, RapidOCROutput) or found.boxes is None:
            return  # nothing that looks like text
        boxes = np.asarray(found.boxes, dtype=np.float32)  # four corners of each line
        texts, scores = found.txts or (), found.scores or ()
        for k in np.lexsort((boxes[:, :, 0].min(axis=1), boxes[:, :, 1].min(axis=1))):
            left, top = (float(one) for one in boxes[k].min(axis=0))
            if scores[k] >= _LEAST_SURE:
                yield str(texts[k]), float(boxes[k, :, 1].max()) - top, left, top
