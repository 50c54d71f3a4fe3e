"""Picture files of strangers: each kind is read as it looks, each bad one refused in words."""

import io
import random
import struct
import tracemalloc
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from p2_nn_service.errors import PictureError, PictureTooLargeError
from p2_nn_service.pictures import Picture, read_picture
from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
RAMP = np.arange(0, 256, 8, dtype=np.uint8)[None, :].repeat(24, axis=0)
COLOURS = np.dstack([RAMP, RAMP[:, ::-1], np.full_like(RAMP, 90)])


def read(
    data: bytes, *, max_bytes: int = 10**7, max_pixels: int = 10**6, at_least: int | None = None
) -> Picture:
    return read_picture(data, max_bytes=max_bytes, max_pixels=max_pixels, at_least=at_least)


def saved(image: Image.Image | np.ndarray, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(buffer, form, **options)
    return buffer.getvalue()


def png(width: int, height: int, *chunks: tuple[bytes, bytes], depth: int = 8) -> bytes:
    """A PNG written by hand, for what no library would write."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    parts = ((b"IHDR", header), *chunks, (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


# -------------------------------------------------------------------------------- what is read
@pytest.mark.parametrize("form", FORMATS)
def test_each_format_is_read_in_colour_as_it_looks(form: str) -> None:
    options = {"lossless": True} if form == "WEBP" else {}
    picture = read(saved(COLOURS, form, **options))
    assert picture.pixels.shape == COLOURS.shape
    assert picture.pixels.dtype == np.uint8
    tolerance = {"JPEG": 25, "GIF": 25}.get(form, 0)
    assert np.abs(picture.pixels.astype(int) - COLOURS).max() <= tolerance
    assert picture.done == ()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP"])
def test_grey_stays_one_number_a_pixel(form: str) -> None:
    picture = read(saved(RAMP, form))
    assert picture.pixels.shape == RAMP.shape
    assert np.abs(picture.pixels.astype(int) - RAMP).max() <= 3


def test_black_and_white_becomes_0_and_255() -> None:
    picture = read(saved(Image.fromarray(RAMP).convert("1")))
    assert set(np.unique(picture.pixels)) == {0, 255}


def test_a_palette_is_looked_up() -> None:
    image = Image.new("P", (4, 3), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    assert read(saved(image)).pixels.tolist() == [[[10, 200, 30]] * 4] * 3


def test_16_bit_grey_is_scaled_and_not_clipped() -> None:
    deep = np.array([[0, 257, 128 * 257, 65_535]], dtype=np.uint16)
    picture = read(saved(deep))
    assert picture.pixels.tolist() == [[0, 1, 128, 255]]
    assert picture.done == ("16-bit grey scaled to 8 bits",)


def test_inks_are_turned_into_colours() -> None:
    image = Image.fromarray(COLOURS).convert("CMYK")
    picture = read(saved(image, "JPEG", quality=95))
    assert np.abs(picture.pixels.astype(int) - COLOURS).mean() < 5
    assert picture.done == ("inks (CMYK) turned into RGB",)


@pytest.mark.parametrize(("ink", "ground"), [((20, 30, 40), "white"), ((250, 240, 245), "black")])
def test_a_transparent_picture_is_laid_where_its_thing_can_be_seen(
    ink: tuple[int, int, int], ground: str
) -> None:
    image = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    image.paste((*ink, 255), (3, 3, 7, 7))
    picture = read(saved(image))
    assert picture.pixels[0, 0].tolist() == [255 if ground == "white" else 0] * 3
    assert picture.pixels[5, 5].tolist() == list(ink)
    assert picture.done == (f"its transparent parts laid on {ground}",)


def test_half_transparent_black_on_white_is_grey() -> None:
    image = Image.new("LA", (2, 2), (0, 128))
    assert read(saved(image)).pixels.tolist() == [[127, 127], [127, 127]]


def test_a_colour_that_stands_for_transparent_is_transparent() -> None:
    image = Image.new("P", (2, 1), 0)
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    picture = read(saved(image, transparency=0))
    assert picture.pixels.tolist() == [[[255, 255, 255], [40, 50, 60]]]


def test_an_opaque_picture_with_transparency_is_not_spoken_of() -> None:
    picture = read(saved(Image.fromarray(COLOURS).convert("RGBA")))
    np.testing.assert_array_equal(picture.pixels, COLOURS)
    assert picture.done == ()


TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", TURNED)
def test_a_photo_that_a_camera_turned_equals_the_upright(form: str, orientation: int) -> None:
    upright = Image.fromarray(COLOURS)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if form == "WEBP" else {}
    turned = saved(upright.transpose(TURNED[orientation]), form, exif=exif, **options)
    picture = read(turned)
    assert picture.done == ("turned upright, as the camera noted",)
    np.testing.assert_allclose(picture.pixels.astype(int), COLOURS, atol=20)
    assert picture.pixels.shape == COLOURS.shape


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_seen(form: str) -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "blue", "green")]
    options = {"lossless": True} if form == "WEBP" else {}
    data = saved(frames[0], form, save_all=True, append_images=frames[1:], **options)
    picture = read(data)
    assert picture.pixels[0, 0].tolist() == [255, 0, 0]
    assert picture.done == ("only its first frame is seen",)


def test_profiles_and_texts_are_ignored() -> None:
    plain = read(saved(COLOURS))
    dressed = saved(COLOURS, icc_profile=b"nonsense" * 999, exif=b"Exif\x00\x00II*\x00spoilt")
    np.testing.assert_array_equal(read(dressed).pixels, plain.pixels)


def test_a_large_photo_is_decoded_smaller_when_little_of_it_is_wanted() -> None:
    data = saved(Image.fromarray(COLOURS).resize((640, 480)), "JPEG")
    assert read(data).pixels.shape == (480, 640, 3)
    assert read(data, at_least=56).pixels.shape == (60, 80, 3)


# ----------------------------------------------------------------------------- what is refused
def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(PictureTooLargeError, match="has 1,001 bytes; the limit is 1,000"):
        read(bytes(1001), max_bytes=1000)


def bomb(side: int) -> bytes:
    row = zlib.compressobj(9)
    body = b"".join(row.compress(bytes(side + 1)) for _ in range(side)) + row.flush()
    return png(side, side, (b"IDAT", body))


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    data = bomb(10_000)
    assert len(data) < 200_000
    tracemalloc.start()
    with pytest.raises(PictureTooLargeError, match="10,000 x 10,000 pixels; the limit is"):
        read(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def claims(form: str, width: int, height: int) -> bytes:
    """A small picture whose header claims another size."""
    data = bytearray(saved(COLOURS, form))
    if form == "PNG":
        return png(width, height, (b"IDAT", zlib.compress(bytes(32))))
    if form == "GIF":
        struct.pack_into("<HH", data, 6, width, height)
    elif form == "BMP":
        struct.pack_into("<ii", data, 18, width, height)
    elif form == "JPEG":
        struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, height, width)
    else:
        struct.pack_into("<HH", data, 26, width, height)
    return bytes(data)


@pytest.mark.parametrize("form", FORMATS)
def test_a_size_in_the_header_is_enough_to_refuse(form: str) -> None:
    with pytest.raises(PictureTooLargeError, match="12,000 x 12,000"):
        read(claims(form, 12_000, 12_000))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "WEBP"])
def test_a_picture_without_pixels_is_refused(form: str) -> None:
    with pytest.raises(PictureError, match="it has no pixels"):
        read(claims(form, 0, 24))


JFIF = saved(COLOURS, "JPEG")
MANY_PARTS = {
    "PNG": png(4, 4, *[(b"tEXt", b"")] * 20_001),
    "JPEG": JFIF[:2] + b"\xff\xfe\x00\x02" * 20_001 + JFIF[2:],
}


@pytest.mark.parametrize("form", MANY_PARTS)
def test_a_file_of_endless_small_parts_is_refused(form: str) -> None:
    with pytest.raises(PictureError, match="has more than 20,000 parts"):
        read(MANY_PARTS[form])


def test_stray_bytes_between_the_segments_of_a_jpeg_are_passed_over() -> None:
    end = 4 + 16  # of the first segment
    strayed = JFIF[:end] + b"\x07\xff\xff\xff\x00" + JFIF[end:]
    np.testing.assert_array_equal(read(strayed).pixels, read(JFIF).pixels)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_that_is_cut_off_is_refused(form: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)
    data = saved(noise, form)
    with pytest.raises(PictureError, match="cut off or damaged"):
        read(data[: int(share * len(data))])


OTHERS = {
    "": b"",
    "an SVG": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"></svg>',
    "a PDF": b"%PDF-1.7 ...",
    "a TIFF": b"II*\x00" + bytes(20),
    "not a picture": b"hello, this is text",
    "of the kind 'avif'": b"\x00\x00\x00\x20ftypavif" + bytes(20),
}


@pytest.mark.parametrize("said", OTHERS)
def test_what_is_no_picture_is_named_with_what_is_accepted(said: str) -> None:
    with pytest.raises(PictureError, match=said or "is empty") as caught:
        read(OTHERS[said])
    assert caught.value.fields[0].accepted == "PNG, JPEG, WebP, GIF or BMP"


def samples() -> list[bytes]:
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [Image.fromarray(np.roll(COLOURS, k, axis=1)) for k in range(3)]
    made = [saved(COLOURS, form, exif=exif) for form in ("PNG", "JPEG", "WEBP")]
    made += [saved(frames[0], form, save_all=True, append_images=frames[1:])
             for form in ("PNG", "GIF", "WEBP")]  # fmt: skip
    made += [saved(COLOURS, "BMP"), saved(RAMP), saved(RAMP.astype(np.uint16) * 250)]
    made.append(saved(Image.fromarray(COLOURS).convert("CMYK"), "JPEG", progressive=True))
    made.append(saved(Image.fromarray(COLOURS).convert("P"), transparency=3))
    return made


SAMPLES = samples()


def read_or_none(data: bytes) -> Picture | None:
    """What every door is meant to do with a stranger's bytes: pixels, or a refusal in words."""
    try:
        return read(data)
    except PictureError:
        return None


@given(st.integers(0, len(SAMPLES) - 1), st.randoms(use_true_random=False))
def test_a_damaged_file_gives_pixels_or_words_and_never_a_warning(
    which: int, chance: random.Random
) -> None:
    data = bytearray(SAMPLES[which])
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(min(len(data), chance.choice([40, 400, len(data)])))
        data[at] = chance.choice([0, 1, 0x7F, 0xFF, chance.randrange(256)])
    if chance.random() < 0.3:
        del data[chance.randrange(len(data)) :]
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        picture = read_or_none(bytes(data))
    if picture is not None:
        assert picture.pixels.dtype == np.uint8
        assert picture.pixels.ndim in {2, 3}
        assert picture.pixels.size > 0
    assert [str(one.message) for one in heard] == []


@given(st.binary(max_size=300), st.sampled_from([b"", *(data[:30] for data in SAMPLES)]))
def test_any_bytes_at_all_give_pixels_or_words(tail: bytes, head: bytes) -> None:
    picture = read_or_none(head + tail)
    assert picture is None or picture.pixels.size > 0
