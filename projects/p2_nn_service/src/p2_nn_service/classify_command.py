"""The work behind `p2-nn-service classify`: image files, answered without a server."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from common.models.opening import registry_of

from p2_nn_service.answers import probabilities
from p2_nn_service.asking import Reader
from p2_nn_service.classifier import LOGITS, Answer, load
from p2_nn_service.errors import PictureError
from p2_nn_service.settings import Settings


def classify_files(images: Sequence[Path], *, top: int, settings: Settings) -> list[str]:
    """Return a line for each image: its likeliest classes, and whether it is strange."""
    registry = registry_of(settings)
    version = registry.resolve(settings.model, settings.alias)
    classifier = load(version, registry.fetch(version), settings)
    files = [_content(path) for path in images]

    async def answered() -> Answer:
        with ThreadPoolExecutor(1) as decoders:
            asked = await Reader(classifier.card, settings, decoders).read_pictures(files)
            async with classifier:
                return await classifier.answer(asked.pixels)

    answer = asyncio.run(answered())
    table = probabilities(answer.output(LOGITS), classifier.card.temperature)
    lines: list[str] = []
    for path, p, is_strange in zip(images, table, answer.is_strange, strict=True):
        likeliest = sorted(zip(p, classifier.card.classes, strict=True), reverse=True)[:top]
        said = ", ".join(f"{name} {share:.1%}" for share, name in likeliest)
        strange = "; unlike what it learned from: doubt it" if is_strange else ""
        lines.append(f"{path}: {said}{strange}")
    return lines


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror}", field=str(path)) from error
