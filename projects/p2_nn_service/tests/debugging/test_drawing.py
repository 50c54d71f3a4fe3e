from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from p2_nn_service.debugging.drawing import draw, write_pngs
from p2_nn_service.debugging.findings import (
    Bars,
    Drawing,
    Finding,
    Histograms,
    Lines,
    Report,
    Thumbnails,
)

DRAWINGS: list[Drawing] = [
    Lines(
        title="t", x_title="x", y_title="y", x=(1, 10, 100), curves={"a": (3, 2), "b": (1, 2, 3)},
        marks={"here": 10}, is_x_log=True, is_y_log=True,
    ),
    Bars(title="t", y_title="y", bars={"one": 1e-9, "two": 0.0, "three": 3.0}, is_y_log=True),
    Histograms(title="t", x_title="x", edges=(0, 1, 2), counts={"one": (3, 4), "two": (0, 0)}),
    Thumbnails(title="t", captions=("grey",), images=((((0,), (255,)), ((9,), (8,))),)),
    Thumbnails(title="t", captions=("red",), images=((((255, 0, 0), (255, 0, 0)),),)),
]  # fmt: skip


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda one: one.kind)
def test_every_kind_is_drawn_with_ink_on_it(drawing: Drawing) -> None:
    figure = draw(drawing)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())
    assert (pixels != 255).any()


def test_pictures_of_a_finding_are_numbered_where_there_are_several(tmp_path: Path) -> None:
    findings = (
        Finding(code="one", severity="ok", verdict="", drawings=(DRAWINGS[1],)),
        Finding(code="two", severity="ok", verdict="", drawings=(DRAWINGS[1], DRAWINGS[2])),
    )
    report = Report(subject="s", verdict="v", findings=findings, seconds=1)
    written = write_pngs(report, tmp_path / "new")
    assert [path.name for path in written] == ["one.png", "two-1.png", "two-2.png"]
    assert all(path.is_file() for path in written)
