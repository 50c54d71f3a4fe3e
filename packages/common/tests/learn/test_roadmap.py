from pathlib import Path

import pytest
from common.learn.roadmap import Line, Roadmap, RoadmapError, Status, load_roadmap, weekly_checklist
from hypothesis import given
from hypothesis import strategies as st


def test_the_roadmap_holds_six_phases_and_every_line_has_an_id_of_its_phase() -> None:
    roadmap = load_roadmap()
    assert [phase.number for phase in roadmap.phases] == list(range(6))
    for phase in roadmap.phases:
        assert all(line.id.startswith(f"{phase.slug}.") for line in phase.lines)


@given(weeks=st.lists(st.integers(1, 40), min_size=6, max_size=6))
def test_every_line_falls_in_exactly_one_week(weeks: list[int]) -> None:
    roadmap = load_roadmap()
    phases = tuple(
        phase.model_copy(update={"n_weeks": n})
        for phase, n in zip(roadmap.phases, weeks, strict=True)
    )
    plan = weekly_checklist(roadmap.model_copy(update={"phases": phases}))
    assert [week.number for week in plan] == list(range(1, sum(weeks) + 1))
    assert [line.id for week in plan for line in week.lines] == [line.id for line in roadmap.lines]


def test_a_built_line_must_name_its_file_and_command() -> None:
    with pytest.raises(ValueError, match="must name its file"):
        Line(id="p0.vectors", text="Vectors", status=Status.BUILT)


def test_a_planned_line_may_not_claim_a_command() -> None:
    with pytest.raises(ValueError, match="may not name"):
        Line(id="p0.vectors", text="Vectors", status=Status.PLANNED, command="p0-foundations")


def test_an_id_used_twice_is_refused() -> None:
    data = load_roadmap().model_dump()
    data["phases"][0]["topics"] = (data["phases"][0]["topics"][0],) * 2
    with pytest.raises(ValueError, match=r"p0\.vectors"):
        Roadmap.model_validate(data)


def test_an_outcome_with_an_unknown_criterion_is_refused() -> None:
    data = load_roadmap().model_dump()
    data["outcomes"][0]["criteria"] = ("p9.flying",)
    with pytest.raises(ValueError, match=r"p9\.flying"):
        Roadmap.model_validate(data)


@pytest.mark.parametrize("text", ["title = ", 'title = "only this"'])
def test_a_file_that_is_no_roadmap_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "roadmap.toml"
    path.write_text(text)
    with pytest.raises(RoadmapError, match="is not a roadmap"):
        load_roadmap(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RoadmapError, match="cannot read"):
        load_roadmap(tmp_path / "none.toml")
