"""Answers that cite rightly, wrongly, nothing and what is not there."""

PASSAGES = ["The harbour opens at six.", "A ticket costs 3.5 euros.", "Dogs are welcome!"]


def run(module, answer, passages=PASSAGES, threshold=0.5, scores=None):
    seen = []

    def support(sentence, passage):
        seen.append((sentence, passage))
        assert "[" not in sentence, f"asked with its citations: {sentence!r}"
        assert sentence == sentence.strip(), f"asked with white space around: {sentence!r}"
        if scores is not None:
            return scores[passage]
        return 0.5 if sentence.rstrip(".!?") in passage else 0.1

    got = module.checked(answer, passages, support, threshold)
    assert len(set(seen)) == len(seen), "the same pair was asked twice"
    assert got["asked"] == len(seen), f"asked says {got['asked']}, it were {len(seen)}"
    return got


def expect(module, name, answer, text, withheld=(), **more):
    got = run(module, answer, **more)
    assert got["text"] == text, f"{name}: {got['text']!r}, wanted {text!r}"
    assert list(got["withheld"]) == list(withheld), f"{name}: withheld {got['withheld']}"
    return got["asked"]


def check(module):
    six, fare, dogs = PASSAGES
    none = "The documents do not say."
    n = expect(module, "a right citation", "The harbour opens at six [1].", f"{six} [1]")
    assert n == 1, f"a right citation was enough; support was asked {n} times"
    expect(module, "after the end", "The harbour opens at six.[1]", f"{six} [1]")
    two = f"{six} [1] {fare}[2]"
    expect(module, "a number with a point", two, f"{six} [1] {fare} [2]")
    expect(module, "a wrong citation", f"{fare} [1]", f"{fare} [2]")
    expect(module, "no citation", dogs, f"{dogs} [3]")
    expect(module, "one of two is right, and twice", f"{six} [3][1][1]", f"{six} [1]")
    expect(module, "an invented sentence", f"Cats fly [1]. {six} [1]", f"{six} [1]", ["Cats fly."])
    expect(module, "all invented", "Cats fly [2]. And sing.", none, ["Cats fly.", "And sing."])
    expect(module, "a passage that is not there", f"{six} [0] [9]", f"{six} [1]")
    expect(module, "no passages", f"{six} [1]", none, [six], passages=[])
    expect(module, "no end mark", "The harbour opens at six", "The harbour opens at six [1]")
    expect(module, "an empty answer", "  ", none)
    scores = dict(zip(PASSAGES, (0.6, 0.9, 0.9), strict=True))
    expect(module, "the best, the first of equals", "So it is.", "So it is. [2]", scores=scores)
    expect(module, "both support", "So [3] it is [1].", "So it is. [3] [1]", scores=scores)
    expect(module, "a higher bar", f"{six} [1]", none, [six], threshold=0.51)
