"""What is kept: collections, documents with their text, chunks with their vectors, feedback.

Start with `library.py` (`Library`); `documents.py` says what goes in, `tables.py` how it lies.
Indices are built from here and can be thrown away: see `retrieval/`.
"""
