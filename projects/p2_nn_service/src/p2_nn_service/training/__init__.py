"""The training loop and its parts; other projects train through it."""
