"""The keys of the advisory locks in the warehouse's database: what two at once would break is done by one."""

from typing import Final

EXTRACTION: Final = int.from_bytes(b"tmdb-elt", "big")
"""Held by whoever writes to the landing zone."""

DAY: Final = int.from_bytes(b"tmdb-day", "big")
"""Held by whoever builds the tables: `make elt`, `make dbt`."""
