from p3_rag_chatbot.generating.slots import Reading, Slots

FIRST = Reading("user: hello there, assistant:")
NEXT = Reading("user: hello there, assistant: hi user: and now? assistant:")
OTHER = Reading("system: be short user: why? assistant:")


def test_a_chat_that_goes_on_gets_the_slot_it_had() -> None:
    slots = Slots(4)
    first, _ = slots.take(FIRST)
    slots.leave(first, FIRST)
    assert slots.take(NEXT) == (first, [])


def test_a_chat_that_begins_has_the_paused_ones_forgotten() -> None:
    slots = Slots(3)
    paused = [slots.take(one)[0] for one in (FIRST, OTHER)]
    for slot, one in zip(paused, (FIRST, OTHER), strict=True):
        slots.leave(slot, one)
    slot, emptied = slots.take(Reading("another"))
    assert emptied == paused
    taken = [slot, *(slots.take(OTHER)[0] for _ in range(2))]
    assert sorted(taken) == [0, 1, 2]


def test_another_adapter_does_not_go_on_from_there() -> None:
    slots = Slots(4)
    first, _ = slots.take(FIRST)
    slots.leave(first, FIRST)
    _, emptied = slots.take(Reading(NEXT.prompt, "grounded"))
    assert emptied == [first]


def test_with_one_slot_a_paused_chat_makes_way() -> None:
    slots = Slots(1)
    slots.leave(slots.take(FIRST)[0], FIRST)
    assert slots.take(OTHER) == (0, [0])
