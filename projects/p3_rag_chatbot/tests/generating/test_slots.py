from p3_rag_chatbot.generating.slots import Reading, Slots

FIRST = Reading("user: hello there, assistant:")
NEXT = Reading("user: hello there, assistant: hi user: and now? assistant:")
OTHER = Reading("system: be short user: why? assistant:")


def test_a_chat_that_goes_on_gets_the_slot_it_had() -> None:
    slots = Slots(4)
    first = slots.take(FIRST)
    assert not slots.leave(first, FIRST)
    other = slots.take(OTHER)
    assert other != first
    assert slots.take(NEXT) == first


def test_another_adapter_does_not_go_on_from_there() -> None:
    slots = Slots(4)
    slots.leave(first := slots.take(FIRST), FIRST)
    assert slots.take(Reading(NEXT.prompt, "grounded")) != first


def test_of_many_paused_chats_the_last_is_kept_and_the_slots_of_the_others_are_free() -> None:
    slots = Slots(3)
    readings = [Reading(f"{k} " * 20) for k in range(3)]
    taken = [slots.take(one) for one in readings]
    assert sorted(taken) == [0, 1, 2]
    forgotten = [
        slot
        for number, one in zip(taken, readings, strict=True)
        for slot in slots.leave(number, one)
    ]
    assert forgotten == taken[:2]
    assert sorted(slots.take(OTHER) for _ in range(3)) == [0, 1, 2]


def test_with_one_slot_a_paused_chat_makes_way() -> None:
    slots = Slots(1)
    assert not slots.leave(slots.take(FIRST), FIRST)
    assert slots.take(OTHER) == 0
