"""What is known of a run while it goes on, for the log's lines and for whoever must hear of its end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

#: A run with a larger share of failures than this has failed.
TOLERATED: Final = 0.01


@dataclass(frozen=True)
class Counts:
    """The ledger's counts; `bytes` of JSON text.

    `partial`: of those landed, films that came without the blocks asked for. `kept`: rows not written,
    because the landing zone has a fuller one of the same day, or (a load) that very one.
    """

    requested: int = 0
    landed: int = 0
    not_found: int = 0
    failed: int = 0
    retried: int = 0
    bytes: int = 0
    partial: int = 0
    kept: int = 0

    def __str__(self) -> str:
        partial = f" ({self.partial:,} of them without the blocks asked for)" if self.partial else ""
        kept = f" {self.kept:,} kept as they were," if self.kept else ""
        return (
            f"{self.landed:,} landed{partial}, {self.not_found:,} gone (404), {self.failed:,} failed,{kept}"
            f" {self.retried:,} retries, {self.bytes / 1e6:,.1f} MB"
        )

    @property
    def done(self) -> int:
        """Resources that have come to an end, good or bad."""
        return self.landed + self.not_found + self.failed + self.kept

    def too_many_failed(self) -> str | None:
        """What to say when so many of the requested failed that the run has failed."""
        if self.failed <= TOLERATED * self.requested:
            return None
        return (
            f"{self.failed:,} of {self.requested:,} could not be landed, more than {TOLERATED:.0%}"
            " (raw.extract_failure has each with its reason; extractor status sums them up)"
        )


@dataclass
class Report:
    """A run as far as it has come; `mode` and `run_id` are None until they are known."""

    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    mode: str | None = None
    snapshot_date: date | None = None
    run_id: int | None = None
    _counts: Callable[[], Counts] | None = None

    def follow(self, run_id: int, counts: Callable[[], Counts]) -> None:
        """The ledger has opened the run; `counts` gives its counts at any time."""
        self.run_id = run_id
        self._counts = counts

    @property
    def counts(self) -> Counts:
        """The run's counts now; zeros before it has begun."""
        return self._counts() if self._counts else Counts()
