import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from common.learn.progress import Progress, ProgressError


def test_what_is_marked_is_found_again(tmp_path: Path) -> None:
    Progress(tmp_path).mark("p0.pandas")
    assert "p0.pandas" in Progress(tmp_path).done()


def test_marking_twice_keeps_the_first_time(tmp_path: Path) -> None:
    progress = Progress(tmp_path)
    progress.mark("p0.pandas")
    first = progress.done()["p0.pandas"]
    progress.mark("p0.pandas")
    assert progress.done()["p0.pandas"] == first


def test_a_mark_can_be_taken_back(tmp_path: Path) -> None:
    progress = Progress(tmp_path)
    progress.mark("p0.pandas")
    progress.mark("p0.pandas", is_done=False)
    assert progress.done() == {}


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda k: Progress(tmp_path).mark(f"p0.line-{k}"), range(40)))
    assert len(Progress(tmp_path).done()) == 40


def test_a_damaged_file_is_set_aside_and_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "progress.json").write_text("{half a rec")
    Progress(tmp_path).mark("p0.pandas")
    aside = list(tmp_path.glob("progress.damaged-*.json"))
    assert [path.read_text() for path in aside] == ["{half a rec"]
    assert "p0.pandas" in json.loads((tmp_path / "progress.json").read_text())["done"]


def test_a_file_in_place_of_the_directory_is_a_clear_error(tmp_path: Path) -> None:
    blocked = tmp_path / "data"
    blocked.write_text("")
    with pytest.raises(ProgressError, match="cannot write"):
        Progress(blocked).mark("p0.pandas")
