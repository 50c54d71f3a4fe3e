"""Where a run is written: one interface (`training/watching.py`), many sinks.

Start with `sinks.py`, which makes them by name; then `folder.py` (what the page and `compare`
read), `tensorboard.py`, `mlflow.py`, `wandb.py`.
"""
