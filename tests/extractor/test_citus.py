"""The landing zone on Citus, of which a stub on plain PostgreSQL has the functions: the branch for it runs,
with the same rows; and no statement has a form that Citus refuses.
"""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from demo.server import StandIn
from extractor import landing
from extractor.choice import films
from extractor.keeping import dump, prune, status
from extractor.schema import MIGRATIONS
from tests.extractor.conftest import DAY, Extract, Program, Zone

STUB = (Path(__file__).parents[1] / "citus_stub.sql").read_bytes()


def stub(zone: Zone) -> None:
    with zone.connection() as connection:
        connection.execute(STUB)


def placed(zone: Zone) -> list[tuple[str, str]]:
    return zone.rows("select logicalrelid::text, partkey from pg_dist_partition")


def test_a_new_landing_zone_is_spread_by_film(extract: Extract, tmdb: StandIn, zone: Zone) -> None:
    extract(pages=3)
    plain = zone.fingerprint()
    zone.execute("drop schema raw cascade")
    stub(zone)
    extract(pages=3)
    assert placed(zone) == [("raw.tmdb_response", "resource_id")]
    assert zone.fingerprint() == plain
    # again, and the next month, which is one more partition
    extract(pages=3)
    tmdb.today = DAY + timedelta(days=31)
    extract(pages=3)
    assert placed(zone) == [("raw.tmdb_response", "resource_id")]


def test_one_with_rows_is_spread_in_place(extract: Extract, zone: Zone) -> None:
    """The extension came later, or a backup was restored into a cluster."""
    extract(pages=2)
    before = zone.fingerprint()
    stub(zone)
    extract(pages=2)
    assert placed(zone) == [("raw.tmdb_response", "resource_id")] and zone.fingerprint() == before


def test_one_of_an_older_version_too(extract: Extract, zone: Zone) -> None:
    stub(zone)
    with zone.connection() as connection:
        connection.execute(MIGRATIONS[0].script)
    extract(pages=1)
    assert placed(zone) == [("raw.tmdb_response", "resource_id")]


def test_prune_counts_what_the_nodes_have(
    program: Program, extract: Extract, tmdb: StandIn, zone: Zone
) -> None:
    stub(zone)
    extract(pages=1)
    zone.execute("create schema ops; create table ops.watermark (relation text, load_id bigint)")
    zone.execute("create schema staging; create table staging.fact ()")
    zone.execute("insert into ops.watermark values ('fact', 1000000)")
    done = program("prune", "--keep-days", "1", "--dry-run")
    if "nothing to drop" not in done.stdout:  # the month of DAY is over
        assert re.search(r"1,0\d\d\.\d MB", done.stdout), done.stdout + done.stderr


STATEMENTS = {
    f"{module.__name__}.{name}": text
    for module in (films, landing, dump, prune, status)
    for name, value in vars(module).items()
    if isinstance(value, str | bytes)
    and "raw.tmdb_response" in (text := value if isinstance(value, str) else value.decode())
    and not name.startswith("__")
}


def test_the_statements_are_known() -> None:
    assert len(STATEMENTS) >= 8


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_no_statement_has_a_form_that_citus_refuses(name: str) -> None:
    text = " ".join(STATEMENTS[name].lower().split())
    assert "lateral" not in text and "unnest(" not in text and "recursive" not in text
    # what a worker executes knows the types of no parameters
    assert "%(" not in text.partition("do update set")[2]
    # it works, and pulls all of history to the coordinator
    assert "jsonb_to_record" not in text and "jsonb_populate" not in text
    assert not re.search(r"case \w+(\.\w+)? when", text)
