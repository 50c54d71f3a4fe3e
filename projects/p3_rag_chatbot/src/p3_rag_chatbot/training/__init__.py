"""Fine-tuning the adapters, through P2's training loop. Needs the extra `train`.

The reader: `examples.py` (what is learned from), `refusals.py` (questions without an answer),
`reader_batches.py`, `reader_network.py`, `reader_training.py`.
"""
