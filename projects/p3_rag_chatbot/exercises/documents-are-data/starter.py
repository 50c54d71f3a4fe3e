"""A prompt in which documents stay data."""


def messages(question, passages, history=(), limit=2000):
    """Return the messages for a chat model."""
    shown = "\n".join(
        f"<passage {number}>\n{title}\n{text}\n</passage {number}>"
        for number, (title, text) in enumerate(passages, 1)
    )
    rules = f"Answer from these passages, cite them like [1]:\n{shown}"[:limit]
    said = [{"role": role, "content": text} for role, text in history]
    return [{"role": "system", "content": rules}, *said, {"role": "user", "content": question}]
