"""What is asked, as the model's input: arrays, picture files, forms of picture files.

Every form ends as pixels of the card's shape and, in words, what was done to get there. Small
pictures are read where the event loop stands, large ones in threads of their own: decoding lets
other work go on, and few at a time bound the memory. Knows no HTTP. Read next: `framing.py`.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, NoReturn

import numpy as np
from common.errors import FieldError
from common.service.problems import MALFORMED, RefusedError
from pydantic_core import (
    CoreSchema,
    SchemaValidator,
    ValidationError,
    core_schema,
    from_json,
    to_json,
)

from p2_nn_service.classifier import Pixels
from p2_nn_service.contracts import ModelCard
from p2_nn_service.errors import (
    ClassifyRequestError,
    ContentTypeError,
    PictureError,
    TooManyImagesError,
)
from p2_nn_service.framing import Framed, frame, from_array
from p2_nn_service.picture_files import inspect
from p2_nn_service.pictures import read_picture
from p2_nn_service.settings import Settings
from p2_nn_service.uploads import uploaded_files

JSON = "application/json"
FORM = "multipart/form-data"
ANY_FILE = "application/octet-stream"
ACCEPTED = f"{JSON}, {FORM}, or an image's own type, such as image/png"
SMALL_BYTES = 32 * 1024
SMALL_PIXELS = 160 * 160
"""A picture up to both is read in less time than a thread takes to be handed it."""
SMALL_JSON_BYTES = 256 * 1024
N_DECODERS = 2
OVERSAMPLING = 16
"""A JPEG is decoded at no less than so many times the model's size: things may be small in it."""


class Asked(NamedTuple):
    """Images to classify; `preparation` says, as JSON, what was done to each, if anything was."""

    pixels: Pixels
    preparation: list[str] | None = None


class Reader:
    """Reads what is asked of one model; make a new one for each version."""

    def __init__(self, card: ModelCard, settings: Settings, decoders: ThreadPoolExecutor) -> None:
        self._card = card
        self._settings = settings
        self._decoders = decoders
        self._quick = SchemaValidator(_array_schema(card.shape, settings.max_images))

    async def read(self, body: bytes, content_type: str) -> Asked:
        """Read a body by its content type.

        Raises `ContentTypeError`, `PictureError`, `ClassifyRequestError`, `TooManyImagesError`, and
        `RefusedError` for what is not JSON.
        """
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type == JSON:
            if len(body) <= SMALL_JSON_BYTES:
                return self.read_json(body)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._decoders, self.read_json, body)
        if media_type == FORM:
            limit = self._settings.max_images
            files = uploaded_files(body, content_type, max_files=limit)
            return await self.read_pictures([one.content for one in files])
        if media_type.startswith("image/") or media_type == ANY_FILE:
            return await self.read_pictures([body])
        raise ContentTypeError(f"Content-Type {media_type or '(none)'!r}; accepted: {ACCEPTED}")

    # ---------------------------------------------------------------------------- arrays
    def read_json(self, body: bytes) -> Asked:
        """Read `{"pixels": …}`: one image or a list of them."""
        try:
            values = self._quick.validate_json(body)["pixels"]
        except ValidationError:
            return self._read_json_slowly(body)
        return Asked(np.array(values, np.float32).reshape(-1, *self._card.shape))

    def _read_json_slowly(self, body: bytes) -> Asked:
        """Read what is not of the quick form: numbers up to 255; or say what is wrong with it."""
        try:
            asked = from_json(body)  # NaN is refused below, by its place
        except ValueError as error:
            raise RefusedError(MALFORMED, f"The body is not valid JSON: {error}.") from error
        if not isinstance(asked, dict):
            refuse("body", "is not an object", '{"pixels": …}')
        for name in asked:
            if name != "pixels":
                refuse(str(name)[:100], "is unknown", "pixels")
        if "pixels" not in asked:
            refuse("pixels", "is missing", self._shapes)
        values = asked["pixels"]
        many, is_one = (values, False) if self._holds_many(values) else ([values], True)
        if not many:
            refuse("pixels", "holds no image", self._shapes)
        if len(many) > self._settings.max_images:
            raise TooManyImagesError(
                f"{len(many)} images in one request; at most {self._settings.max_images} are "
                "accepted (MAX_IMAGES)"
            )
        framed = [
            self._from_array(one, "pixels" if is_one else f"pixels.{k}")
            for k, one in enumerate(many)
        ]
        return _asked(framed)

    def _from_array(self, values: object, field: str) -> Framed:
        try:
            return from_array(values, self._card)
        except PictureError as error:
            (told,) = error.fields
            place = told.field.replace("array", field, 1)
            refuse(place, told.message, told.accepted)

    def _holds_many(self, values: object) -> bool:
        """Whether lists are nested deeper than one image's are."""
        depth, within = 0, values
        while isinstance(within, list) and within and depth < 5:
            depth, within = depth + 1, within[0]
        is_list = isinstance(values, list)
        return is_list and (not values or depth > (2 if self._card.shape[0] == 1 else 3))

    @property
    def _shapes(self) -> str:
        channels, height, width = self._card.shape
        one = [height, width] if channels == 1 else [channels, height, width]
        return f"numbers from 0 to 1 in lists of shape {one}, or a list of such images"

    # -------------------------------------------------------------------------- pictures
    async def read_pictures(self, files: Sequence[bytes]) -> Asked:
        """Decode picture files and frame each as the model's input."""
        loop = asyncio.get_running_loop()
        framed: list[Framed] = []
        for k, content in enumerate(files):
            field = "image" if len(files) == 1 else f"images.{k}"
            if _is_small(content):
                framed.append(self._framed(content, field))
                continue
            framed.append(await loop.run_in_executor(self._decoders, self._framed, content, field))
        return _asked(framed)

    def _framed(self, content: bytes, field: str) -> Framed:
        settings = self._settings
        try:
            picture = read_picture(
                content,
                max_bytes=settings.max_image_bytes,
                max_pixels=settings.max_pixels,
                at_least=OVERSAMPLING * max(self._card.shape[1:]),
            )
            return frame(picture, self._card)
        except PictureError as error:
            (told,) = error.fields
            raise type(error)(told.message, field=field, accepted=told.accepted) from error


def _is_small(content: bytes) -> bool:
    if len(content) > SMALL_BYTES:
        return False
    try:
        header = inspect(content)
    except PictureError:
        return True  # it is refused at once
    return header.width * header.height <= SMALL_PIXELS


def _asked(framed: Sequence[Framed]) -> Asked:
    pixels = framed[0].pixels[None] if len(framed) == 1 else np.stack([f.pixels for f in framed])
    if not any(one.done for one in framed):
        return Asked(pixels)
    return Asked(pixels, [to_json(one.done).decode() for one in framed])


def refuse(field: str, message: str, accepted: str) -> NoReturn:
    """Raise `ClassifyRequestError` of one field."""
    raise ClassifyRequestError([FieldError(field=field, message=message, accepted=accepted)])


def _array_schema(shape: tuple[int, int, int], max_images: int) -> CoreSchema:
    """Return the quick form: numbers from 0 to 1, nested as one image or as a list of them."""
    channels, height, width = shape
    nested: CoreSchema = core_schema.float_schema(strict=True, ge=0, le=1, allow_inf_nan=False)

    def listed(inner: CoreSchema, n: int, least: int | None = None) -> CoreSchema:
        least = n if least is None else least
        return core_schema.list_schema(inner, min_length=least, max_length=n, fail_fast=True)

    plane = listed(listed(nested, width), height)
    image = listed(plane, channels)
    ones = [image] if channels > 1 else [plane, image]
    forms = [*ones, *(listed(one, max_images, 1) for one in ones)]
    pixels = core_schema.union_schema(list(forms), mode="left_to_right")
    return core_schema.typed_dict_schema(
        {"pixels": core_schema.typed_dict_field(pixels)}, extra_behavior="forbid"
    )
