"""Known cuts, unknown words, marks, offsets that stand where they say, and length."""

import random
import time

KNOWN = {"token", "##ization", "##ize", "##s", "un", "##believ", "##able", "play", "##ing", "a",
         "##b", "b", "i", "##\u0307", "##stanbul", ".", ",", "'", "t", "don", "x"}  # fmt: skip


def words_are_cut(module):
    for word, wanted in {
        "tokenization": ["token", "##ization"],
        "tokens": ["token", "##s"],
        "unbelievable": ["un", "##believ", "##able"],
        "play": ["play"],
        "playful": ["[UNK]"],
        "zebra": ["[UNK]"],
        "a" + "b" * 100: ["[UNK]"],
    }.items():
        got = list(module.pieces(word, KNOWN))
        assert got == wanted, f"{word[:20]!r} was cut into {got}, wanted {wanted}"


def offsets_hold(module):
    text = "Don't  Tokens, UNBELIEVABLE zebra.\n a"
    got = [tuple(one) for one in module.tokens(text, KNOWN)]
    said = [piece for piece, _, _ in got]
    wanted = ["don", "'", "t", "token", "##s", ",", "un", "##believ", "##able", "[UNK]", ".", "a"]
    assert said == wanted, f"tokens {said}, wanted {wanted}: is a mark a word of its own?"
    for piece, start, end in got:
        stands = text[start:end].lower()
        plain = piece.removeprefix("##")
        assert piece == "[UNK]" or stands == plain, f"{piece!r} is said to stand at {stands!r}"
    assert ("[UNK]", 28, 33) in got, "an unknown word stands where the word stands"
    turkish = "\u0130stanbul tokens"
    got = [tuple(one) for one in module.tokens(turkish, KNOWN)]
    assert got[-2:] == [("token", 9, 14), ("##s", 14, 15)], (
        f"after a letter that grows in lower case the offsets are {got[-2:]}"
    )
    assert got[0][1] == 0
    assert max(end for _, _, end in got[:-2]) == 8, "the pieces cover the word"


def what_fits_ends_with_a_word(module):
    text = "tokens play, tokens"
    cases = {1: "", 2: "tokens", 3: "tokens play", 4: "tokens play,", 5: "tokens play,", 6: text}
    for limit, wanted in (cases | {99: text, 0: ""}).items():
        got = module.fits(text, KNOWN, limit)
        assert got == wanted, f"of at most {limit} tokens: {got!r}, wanted {wanted!r}"
    assert module.fits("play \n ", KNOWN, 9) == "play", "white space at the end was kept"


def check(module):
    words_are_cut(module)
    offsets_hold(module)
    what_fits_ends_with_a_word(module)
    chance = random.Random(0)  # noqa: S311 - a text, no secret
    long = " ".join(chance.choice(["tokens", "play", "zebra", "a"]) for _ in range(20_000))
    start = time.process_time()
    got = module.tokens(long, KNOWN)
    assert time.process_time() - start < 10, "100,000 characters take too long"
    last = len(long) - len(long.split()[-1])
    assert [start for _, start, _ in got if start >= last][:1] == [last], "the last word is lost"
