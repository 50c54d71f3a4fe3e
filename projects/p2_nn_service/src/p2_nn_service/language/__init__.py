"""Language models of characters, and the experiment why Transformers replaced recurrent networks.

Read first: `texts.py`, then `networks.py`, `training.py` and `sampling.py`; `why/` measures.
"""
