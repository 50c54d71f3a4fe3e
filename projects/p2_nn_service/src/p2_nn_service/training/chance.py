"""Seeds made from what they are for, so that nothing about chance has to be remembered."""

import numpy as np
import torch


def seed_of(*parts: int) -> int:
    """Mix a few whole numbers to a seed; near parts give unlike seeds."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def generator_of(*parts: int) -> torch.Generator:
    """Return a generator on the processor, seeded from the parts."""
    return torch.Generator().manual_seed(seed_of(*parts))
