"""How a served model does: its inputs, its answers, its hits, beside a candidate that shadows it.

Read in this order: `contracts.py` (what a watcher is told).
"""
