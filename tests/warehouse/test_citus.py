"""A cluster that is not whole is refused before anything is written, in one line that says what to do."""

from pathlib import Path

import pytest

import warehouse
from tests.warehouse.conftest import Command

STUB = (Path(__file__).parents[1] / "citus_stub.sql").read_bytes()
SAYS = "update pg_dist_node set says = {} where nodename = 'worker-2'"


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        ("select", 0, ""),
        (SAYS.format("null"), 1, "node worker-2:5432 does not answer: failed to connect to worker-2. Start"),
        (SAYS.format("''"), 2, "node worker-2:5432 has no extension citus in the database"),
        (SAYS.format("'12.1-1'"), 2, "node worker-2:5432 has version 12.1-1 of the extension citus"),
        ("delete from pg_dist_node where groupid = 0", 2, "select citus_set_coordinator_host("),
        ("delete from pg_dist_node", 2, "select citus_set_coordinator_host("),
        ("update pg_dist_local_group set groupid = 1", 2, "is a worker of a Citus cluster"),
    ],
)
def test_a_cluster_that_is_not_whole(
    database: dict[str, str], typed: Command, change: str, code: int, told: str
) -> None:
    with warehouse.connect(database) as connection:
        connection.execute(STUB)
        connection.execute(change.encode())
    done = typed("warehouse", "run", "--", "echo", "began", **database)
    assert (done.returncode, done.stdout) == (code, "" if code else "began\n")
    assert told in done.stderr and len(done.stderr.splitlines()) == (1 if code else 0)
