"""One file per format: `read(content, builder, limits)` turns bytes into blocks of a document.

They run in a process of their own (`ingestion/worker.py`), and are imported there when first
needed. What a person can mend is an `UnreadableError`; any other exception is a broken file.
"""
