"""Memory that is free again inside this process, given back to the system."""

import ctypes


def give_back_memory() -> None:
    """Give back what was freed: after work that needs much more than it leaves, such as loading.

    glibc keeps freed memory for what comes next, which here is never as large again. Other C
    libraries have no such call and are left alone.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
