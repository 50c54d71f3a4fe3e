"""How a served model does: its inputs, its answers, its hits, beside a candidate that shadows it.

Read in this order: `contracts.py` (what a watcher is told), `monitor.py` (the order of the work),
then what it names. `learning.py` writes at publishing what rows are compared with.
"""
