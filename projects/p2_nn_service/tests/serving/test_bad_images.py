"""What strangers send, over real HTTP: each is refused with its reason, or read and told how."""

import json
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

import httpx2
import numpy as np
import pytest
from p2_nn_service.api import create_app
from p2_nn_service.settings import Settings
from PIL import Image

from tests.support.browser import Site, served

from .conftest import Publish, bright


@pytest.fixture
def site(settings: Settings, publish_corners: Publish) -> Iterator[Site]:
    publish_corners()
    chosen = settings.model_copy(update={"max_images": 5, "max_saliency_images": 2})
    with served(create_app(chosen)) as site:
        yield site


def file_of(image: Image.Image, kind: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def large(corner: str = "top left") -> Image.Image:
    return Image.fromarray(np.kron(bright(corner) * 255, np.ones((40, 40))).astype(np.uint8))


def empty_png(width: int, height: int) -> bytes:
    """Make a bomb: a few kilobytes of zeros that a decoder would blow up to its size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    row = b"\0" * (1 + (width + 7) // 8)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    pixels = zlib.compress(row * height, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def sixteen_bit() -> bytes:
    deep = (np.kron(bright("top left"), np.ones((40, 40))) * 65535).astype(np.uint16)
    return file_of(Image.fromarray(deep), "PNG")


def transparent() -> bytes:
    """Draw a light corner on nothing."""
    lit = np.kron(bright("top left"), np.ones((40, 40))) > 0
    layers = np.zeros((*lit.shape, 4), np.uint8)
    layers[lit] = 255
    return file_of(Image.fromarray(layers), "PNG")


def turned() -> bytes:
    """Store it lying on its side, with the camera's note of how to turn it back."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    return file_of(large().rotate(90), "JPEG", exif=exif, quality=95)


def animated() -> bytes:
    frames = [large("top left"), large("bottom right")]
    return file_of(frames[0], "GIF", save_all=True, append_images=frames[1:])


READ = {
    "CMYK": (lambda: file_of(large().convert("CMYK"), "JPEG", quality=95), "image/jpeg", "CMYK"),
    "16-bit": (sixteen_bit, "image/png", "16-bit"),
    "transparent": (transparent, "image/png", "laid on black"),
    "turned": (turned, "image/jpeg", "turned upright"),
    "animated": (animated, "image/gif", "first frame"),
    "WebP": (lambda: file_of(large(), "WEBP", lossless=True), "image/webp", "resized"),
    "colour": (lambda: file_of(large().convert("RGB"), "PNG"), "image/png", "resized"),
}


@pytest.mark.parametrize(("make", "kind", "words"), READ.values(), ids=READ)
def test_an_unusual_image_is_read_as_a_person_sees_it(site: Site, make, kind, words) -> None:
    answer = httpx2.post(f"{site.url}/v1/classify", content=make(), headers={"content-type": kind})
    (one,) = answer.raise_for_status().json()["classifications"]
    assert one["label"] == "top left"
    assert any(words in told for told in one["preparation"]), one["preparation"]


JPEG, PNG = "image/jpeg", "image/png"
REFUSED = {
    "truncated": (lambda: file_of(large(), "JPEG")[:400], JPEG, 422, "unreadable-image"),
    "truncated PNG": (lambda: file_of(large(), "PNG")[:60], PNG, 422, "unreadable-image"),
    "bomb": (lambda: empty_png(60_000, 60_000), PNG, 413, "image-too-large"),
    "10,000 x 10,000": (lambda: empty_png(10_000, 10_000), PNG, 413, "image-too-large"),
    "text": (lambda: b"this is no image", PNG, 422, "unreadable-image"),
    "nothing": (lambda: b"", PNG, 422, "unreadable-image"),
    "PDF": (lambda: b"%PDF-1.7 and so on", PNG, 422, "unreadable-image"),
    "SVG": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", 422,
            "unreadable-image"),
    "HTML": (lambda: b"<html></html>", "text/html", 415, "unsupported-media-type"),
    "no type": (lambda: b"x", "", 415, "unsupported-media-type"),
    "no boundary": (lambda: b"--x", "multipart/form-data", 422, "invalid-images"),
    "cut form": (lambda: b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\nhi',
                 "multipart/form-data; boundary=x", 422, "invalid-images"),
    "empty form": (lambda: b"--x--\r\n", "multipart/form-data; boundary=x", 422, "invalid-images"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "kind", "status", "slug"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_readable_image_is_refused_by_its_reason(
    site: Site, make, kind, status, slug
) -> None:
    headers = {"content-type": kind} if kind else {}
    for query in ("", "?top=1"):  # the quick way and the other
        answer = httpx2.post(f"{site.url}/v1/classify{query}", content=make(), headers=headers)
        problem = answer.json()
        assert (answer.status_code, problem["type"]) == (status, f"/problems/{slug}"), problem
        assert problem["detail"]
        if slug in {"unreadable-image", "image-too-large"}:
            assert problem["errors"][0]["field"] == "image"
        assert httpx2.get(f"{site.url}{problem['type']}").status_code == 200


OK = bright("top left").tolist()
WRONG_ARRAYS = {
    "wrong shape": ([[0.0] * 7] * 8, "pixels.0", "8"),
    "ragged": ([*OK[:7], OK[0][:5]], "pixels.7", "8"),
    "flat": ([0.0] * 64, "pixels", "8"),
    "text": ([["1"] * 8] * 8, "pixels.0.0", "0 to 1"),
    "true": ([[True] * 8] * 8, "pixels.0.0", "0 to 1"),
    "negative": ([[-0.5] * 8] * 8, "pixels.0.0", "0 to 1"),
    "too large": ([[256] * 8] * 8, "pixels.0.0", "0 to 1"),
    "none": ([], "pixels", "shape [8, 8]"),
    "number": (7, "pixels", "8 x 8"),
    "null": (None, "pixels", "8 x 8"),
    "second of three": ([OK, [[0.0] * 8] * 7, OK], "pixels.1", "8"),
    "one number of many": ([OK, [*OK[:7], [0, 0, 0, None, 0, 0, 0, 0]]], "pixels.1.7.3", "0 to 1"),
}


@pytest.mark.parametrize(("values", "field", "accepted"), WRONG_ARRAYS.values(), ids=WRONG_ARRAYS)
def test_an_array_that_does_not_fit_is_refused_by_its_place(
    site: Site, values, field, accepted
) -> None:
    answer = httpx2.post(f"{site.url}/v1/classify", json={"pixels": values})
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (422, "/problems/invalid-images"), problem
    assert problem["errors"][0]["field"] == field
    assert accepted in problem["errors"][0]["accepted"]


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b'{"pixels": [[Infinity]]}', 422, "invalid-images"),
        (b'{"pixels": [', 400, "malformed-body"),
        (b"[]", 422, "invalid-images"),
        (b"{}", 422, "invalid-images"),
        (b'{"pixel": 1}', 422, "invalid-images"),
        (b'{"pixels": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "malformed-body"),
    ],
    ids=["infinity", "cut", "list", "empty", "unknown", "deep"],
)
def test_json_that_is_no_image_is_refused(site: Site, body: bytes, status: int, slug: str) -> None:
    headers = {"content-type": "application/json"}
    answer = httpx2.post(f"{site.url}/v1/classify", content=body, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_a_number_that_is_not_finite_is_refused_by_its_place(site: Site, number: bytes) -> None:
    rows = json.dumps(OK).encode().replace(b"0.0", number, 1)
    for query in ("", "?top=1"):
        answer = httpx2.post(
            f"{site.url}/v1/classify{query}",
            content=b'{"pixels": %s}' % rows,
            headers={"content-type": "application/json"},
        )
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "pixels.0.4"


def test_too_many_images_are_refused_in_either_form(site: Site) -> None:
    png = file_of(large(), "PNG")
    files = [("image", (f"{k}.png", png, PNG)) for k in range(6)]
    for given in ({"files": files}, {"json": {"pixels": [OK] * 6}}):
        answer = httpx2.post(f"{site.url}/v1/classify", **given)
        assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-many-images")
        assert "MAX_IMAGES" in answer.json()["detail"]
    few = {"pixels": [OK] * 3}
    answer = httpx2.post(f"{site.url}/v1/classify?saliency=true", json=few)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-many-images")
    assert "MAX_SALIENCY_IMAGES" in answer.json()["detail"]


def test_one_bad_file_of_several_is_named(site: Site) -> None:
    files = [
        ("image", ("good.png", file_of(large(), "PNG"), PNG)),
        ("image", ("bad.png", b"no image", PNG)),
    ]
    problem = httpx2.post(f"{site.url}/v1/classify", files=files).json()
    assert problem["errors"][0]["field"] == "images.1"


def test_a_form_with_a_field_that_is_no_file_is_refused(site: Site) -> None:
    png = file_of(large(), "PNG")
    answer = httpx2.post(
        f"{site.url}/v1/classify", files={"image": ("a.png", png, PNG)}, data={"note": "hello"}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "note"


def test_tensors_that_do_not_fit_are_refused(site: Site) -> None:
    def infer(shape: list[int], raw: bytes) -> httpx2.Response:
        tensor = {
            "name": "pixels", "shape": shape, "datatype": "FP32",
            "parameters": {"binary_data_size": len(raw)},
        }  # fmt: skip
        header = json.dumps({"inputs": [tensor]}).encode()
        return httpx2.post(
            f"{site.url}/v2/models/corners/infer",
            content=header + raw,
            headers={"Inference-Header-Content-Length": str(len(header))},
        )

    hole = np.full((1, 1, 8, 8), np.nan, "<f4")
    for shape, raw, words in (
        ([1, 1, 8, 8], hole.tobytes(), "not finite"),
        ([0, 1, 8, 8], b"", "no image"),
        ([1, 8, 8], bytes(256), "shape"),
    ):
        answer = infer(shape, raw)
        assert answer.status_code == 400
        assert words in answer.json()["error"]
    assert infer([1, 1, 8, 8], bytes(256)).status_code == 200
