import asyncio

from hypothesis import given
from hypothesis import strategies as st
from p3_rag_chatbot.generating.room import Room


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_chats_enter_while_there_is_room_and_others_in_their_order() -> None:
    async def work() -> list[str]:
        room, told = Room(2, 100), []

        async def chat(name: str, n: int) -> None:
            await room.enter(n)
            told.append(name)

        tasks = [asyncio.create_task(chat(*one)) for one in (("a", 60), ("b", 60), ("c", 10))]
        await settle()
        assert told == ["a"]  # c would fit, and waits its turn
        assert room.n_waiting == 2
        room.leave(60)
        await settle()
        assert told == ["a", "b", "c"][: len(told)]
        room.leave(60)
        await asyncio.gather(*tasks)
        return told

    assert asyncio.run(work()) == ["a", "b", "c"]


def test_one_who_gives_up_waiting_lets_the_next_in() -> None:
    async def work() -> None:
        room = Room(4, 100)
        await room.enter(50)
        large = asyncio.create_task(room.enter(90))
        small = asyncio.create_task(room.enter(40))
        await settle()
        large.cancel()
        await asyncio.wait_for(small, 1)
        assert room.fits(10)
        assert not room.fits(11)

    asyncio.run(work())


@given(
    st.lists(st.tuples(st.integers(1, 50), st.booleans()), max_size=30),
    st.randoms(use_true_random=False),
)
def test_all_room_is_there_again_when_everybody_has_left(chats, chance) -> None:
    async def one(room: Room, n: int) -> None:
        await room.enter(n)
        try:
            await asyncio.sleep(0)
        finally:
            room.leave(n)

    async def work() -> None:
        room = Room(3, 60)
        tasks = [(asyncio.create_task(one(room, n)), gives_up) for n, gives_up in chats]
        chance.shuffle(tasks)
        for task, gives_up in tasks:
            await asyncio.sleep(0)
            if gives_up:
                task.cancel()
        await asyncio.gather(*(task for task, _ in tasks), return_exceptions=True)
        assert room.n_waiting == 0
        assert room.fits(60) or not chats
        for _ in range(3):
            await asyncio.wait_for(room.enter(20), 1)
        assert not room.fits(1)

    asyncio.run(work())
