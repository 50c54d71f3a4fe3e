"""Word pieces: greedy, the longest first."""

UNKNOWN = "[UNK]"


def pieces(word, vocabulary):
    """Return the pieces of one word, or that it is unknown as a whole."""
    if len(word) > 100:
        return [UNKNOWN]
    found, at = [], 0
    while at < len(word):
        mark = "##" if at else ""
        ends = (end for end in range(len(word), at, -1) if mark + word[at:end] in vocabulary)
        end = next(ends, None)
        if end is None:
            return [UNKNOWN]
        found.append(mark + word[at:end])
        at = end
    return found


def words(text):
    """Yield (start, end) of each word and of each mark."""
    start = None
    for at, character in enumerate(text):
        if character.isalnum():
            start = at if start is None else start
            continue
        if start is not None:
            yield start, at
            start = None
        if not character.isspace():
            yield at, at + 1
    if start is not None:
        yield start, len(text)


def tokens(text, vocabulary):
    """Return (piece, start, end) of each token."""
    found = []
    for start, end in words(text):
        # Of each lowered character: which character of the text it came from.
        lowered = [(low, at) for at in range(start, end) for low in text[at].lower()]
        cut = pieces("".join(low for low, _ in lowered), vocabulary)
        if cut == [UNKNOWN]:
            found.append((UNKNOWN, start, end))
            continue
        k = 0
        for piece in cut:
            n = len(piece.removeprefix("##")) if k else len(piece)
            begin = lowered[k][1]
            k += n
            found.append((piece, begin, lowered[k][1] if k < len(lowered) else end))
    return found


def fits(text, vocabulary, limit):
    """Return the longest start of the text of whole words that has at most `limit` tokens."""
    n, kept = 0, 0
    for start, end in words(text):
        n += len(tokens(text[start:end], vocabulary))
        if n > limit:
            break
        kept = end
    return text[:kept]
