"""Why Transformers replaced recurrent networks: an experiment, whatever comes out.

Read first: `findings.py`, what is planned and found; then `quality.py`, `pace.py`, `gradients.py`
and `recall.py`, a measurement each; `experiment.py` makes them all, `verdict.py` and `plots.py` say
and draw what they show.
"""
