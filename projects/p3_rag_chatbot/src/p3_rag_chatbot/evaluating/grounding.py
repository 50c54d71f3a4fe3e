"""How far answers rest on what was retrieved: each sentence against the passages, by the reader.

Of answers without documents too (`free`), which are held against what a search finds for their
question: so the difference that documents make can be told in one figure.
"""

from collections.abc import Sequence

from p3_rag_chatbot.answering.checking import Checker
from p3_rag_chatbot.contracts import Passage, SearchRequest
from p3_rag_chatbot.evaluating.figures import Grounds
from p3_rag_chatbot.evaluating.running import Outcome
from p3_rag_chatbot.ports import Reader, Searches
from p3_rag_chatbot.sentences import sentence_spans

N_PASSAGES = 5


def grounds_of(
    outcome: Outcome, collection: str, searches: Searches, reader: Reader, threshold: float
) -> Grounds:
    """Check an answer's sentences, citations left aside: any retrieved passage may support one."""
    if outcome.error or outcome.is_refused:
        return Grounds(0, 0)
    passages = outcome.passages[:N_PASSAGES] or _found(outcome, collection, searches)
    return check_text(outcome.text, passages, reader, threshold)


def check_text(text: str, passages: Sequence[Passage], reader: Reader, threshold: float) -> Grounds:
    """Count the statements of a text, and those that a passage supports."""
    checker = Checker(reader, passages, threshold)
    bare = text.replace("**", "").replace("\\", "")
    checks = [
        check
        for start, end in sentence_spans(bare)
        if (check := checker.check_against_all(bare[start:end])) is not None
    ]
    return Grounds(len(checks), sum(one.is_supported for one in checks))


def _found(outcome: Outcome, collection: str, searches: Searches) -> list[Passage]:
    request = SearchRequest(query=outcome.asked.question, collection=collection, k=N_PASSAGES)
    return [hit.passage for hit in searches.search(request).hits]
