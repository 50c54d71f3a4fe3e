"""Accuracy against cost: runs and their variants side by side.

Read `table.py` (what is compared; no torch), then `variants.py` (fp32, bf16, int8, pruned and
distilled graphs of a run, measured) and `plots.py`.
"""
