"""Word pieces: greedy, the longest first."""


def pieces(word, vocabulary):
    """Return the pieces of one word."""
    found, rest = [], word
    while rest:
        for end in range(len(rest), 0, -1):
            piece = rest[:end] if not found else "##" + rest[:end]
            if piece in vocabulary:
                found.append(piece)
                rest = rest[end:]
                break
        else:
            return [*found, "[UNK]"]
    return found


def tokens(text, vocabulary):
    """Return (piece, start, end) of each token."""
    found, at = [], 0
    for word in text.lower().split():
        start = text.lower().index(word, at)
        for piece in pieces(word, vocabulary):
            found.append((piece, start, start + len(piece)))
            start += len(piece)
        at = start
    return found


def fits(text, vocabulary, limit):
    """Return the longest start of the text that has at most `limit` tokens."""
    return text[: tokens(text, vocabulary)[limit - 1][2]]
