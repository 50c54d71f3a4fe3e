"""What an expert looks at when a network does not learn, each look a function with a verdict.

The order of work is that of Karpathy, "A Recipe for Training Neural Networks" (2019): the data
first, then the start, one batch by heart, what flows where, and the rate. Read next:
`examining.py`, which runs the checks, and `subject.py`, what a check is given.
"""
