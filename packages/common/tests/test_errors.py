"""The errors' own words: problem kinds, problem details, and what carries them as exceptions."""

import copy
import pickle

import pytest
from common.errors import (
    DomainError,
    FieldError,
    Problem,
    ProblemError,
    ProblemType,
    problem_error,
)
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

NO_ROOM = ProblemType("no-room", "No room", 409)
TOO_OLD = FieldError(field="rows.0.age", message="is 200", accepted="at most 150")


def test_a_domain_error_is_its_message_and_names_no_fields_unless_told() -> None:
    error = DomainError("There is no room for 3 rows.")
    assert str(error) == "There is no room for 3 rows."
    assert tuple(error.fields) == ()


def test_fields_of_one_domain_error_are_not_anothers() -> None:
    class RowError(DomainError):
        def __init__(self, *fields: FieldError) -> None:
            self.fields = fields
            super().__init__(f"{len(fields)} rows are refused.")

    assert RowError(TOO_OLD).fields == (TOO_OLD,)
    assert tuple(DomainError("another").fields) == ()
    with pytest.raises(DomainError, match="1 rows"):
        raise RowError(TOO_OLD)


def test_a_refused_field_says_where_and_what_and_stays_so() -> None:
    assert FieldError(field="age", message="is missing").accepted == ""
    with pytest.raises(ValidationError, match="message"):
        FieldError.model_validate({"field": "age"})
    with pytest.raises(ValidationError, match="frozen"):
        TOO_OLD.message = "is 100"


def test_a_kind_has_a_page_or_is_about_blank() -> None:
    assert NO_ROOM.uri == "/problems/no-room"
    assert NO_ROOM.advice == ""
    assert ProblemType("", "I'm a Teapot", 418).uri == "about:blank"  # RFC 9457, section 4.2.1


def test_a_problem_of_a_known_kind_has_its_words_its_detail_fields_and_headers() -> None:
    error = problem_error(
        NO_ROOM, "3 rows are too many.", fields=[TOO_OLD], headers={"Retry-After": "1"}
    )
    assert error.problem == Problem(
        type="/problems/no-room",
        title="No room",
        status=409,
        detail="3 rows are too many.",
        errors=[TOO_OLD],
    )
    assert error.headers == {"Retry-After": "1"}
    assert str(error) == "3 rows are too many."


def test_a_problem_without_detail_says_its_title_and_sends_no_headers() -> None:
    error = problem_error(NO_ROOM, "")
    assert (str(error), error.headers, error.problem.errors) == ("No room", {}, [])


def test_the_callers_headers_and_fields_are_not_shared_with_the_problem() -> None:
    headers, fields = {"Retry-After": "1"}, [TOO_OLD]
    error = problem_error(NO_ROOM, "full", fields=fields, headers=headers)
    headers.clear()
    fields.clear()
    assert error.headers == {"Retry-After": "1"}
    assert error.problem.errors == [TOO_OLD]


@pytest.mark.parametrize("status", [-1, 0, 99, 600])
def test_a_status_outside_http_is_refused(status: int) -> None:
    with pytest.raises(ValidationError, match="status"):
        problem_error(ProblemType("odd", "Odd", status), "No such status.")


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ("{}", "title"),
        ('{"title": "No room"}', "status"),
        ('{"title": "No room", "status": "many"}', "status"),
        ('{"title": "No room", "status": 409, "errors": [{"field": "age"}]}', "message"),
        ("[]", "Problem"),
        ("no room", "JSON"),
    ],
)
def test_what_is_no_problem_document_is_refused_by_name(document: str, named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        Problem.model_validate_json(document)


def test_members_a_service_adds_are_kept() -> None:
    """RFC 9457, section 3.2: problem types may extend the document."""
    document = '{"title": "No credit", "status": 403, "balance_usd": 30}'
    problem = Problem.model_validate_json(document)
    assert problem.type == "about:blank"
    assert problem.model_extra == {"balance_usd": 30}
    assert Problem.model_validate_json(problem.model_dump_json()) == problem


TEXT = st.text(max_size=20)
FIELD_ERRORS = st.builds(FieldError, field=TEXT, message=TEXT, accepted=TEXT)


@given(
    kind=st.builds(ProblemType, slug=TEXT, title=TEXT, status=st.integers(100, 599)),
    detail=TEXT,
    fields=st.lists(FIELD_ERRORS, max_size=3),
    headers=st.dictionaries(TEXT, TEXT, max_size=2),
)
def test_a_problem_error_survives_json_copies_and_other_processes(
    kind: ProblemType, detail: str, fields: list[FieldError], headers: dict[str, str]
) -> None:
    error = problem_error(kind, detail, fields=fields, headers=headers)
    assert Problem.model_validate_json(error.problem.model_dump_json()) == error.problem
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is ProblemError
        assert (twin.problem, twin.headers, str(twin)) == (error.problem, headers, str(error))
