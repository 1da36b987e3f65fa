"""What is known of a run while it goes on, for the log's lines and for whoever must hear of its end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from extractor.landing import Counts


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
