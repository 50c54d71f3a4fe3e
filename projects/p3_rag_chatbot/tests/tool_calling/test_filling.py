"""Arguments are found by type and description, and what was not said is missing."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from p3_rag_chatbot.fakes import FakeEmbedder, FakeReader
from p3_rag_chatbot.openai_contracts import FunctionSpec
from p3_rag_chatbot.tool_calling.dates import dates_in, stated_today, times_in, written_time
from p3_rag_chatbot.tool_calling.filling import Filled, MentionFiller
from p3_rag_chatbot.tool_calling.finding import Said
from p3_rag_chatbot.tool_calling.numbers import numbers_in
from p3_rag_chatbot.tool_calling.schemas import Function, read_function

TODAY = date(2026, 11, 25)
CITY = {"type": "string", "description": "The city in the format 'City, State', e.g. 'Austin, TX'."}
DAY = {"type": "string", "description": "Day of travel in the format 'MM/DD/YYYY'."}


def function(properties: dict[str, Any], required: tuple[str, ...] = ()) -> Function:
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    return read_function(FunctionSpec(name="do_it", description="Does it.", parameters=parameters))


def filled(text: str, properties: dict[str, Any], required: tuple[str, ...] = ()) -> Filled:
    return MentionFiller(FakeEmbedder()).fill(Said(text, TODAY), function(properties, required))


def test_a_journey_is_filled_by_the_words_around_its_places_and_its_date() -> None:
    found = filled(
        "Two tickets from New York to Sacramento on March 13th, 2027, please",
        {"origin": CITY, "destination": CITY, "day": DAY, "tickets": {"type": "integer"}},
        ("origin", "destination", "day", "tickets"),
    )
    assert found == Filled(
        {
            "origin": "New York, NY",
            "destination": "Sacramento, CA",
            "day": "03/13/2027",
            "tickets": 2,
        },
        n_said=4,
    )


def test_what_is_required_and_not_said_is_missing_and_what_is_optional_is_left_out() -> None:
    properties = {"day": DAY, "city": CITY, "unit": {"type": "string", "default": "celsius"}}
    found = filled("What will the weather be like?", properties, ("day",))
    assert found.arguments == {}
    assert [one.name for one in found.missing] == ["day"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("turn it on without sound", False),
        ("turn it on with sound", True),
        ("turn it on", None),
    ],
)
def test_a_flag_is_true_false_or_left_out(text: str, expected: bool | None) -> None:
    found = filled(text, {"with_sound": {"type": "boolean", "default": True}})
    assert found.arguments.get("with_sound") is expected


def test_choices_are_found_by_their_words_and_by_what_the_description_calls_them() -> None:
    unit = {
        "type": "string",
        "enum": ["metric", "imperial"],
        "description": "'metric' for Celsius, 'imperial' for Fahrenheit",
    }
    kind = {"type": "string", "enum": ["Sedan", "SUV"]}
    found = filled("an SUV, and the weather in fahrenheit", {"unit": unit, "car": kind})
    assert found.arguments == {"unit": "imperial", "car": "SUV"}


def test_numbers_are_converted_to_the_unit_that_is_asked_for() -> None:
    wait = {"type": "integer", "description": "How long to wait, in seconds."}
    assert filled("wait up to 10 minutes", {"wait": wait}, ("wait",)).arguments == {"wait": 600}


def test_lists_and_nested_objects_are_filled() -> None:
    body = {"type": "object", "properties": {"email": {"type": "string"}}, "required": ["email"]}
    numbers = {"type": "array", "items": {"type": "integer"}}
    found = filled(
        "add 3, 5 and 8 and tell ann@example.org",
        {"body": body, "numbers": numbers},
        ("body", "numbers"),
    )
    assert found.arguments == {"body": {"email": "ann@example.org"}, "numbers": [3, 5, 8]}


def test_the_reader_finds_a_word_that_no_form_marks() -> None:
    drink = {"drink": {"type": "string", "description": "The drink ordered."}}
    text = "I ordered the drink lemonade yesterday"
    without = MentionFiller(FakeEmbedder()).fill(Said(text, TODAY), function(drink, ("drink",)))
    with_reader = MentionFiller(FakeEmbedder(), FakeReader()).fill(
        Said(text, TODAY), function(drink, ("drink",))
    )
    assert [one.name for one in without.missing] == ["drink"]
    assert with_reader.arguments == {"drink": "lemonade"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on 2027-01-02", date(2027, 1, 2)),
        ("the 4th of march 2027", date(2027, 3, 4)),
        ("March 3", date(2027, 3, 3)),  # the next one
        ("tomorrow", date(2026, 11, 26)),
        ("next Tuesday", date(2026, 12, 1)),
        ("on 31.12.2026", date(2026, 12, 31)),
    ],
)
def test_dates_are_read_in_many_forms(text: str, expected: date) -> None:
    assert [one.value for one in dates_in(text, TODAY)] == [expected]


def test_a_date_that_is_not_one_is_no_date() -> None:
    assert dates_in("on February 31st, 2027", TODAY) == []


def test_the_request_may_say_which_day_it_is() -> None:
    assert stated_today("Today is tuesday 2023.10.10", TODAY) == date(2023, 10, 10)


def test_times_are_written_as_the_description_shows() -> None:
    at = times_in("at half past four in the afternoon, or 4:30 pm")[-1].value
    assert written_time(at, "24-hour HH:MM") == "16:30"  # pyrefly: ignore [bad-argument-type]


@given(st.integers(0, 10**9))
def test_a_number_is_read_as_it_is_written_with_and_without_separators(value: int) -> None:
    assert [one.value for one in numbers_in(f"take {value} of them")] == [value]
    assert [one.value for one in numbers_in(f"take {value:,} of them")] == [value]


@pytest.mark.parametrize("text", ["one hundred and " * 250, "9" * 400, "take 1e999", "Aa " * 1300])
def test_absurd_numbers_and_endless_texts_are_left_alone(text: str) -> None:
    found = filled(text, {"n": {"type": "integer"}}, ("n",))
    assert [one.name for one in found.missing] == ["n"]


@given(st.text(max_size=200))
def test_no_text_breaks_the_filler(text: str) -> None:
    properties = {
        "day": DAY, "city": CITY, "n": {"type": "integer"}, "x": {"type": "number"},
        "items": {"type": "array", "items": {"type": "string"}}, "message": {"type": "string"},
    }  # fmt: skip
    found = filled(text, properties, tuple(properties))
    assert {one.name for one in found.missing} | set(found.arguments) == set(properties)
