"""A stranger's picture gets the look of training's: its tone, its place and its size."""

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from p2_nn_service.contracts import ModelCard
from p2_nn_service.errors import PictureError
from p2_nn_service.framing import fitted, frame, from_array
from p2_nn_service.looks import Look, MeasuredLook, look_of
from p2_nn_service.pictures import Picture, read_picture
from PIL import Image, ImageDraw

DIGITS = MeasuredLook((1, 28, 28), True, centre=True, margin=1 / 7, is_centred_by_mass=True)
SCENES = MeasuredLook((3, 32, 32), None)


def drawing(*, ink: int = 0, ground: int = 255, at: tuple[int, int] = (150, 90)) -> np.ndarray:
    """A seven, drawn with a thick pen somewhere on a sheet of 400 by 300."""
    sheet = Image.new("L", (400, 300), ground)
    pen, (x, y) = ImageDraw.Draw(sheet), at
    pen.line([(x, y), (x + 70, y), (x + 25, y + 100)], fill=ink, width=12)
    return np.asarray(sheet)


def seen(pixels: np.ndarray, look: Look = DIGITS) -> np.ndarray:
    return frame(Picture(pixels), look).pixels


def test_a_drawing_on_white_is_inverted_cut_out_and_centred() -> None:
    framed = frame(Picture(drawing()), DIGITS)
    rows, columns = np.nonzero(framed.pixels[0] > 0.5)
    assert framed.pixels[0, 0, 0] == 0
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == pytest.approx(20, abs=1)
    assert rows.mean() == pytest.approx(13.5, abs=1.5)
    assert columns.mean() == pytest.approx(13.5, abs=1.5)
    assert framed.done == (
        "cut to the thing on its ground, which is put in the middle",
        "resized from 400 x 300 to 28 x 28",
        "inverted: the model learned from light things on dark",
    )


def test_an_inverted_drawing_gives_the_same_input() -> None:
    np.testing.assert_allclose(seen(drawing()), seen(255 - drawing()), atol=2 / 255)


def test_where_on_the_sheet_a_thing_is_drawn_makes_no_difference() -> None:
    np.testing.assert_allclose(seen(drawing()), seen(drawing(at=(30, 180))), atol=1e-6)


def test_a_thing_drawn_twice_as_large_gives_nearly_the_same_input() -> None:
    large = np.asarray(Image.fromarray(drawing()).resize((800, 600)))
    assert np.abs(seen(drawing()) - seen(large)).mean() < 0.02


def test_colours_of_ink_and_paper_make_little_difference() -> None:
    blue = np.where(drawing()[..., None] < 128, [20, 40, 160], [250, 250, 240]).astype(np.uint8)
    framed = frame(Picture(blue), DIGITS)
    assert np.abs(framed.pixels - seen(drawing())).mean() < 0.05
    assert "colours turned into grey" in framed.done


def test_a_turned_photo_gives_the_input_of_the_upright() -> None:
    upright, exif = Image.fromarray(drawing()), Image.Exif()
    exif[0x0112] = 6
    inputs = []
    for image, notes in ((upright, None), (upright.transpose(Image.Transpose.ROTATE_90), exif)):
        buffer = io.BytesIO()
        image.save(buffer, "PNG", **({"exif": notes} if notes else {}))
        picture = read_picture(buffer.getvalue(), max_bytes=10**6, max_pixels=10**6)
        inputs.append(frame(picture, DIGITS).pixels)
    np.testing.assert_array_equal(*inputs)


def test_a_model_of_dark_things_gets_a_light_drawing_inverted() -> None:
    dark = replace(DIGITS, is_light_on_dark=False)
    np.testing.assert_allclose(
        seen(drawing(ink=255, ground=0), dark), 1 - seen(drawing()), atol=2 / 255
    )


def test_a_scene_is_never_inverted_or_cut() -> None:
    scene = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    framed = frame(Picture(scene), replace(DIGITS, shape=(3, 32, 32)))
    assert framed.done == ("resized from 90 x 60 to 32 x 32",)


def test_a_model_of_scenes_leaves_tone_and_place_alone() -> None:
    white = np.full((64, 64, 3), 255, dtype=np.uint8)
    white[:20, :20] = 0
    framed = frame(Picture(white), SCENES)
    assert framed.pixels[:, 25, 25].tolist() == [1, 1, 1]
    assert framed.pixels[:, 2, 2].tolist() == [0, 0, 0]


def test_shrinking_averages_so_that_no_line_is_lost() -> None:
    lines = np.zeros((320, 320, 3), dtype=np.uint8)
    lines[:, ::10] = 255
    np.testing.assert_allclose(seen(lines, SCENES), 0.1, atol=0.005)


def test_an_empty_sheet_is_framed_all_the_same() -> None:
    framed = frame(Picture(np.full((90, 60), 255, dtype=np.uint8)), DIGITS)
    assert framed.pixels.max() == 0


def test_a_huge_picture_is_bounded_before_it_is_looked_at() -> None:
    huge = np.asarray(Image.fromarray(drawing()).resize((4000, 3000)))
    assert np.abs(seen(huge) - seen(drawing())).mean() < 0.02


pictures = arrays.arrays(
    np.uint8,
    st.tuples(st.integers(1, 70), st.integers(1, 70), st.sampled_from([0, 3])).map(
        lambda shape: shape if shape[2] else shape[:2]
    ),
)
looks = st.builds(
    MeasuredLook,
    st.tuples(st.sampled_from([1, 3]), st.integers(1, 40), st.integers(1, 40)),
    st.sampled_from([True, False, None]),
    centre=st.booleans(),
    margin=st.floats(0, 0.45),
    is_centred_by_mass=st.booleans(),
)


@given(pictures, looks)
def test_whatever_comes_the_input_has_the_shape_and_range(
    pixels: np.ndarray, look: MeasuredLook
) -> None:
    framed = frame(Picture(pixels), look)
    assert framed.pixels.shape == look.shape
    assert framed.pixels.dtype == np.float32
    assert 0 <= framed.pixels.min() <= framed.pixels.max() <= 1


@given(arrays.arrays(np.uint8, (28, 28)))
def test_a_picture_of_the_very_size_goes_through_unchanged(pixels: np.ndarray) -> None:
    framed = frame(Picture(pixels, ("as it was",)), DIGITS)
    np.testing.assert_array_equal(framed.pixels[0], pixels.astype(np.float32) / np.float32(255))
    assert framed.done == ("as it was",)


@given(arrays.arrays(np.uint8, (28, 28)))
def test_grey_saved_as_colour_is_the_same_grey(pixels: np.ndarray) -> None:
    framed = frame(Picture(np.repeat(pixels[..., None], 3, axis=2)), DIGITS)
    np.testing.assert_array_equal(framed.pixels, frame(Picture(pixels), DIGITS).pixels)
    assert framed.done == ()


def test_proportions_are_kept_and_the_rest_is_ground() -> None:
    tall = np.full((40, 10), 200, dtype=np.uint8)
    small = fitted(tall, 20, 20, ground=np.array([7], dtype=np.uint8))
    assert (small[:, :7] == 7).all()
    assert (small[:, 8:12] == 200).all()


# --------------------------------------------------------------------------------- looks measured
def framed_set(look: MeasuredLook, n: int = 40) -> np.ndarray:
    chance = np.random.default_rng(0)
    sheets = (drawing(at=tuple(chance.integers(20, 180, 2))) for _ in range(n))
    return np.stack([(seen(sheet, look) * 255).astype(np.uint8) for sheet in sheets])


@pytest.mark.parametrize("is_light_on_dark", [True, False])
def test_the_look_of_framed_drawings_is_measured_as_it_was_made(is_light_on_dark: bool) -> None:
    made = replace(DIGITS, is_light_on_dark=is_light_on_dark)
    found = look_of(framed_set(made))
    assert found.is_light_on_dark is is_light_on_dark
    assert found.centre
    assert found.is_centred_by_mass
    assert found.margin == pytest.approx(1 / 7, abs=0.03)


def test_scenes_have_no_ground() -> None:
    scenes = np.random.default_rng(0).integers(0, 256, (20, 3, 16, 16), dtype=np.uint8)
    assert look_of(scenes) == MeasuredLook((3, 16, 16), None)


def test_things_all_over_the_frame_are_not_called_centred() -> None:
    chance = np.random.default_rng(0)
    inputs = np.zeros((50, 1, 28, 28), dtype=np.uint8)
    for one in inputs:
        y, x = chance.integers(1, 24, 2)
        one[0, y : y + 3, x : x + 3] = 255
    assert look_of(inputs) == MeasuredLook((1, 28, 28), True)


def test_a_set_of_blank_pictures_has_a_ground_and_no_thing() -> None:
    assert look_of(np.zeros((5, 1, 8, 8), dtype=np.uint8)) == MeasuredLook((1, 8, 8), True)


def test_a_card_says_a_look() -> None:
    fields = set(MeasuredLook.__dataclass_fields__)
    assert fields <= set(ModelCard.model_fields)


# ---------------------------------------------------------------------------------------- arrays
TINY = MeasuredLook((1, 2, 3), True)
ROWS = [[0, 51, 255], [102, 153, 204]]


def test_numbers_up_to_255_are_divided_and_those_up_to_1_are_not() -> None:
    large = from_array(ROWS, TINY)
    small = from_array([[value / 255 for value in row] for row in ROWS], TINY)
    np.testing.assert_allclose(large.pixels, small.pixels, rtol=1e-6)
    assert large.pixels.shape == (1, 2, 3)
    assert large.done == ("numbers up to 255 divided by 255",)
    assert small.done == ()


def test_channels_may_stand_first() -> None:
    np.testing.assert_array_equal(from_array([ROWS], TINY).pixels, from_array(ROWS, TINY).pixels)


REFUSED = [
    ([[0, 1, 2], [0, 1]], "array.1", "has 2 entries"),
    ([[0, 1, 2], [0, 1, 256]], "array.1.2", "is 256"),
    ([[0, 1, 2], [0, -1, 2]], "array.1.1", "is -1"),
    ([[0, 1, 2], [0, "x", 2]], "array.1.1", "is 'x'"),
    ([[0, 1, 2], [None, 1, 2]], "array.1.0", "is None"),
    ([[0, 1, 2], [0, 1, float("nan")]], "array.1.2", "is nan"),
    ([[True, True, False]] * 2, "array.0.0", "is True"),
    ([[0, 1, 10**400]] * 2, "array.0.2", "is 1000"),
    ([[[0, 1, 2]] * 2] * 2, "array", "has 2 entries"),
    ([[0, 1, 2], 5], "array.1", "is not a list"),
    ([[[[1]]]], "array", "is nested 4 deep"),
    ([], "array", "is not a list of numbers"),
    ({"0": ROWS}, "array", "is not a list of numbers"),
    ("AAAA", "array", "is not a list of numbers"),
    (None, "array", "is not a list of numbers"),
]


@pytest.mark.parametrize(("values", "field", "said"), REFUSED)
def test_an_array_that_does_not_fit_is_refused_by_entry(
    values: object, field: str, said: str
) -> None:
    with pytest.raises(PictureError) as caught:
        from_array(values, TINY)
    assert caught.value.fields[0].field == field
    assert said in caught.value.fields[0].message
    assert caught.value.fields[0].accepted


def test_a_colour_model_takes_no_grey_array() -> None:
    with pytest.raises(PictureError, match="accepted: 3 x 32 x 32 numbers"):
        from_array(np.zeros((32, 32)).tolist(), SCENES)
