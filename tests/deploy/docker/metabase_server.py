"""The tests' Metabase as a container: on port 3000, its state in the database that MB_DB_* name."""

import os
import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from aiohttp import web

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from tests.metabase import native
from tests.metabase.fake import FakeMetabase


class Metabase(FakeMetabase):
    """Tries the warehouse's password on the warehouse itself."""

    def _connects(self, details: Mapping[str, Any]) -> bool:
        try:
            native._connect(details).close()
        except psycopg.OperationalError:
            return False
        return True

    def state(self) -> dict[str, Any]:
        """What it was told and made, and how far it counted, as a real one has it in its database."""
        return {name: value for name, value in vars(self).items() if isinstance(value, dict | set | int)}

    def _sync(self, database: dict[str, Any]) -> None:
        # a real one looks by itself, in the background: a password that is no longer right fails no request
        if self._connects(database["details"]):
            super()._sync(database)


def application() -> web.Application:
    """Answers as the tests' Metabase, and keeps what changes, as a real one does in its database."""
    kept = psycopg.connect(
        host=os.environ["MB_DB_HOST"],
        port=os.environ["MB_DB_PORT"],
        dbname=os.environ["MB_DB_DBNAME"],
        user=os.environ["MB_DB_USER"],
        password=os.environ["MB_DB_PASS"],
        autocommit=True,
    )
    kept.execute("create table if not exists kept (state bytea)")
    fake = Metabase(setup_token=os.environ["MB_SETUP_TOKEN"])
    for (state,) in kept.execute("select state from kept"):
        vars(fake).update(pickle.loads(state))

    async def handle(request: web.Request) -> web.StreamResponse:
        answer = await fake._handle(request)
        if request.method != "GET":
            state = pickle.dumps(fake.state())
            with kept.transaction():
                kept.execute("delete from kept")
                kept.execute("insert into kept values (%s)", [state])
            print(request.method, request.path, answer.status, flush=True)
        return answer

    made = web.Application()
    made.router.add_route("*", "/{path:.*}", handle)
    return made


if __name__ == "__main__":
    web.run_app(application(), host="0.0.0.0", port=3000, print=None)
