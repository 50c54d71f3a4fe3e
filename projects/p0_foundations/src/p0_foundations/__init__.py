"""Phase 0: the foundations lab; its first room profiles tables and measures drift.

The public names, loaded when first asked for: importing this package loads no pandas.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from p0_foundations.contracts import (
        Association,
        ColumnDrift,
        ColumnProfile,
        DriftReport,
        Finding,
        Kind,
        Limits,
        Predictor,
        Profile,
    )
    from p0_foundations.drawing import page_svg
    from p0_foundations.errors import (
        FoundationsError,
        ProfileFormatError,
        TableError,
        UnknownColumnError,
    )
    from p0_foundations.profiling import profile_frame
    from p0_foundations.tables import read_table

_HOMES = {
    "Association": "p0_foundations.contracts",
    "ColumnDrift": "p0_foundations.contracts",
    "ColumnProfile": "p0_foundations.contracts",
    "DriftReport": "p0_foundations.contracts",
    "Finding": "p0_foundations.contracts",
    "FoundationsError": "p0_foundations.errors",
    "Kind": "p0_foundations.contracts",
    "Limits": "p0_foundations.contracts",
    "Predictor": "p0_foundations.contracts",
    "Profile": "p0_foundations.contracts",
    "ProfileFormatError": "p0_foundations.errors",
    "TableError": "p0_foundations.errors",
    "UnknownColumnError": "p0_foundations.errors",
    "page_svg": "p0_foundations.drawing",
    "profile_frame": "p0_foundations.profiling",
    "read_table": "p0_foundations.tables",
}

__all__ = [
    "Association",
    "ColumnDrift",
    "ColumnProfile",
    "DriftReport",
    "Finding",
    "FoundationsError",
    "Kind",
    "Limits",
    "Predictor",
    "Profile",
    "ProfileFormatError",
    "TableError",
    "UnknownColumnError",
    "page_svg",
    "profile_frame",
    "read_table",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'p0_foundations' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
