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
        SchemaError,
        TableError,
        UnknownColumnError,
    )
    from p0_foundations.profiling import profile_frame
    from p0_foundations.reading.decisions import ColumnReading, Reading
    from p0_foundations.reading.schema import (
        ColumnSchema,
        FileSchema,
        TableSchema,
        load_schema,
        parse_schema,
        written,
    )
    from p0_foundations.tables import Holding, Table, open_table, read_table, type_frame

_HOMES = {
    "Association": "p0_foundations.contracts",
    "ColumnDrift": "p0_foundations.contracts",
    "ColumnProfile": "p0_foundations.contracts",
    "ColumnReading": "p0_foundations.reading.decisions",
    "ColumnSchema": "p0_foundations.reading.schema",
    "DriftReport": "p0_foundations.contracts",
    "FileSchema": "p0_foundations.reading.schema",
    "Finding": "p0_foundations.contracts",
    "FoundationsError": "p0_foundations.errors",
    "Holding": "p0_foundations.tables",
    "Kind": "p0_foundations.contracts",
    "Limits": "p0_foundations.contracts",
    "Predictor": "p0_foundations.contracts",
    "Profile": "p0_foundations.contracts",
    "ProfileFormatError": "p0_foundations.errors",
    "Reading": "p0_foundations.reading.decisions",
    "SchemaError": "p0_foundations.errors",
    "Table": "p0_foundations.tables",
    "TableError": "p0_foundations.errors",
    "TableSchema": "p0_foundations.reading.schema",
    "UnknownColumnError": "p0_foundations.errors",
    "load_schema": "p0_foundations.reading.schema",
    "open_table": "p0_foundations.tables",
    "page_svg": "p0_foundations.drawing",
    "parse_schema": "p0_foundations.reading.schema",
    "profile_frame": "p0_foundations.profiling",
    "read_table": "p0_foundations.tables",
    "type_frame": "p0_foundations.tables",
    "written": "p0_foundations.reading.schema",
}

__all__ = [
    "Association",
    "ColumnDrift",
    "ColumnProfile",
    "ColumnReading",
    "ColumnSchema",
    "DriftReport",
    "FileSchema",
    "Finding",
    "FoundationsError",
    "Holding",
    "Kind",
    "Limits",
    "Predictor",
    "Profile",
    "ProfileFormatError",
    "Reading",
    "SchemaError",
    "Table",
    "TableError",
    "TableSchema",
    "UnknownColumnError",
    "load_schema",
    "open_table",
    "page_svg",
    "parse_schema",
    "profile_frame",
    "read_table",
    "type_frame",
    "written",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'p0_foundations' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
