"""From a file that a person brought to a typed table, and every decision on the way in words.

A decision is made once, told, and can be overridden by a schema. Read in this order:
`decisions.py` (what is told), `schema.py` (what can be said instead), `encodings.py`, `layout.py`,
`delimited.py`, `other_forms.py` (files into pieces), `reservoir.py` (pieces into what memory may
hold), `kinds.py` (columns into numbers, dates and texts). `tables.py`, one floor up, joins them.
"""
