"""The generator: a small language model in this process, or any other behind the same port."""
