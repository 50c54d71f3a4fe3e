"""Function calls without a large model: choose, fill, ask back, decline. Read first: `caller.py`."""
