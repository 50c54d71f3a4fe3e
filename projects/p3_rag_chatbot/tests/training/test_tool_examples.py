"""Function calls become conversations: a request, the function that it wants, what it says."""

import json
from pathlib import Path

from p3_rag_chatbot.training.tool_examples import read_tool_tasks, tool_chats

TOOLS = [
    {
        "api_name": name,
        "api_description": f"Does {name}",
        "parameters": {"city": {"type": "str", "description": "The city"}},
        "required": ["city"],
    }
    for name in ("getWeather", "bookHotel")
]
ROWS = [
    {"id": "1", "query": "Weather in Rome", "calling": [
        {"api": "getWeather", "parameters": {"city": "Rome"}},
        {"api": "bookHotel", "parameters": {"city": "API_call_0"}},
    ]},
    {"id": "2", "query": "Do it", "calling": [{"api": "unknown", "parameters": {}}]},
]  # fmt: skip


def written(folder: Path) -> Path:
    seal = folder / "sealtools" / "Seal-Tools_Dataset"
    seal.mkdir(parents=True)
    (seal / "tool.jsonl").write_text("\n".join(json.dumps(one) for one in TOOLS))
    (seal / "dev.jsonl").write_text("\n".join(json.dumps(one) for one in ROWS))
    for name in ("test_in_domain.jsonl", "test_out_domain.jsonl"):
        (seal / name).write_text("")
    return folder


def test_calls_that_need_a_result_or_an_unknown_function_are_left_out(tmp_path: Path) -> None:
    (task,) = read_tool_tasks(written(tmp_path))
    assert (task.function.name, task.arguments) == ("getWeather", {"city": "Rome"})


def test_a_conversation_shows_the_wanted_function_and_answers_with_what_is_said(
    tmp_path: Path,
) -> None:
    (chat,) = tool_chats(read_tool_tasks(written(tmp_path)))
    assert "getWeather: Does getWeather\n  city (string): The city" in chat.system
    assert json.loads(chat.answer) == {"city": "Rome"}


def test_turns_with_slots_are_held_out_one_by_one_and_say_no_moments(tmp_path: Path) -> None:
    turns = [("Jazz in Rome", "Rome"), ("Opera in Oslo on Friday", "Oslo")]
    rows = [
        {"q": "city: City of the event (find events)", "c": turn, "s": turn.index(city),
         "e": turn.index(city) + len(city)}
        for turn, city in turns
    ]  # fmt: skip
    rows.append({"q": "date: Date of the event (find events)", "c": turns[1][0], "s": 17, "e": 23})
    (tmp_path / "sgd_slot_spans.jsonl").write_text("\n".join(json.dumps(one) for one in rows))
    first, second = read_tool_tasks(tmp_path)
    assert (first.arguments, second.arguments) == ({"city": "Rome"}, {"city": "Oslo"})
    assert second.function.name == "find_events"
    assert first.group != second.group
