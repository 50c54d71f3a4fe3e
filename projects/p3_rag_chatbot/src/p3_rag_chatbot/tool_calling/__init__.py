"""Function calls without a large model: choose, fill, ask, decline. Read first: `caller.py`."""
