"""Freed memory kept for the next step instead of being given back to the system.

A step of a network allocates the same large tensors as the step before. glibc maps each anew and
returns it when freed, and the kernel clears every page again: a tenth of a CNN step and more.
"""

import ctypes
import sys
from contextlib import suppress

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # malloc.h
_SETTINGS = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 512 * 2**20}


def keep_freed_memory() -> bool:
    """Tell glibc's allocator (`mallopt(3)`), for the whole process; false where there is none.

    For a process that trains and ends: what it once needed it holds.
    """
    if not sys.platform.startswith("linux"):
        return False
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        accepted = [mallopt(option, value) == 1 for option, value in _SETTINGS.items()]
        return all(accepted)
    return False
