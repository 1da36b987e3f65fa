"""What is asked for and what comes of it: the data types that fetching, landing and keeping share.

A leaf: it imports nothing of the project, so that a command which asks TMDB nothing starts without an HTTP
client.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

#: The largest answer taken (bytes, unpacked). A film with all its blocks stays under 1 MB.
MAX_BODY: Final = 8 << 20
#: What is kept of a body that could not be landed (bytes).
MAX_FAILED_BODY: Final = 64 << 10
#: Ids from here on fit no bigint.
ID_LIMIT: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class Ask:
    """One resource to fetch. `full`: with the blocks that are wanted. `selected_by`: why it is asked for."""

    resource: str
    resource_id: int
    selected_by: str
    full: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What TMDB sent, to be landed as it is. `alteration`: what had to be changed for jsonb to hold it.

    `snapshot_date`: that of the run, when it has none of its own. `language`: what the answer was asked for
    in; None is TMDB's default, en-US. `lacking`: the blocks that were asked for and did not come.
    """

    resource: str
    resource_id: int
    http_status: int
    body: bytes
    selected_by: str
    alteration: str | None = None
    snapshot_date: date | None = None
    language: str | None = None
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """What could not be had: a short `reason`, the `detail` for a person, the last body or its beginning.
    `snapshot_date` as for a `Row`.
    """

    resource: str
    resource_id: int
    reason: str
    detail: str
    http_status: int | None = None
    body: bytes | None = None
    snapshot_date: date | None = None


Outcome = Row | Failure
