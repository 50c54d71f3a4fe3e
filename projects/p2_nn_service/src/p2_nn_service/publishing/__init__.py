"""From a trained network to a version in the registry: exported, proved, quantised, measured.

Read `publish.py` for the order of the work.
"""
