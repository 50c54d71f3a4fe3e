"""From a question to an answer that says where it comes from.

`rag_model.py` is the way of a question: `follow_ups.py` makes it stand alone, the search finds
passages, then one of three depths answers: `extracting.py`, `generating.py`, or the bare model.
`checking.py` holds each generated sentence against what it cites.
"""
