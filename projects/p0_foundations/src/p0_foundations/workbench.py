"""Where the service does its heavy work: files in worker threads, so many at once, so many waiting.

Knows no HTTP. A worker that has begun runs to its end, so that an abandoned request never leaves
more work behind than the limit allows. Read next: `api.py` and `mcp_tools.py`, which call it.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import anyio
from anyio import to_thread

from p0_foundations.contracts import DriftReport, Profile
from p0_foundations.errors import BusyError, TableTooLargeError
from p0_foundations.reading.schema import FileSchema, TableSchema
from p0_foundations.settings import Settings

Answer = TypeVar("Answer")


class Workbench:
    """Profiles and compares tables, or does other work named by `does`, off the event loop."""

    def __init__(self, settings: Settings, *, does: str = "tables") -> None:
        self._settings = settings
        self._does = does
        self._limiter = anyio.CapacityLimiter(settings.max_profiles_at_once)
        self._most_waiting = settings.max_profiles_waiting

    async def profile(
        self, path: Path, *, name: str, target: str | None = None, encoding: str = ""
    ) -> Profile:
        """Profile the table in a file; `name` is what its owner calls it."""
        return await self.run(lambda: self._profile(path, name, target, encoding))

    async def profile_text(self, csv_text: str, *, name: str, target: str | None = None) -> Profile:
        """Profile a table given as CSV text."""
        data = csv_text.encode("utf-8", "surrogatepass")
        if len(data) > self._settings.max_inline_bytes:
            raise TableTooLargeError(
                f"{name} is {len(data):,} bytes; at most {self._settings.max_inline_bytes:,} can "
                "be given as text: upload a file to /v1/profile instead"
            )
        return await self.run(lambda: self._profile_bytes(data, name, target))

    async def compare(self, before: Profile, after: Profile) -> DriftReport:
        """Compare a later table with a reference."""
        return await self.run(lambda: before.drift(after))

    @property
    def n_waiting(self) -> int:
        """How many wait for a worker now."""
        return self._limiter.statistics().tasks_waiting

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Run `work` in a thread when one is free; `BusyError` when too many wait already."""
        is_free = self._limiter.available_tokens > 0
        if not is_free and self.n_waiting >= self._most_waiting:
            raise BusyError(
                f"every worker for {self._does} is busy, and the line behind them is full; "
                "try again in a moment"
            )
        return await to_thread.run_sync(work, limiter=self._limiter)

    def _profile_bytes(self, data: bytes, name: str, target: str | None) -> Profile:
        with tempfile.TemporaryDirectory(prefix="p0-") as folder:
            path = Path(folder) / "table"
            path.write_bytes(data)
            return self._profile(path, name, target, "")

    def _profile(self, path: Path, name: str, target: str | None, encoding: str) -> Profile:
        from p0_foundations.profiling import profile_frame  # noqa: PLC0415 - pandas at first use
        from p0_foundations.tables import Holding, open_table  # noqa: PLC0415 - pandas, too

        holding = Holding(max_rows=self._settings.max_rows, max_columns=self._settings.max_columns)
        schema = TableSchema(file=FileSchema(encoding=encoding))
        table = open_table(path, name=name, schema=schema, holding=holding)
        return profile_frame(table.frame, target=target, reading=table.reading)
