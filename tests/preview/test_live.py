"""`--serve`: the page answered from the warehouse, for this machine alone, and nothing else of it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import errors, sql

from tests.databases import connection_parameters, exclusively
from tests.dbt_project.conftest import PROJECT
from tests.preview.browser import Browser
from tests.preview.conftest import GALLERY, Pages, Site
from tests.preview.films import DAYS, films
from warehouse.roles import READER


class Live:
    """A server, and what it answers to a request as it stands."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process, self.address = process, address
        self.port = int(address.rstrip("/").rpartition(":")[2])

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, Any]:
        """Status and body, which is JSON but for the page's."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=names)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        is_json = response.getheader("Content-Type", "").startswith("application/json")
        return response.status, json.loads(text) if is_json else text

    def rows(self, card: str, **values: Any) -> list[Any]:
        """A card's rows."""
        query = "&".join(f"{name}={quote(str(value))}" for name, value in values.items())
        status, answer = self.ask(f"/answer/{card}?{query}")
        assert status == 200, answer
        return list(answer["rows"])


@contextmanager
def serving(site: Site, *options: str, **changed: str) -> Iterator[Live]:
    command = [sys.executable, "-m", "metabase.preview", "--serve", "--port", "0"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    process = subprocess.Popen(
        [*command, "--manifest", str(site.manifest), *options],
        cwd=PROJECT,
        env=environment | dict(site.pg) | changed,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("http://127.0.0.1:"), process.communicate()
        yield Live(process, line.split()[0])
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def live(rows: Site) -> Iterator[Live]:
    with serving(rows, "--folder", str(GALLERY), "--timeout", "2") as served:
        yield served


BARS, SAID, WHO, FILMS = "charts-6", "tables-1", "tables-2", "films-0"
"""Ten bars, Said, Who asks and Film list: the places of these cards on their dashboards."""


@pytest.mark.slow
def test_every_combination_in_a_browser(browser: Browser, pages: Pages) -> None:
    with serving(pages.site) as served:
        browser.open(served.address, "overview")
        browser.tick("genre", "Drama")
        browser.type("min_votes", "777")
        browser.type("released_from", "1983")
        wanted = [
            film
            for film in films(DAYS[-1]).values()
            if "Drama" in [genre["name"] for genre in film["genres"]]
            and film["vote_count"] >= 777
            and film["release_date"] >= "1983"
        ]
        table = browser.card("Films by rank")
        assert len(wanted) == len(browser.column(table, "Film"))
        assert browser.place == "overview?genre=Drama&released_from=1983&min_votes=777"
        # the other end of the range can't be before this one
        browser.type("released_to", "1980")
        assert browser.place == "overview?genre=Drama&released_from=1983&min_votes=777"
        browser.back()
        assert browser.place == "overview?genre=Drama&min_votes=777"
        # every dashboard is drawn, and a film beyond those of the file can be typed
        for name, tabs in browser.dashboards():
            for tab in range(max(1, tabs)):
                browser.show(name, tab)
                assert {drawn for _, drawn, _ in browser.cards()} <= {"yes", "empty"}, name
        browser.open(served.address, "film")
        browser.type("film", "Film 40")
        assert "Film 40" in browser.card("The film").text


def test_without_the_server_a_card_says_so(browser: Browser, rows: Site) -> None:
    with serving(rows, "--folder", str(GALLERY)) as served:
        browser.open(served.address, "tables")
    browser.type("text", "Once")
    assert "The preview does not answer" in browser.card("Said").text
    assert any("ERR_CONNECTION_REFUSED" in one for one in browser.complaints())


@pytest.mark.parametrize(
    "text", ["'; drop table marts.film; --", "%s %(text)s", "{{ text }}", "\\", "Once", " ", "⁂"]
)
def test_a_value_is_a_value(live: Live, text: str) -> None:
    found = [row[0] for row in live.rows(SAID, text=text)]
    assert found == (["Once"] if text == "Once" else [])
    assert len(live.rows(SAID)) == 4


def test_values_that_can_not_be_are_refused(live: Live) -> None:
    for query, reason in (
        ("least=many", "At least: 'many' is no number"),
        ("least=nan", "At least: 'nan' is no number"),
        ("least=inf", "At least: 'inf' is no number"),
        ("least=1&least=2", "At least: '1', '2' are several, and it takes one"),
        ("colour=red", "Charts has no filter 'colour'"),
        ("genre=%00", "Genre: '\\x00' can't be held by PostgreSQL"),
    ):
        assert live.ask(f"/answer/{BARS}?{query}") == (400, {"error": reason})
    status, answer = live.ask(f"/answer/{SAID}?day=2026-02-30")
    assert status == 400
    assert answer["error"].startswith("Day: '2026-02-30' is no date")
    assert live.ask("/answer/charts-99")[0] == 404
    # a required filter that is emptied has its default; an empty one else has no value
    assert len(live.rows(BARS, least="")) == len(live.rows(BARS)) == 10
    assert live.rows(BARS, least=9.5, genre="") == [["Science Fiction", 100]]


def test_filters_on_columns_take_several_values_and_spans(live: Live) -> None:
    def films(query: str) -> list[str]:
        status, answer = live.ask(f"/answer/{FILMS}?{query}")
        assert status == 200, answer
        return [row[0] for row in answer["rows"]]

    assert films("genre=Drama&genre=Action") == ["One of % many", "Three", "Four"]
    assert films("votes=15&votes=30") == ["Two", "Three"]
    assert films("day=2026-01-02~2026-01-03") == ["Two", "Three"]
    assert films("day=2026-01-03~") == ["Three", "Four"]
    assert films("part_of_title=%25") == ["One of % many"]
    assert films("genre=Drama&votes=20&votes=99&part_of_title=E") == ["Three"]
    assert live.ask(f"/answer/{FILMS}?votes=1")[0] == 400
    assert live.ask(f"/answer/{FILMS}?day=" + quote("2026-01-01' or true --"))[0] == 400


def test_filters_on_columns_in_a_browser(browser: Browser, live: Live) -> None:
    def titles() -> list[str]:
        return browser.column(browser.card("Film list"), "Film")

    browser.open(live.address, "films")
    browser.tick("genre", "Drama", "Action")
    assert titles() == ["One of % many", "Three", "Four"]
    assert browser.place == "films?genre=Action&genre=Drama"
    assert browser.one("summary[data-filter=genre]").text == "Action, Drama"
    first, last = browser.all("input[data-filter=day]")
    browser.run("arguments[0].value = '2026-01-02'; arguments[0].dispatchEvent(new Event('change'))", first)
    browser.wait()
    assert titles() == ["Three", "Four"]
    browser.run("arguments[0].value = '2026-01-03'; arguments[0].dispatchEvent(new Event('change'))", last)
    browser.wait()
    assert titles() == ["Three"]
    # before its beginning it can't end
    browser.run("arguments[0].value = '2026-01-01'; arguments[0].dispatchEvent(new Event('change'))", last)
    assert browser.place.endswith("day=2026-01-02~2026-01-03")
    browser.one(".reset").click()
    browser.wait()
    assert len(titles()) == 4
    browser.type("title", "Two")
    assert titles() == ["Two"]


def test_only_the_page_is_there_and_only_for_this_machine(live: Live) -> None:
    assert live.ask("/")[0] == 200
    for path in (
        "/metabase.yml",
        "/../metabase.yml",
        "/%2e%2e/.env",
        "/answer/../../.env",
        "//etc/passwd",
        "/answer/",
    ):
        assert live.ask(path)[0] == 404, path
    for method in ("POST", "PUT", "DELETE"):
        assert live.ask("/", method)[0] == 501
    for host in ("rebound.example", f"rebound.example:{live.port}", "127.0.0.1.example", "", "[", "10.0.0.1"):
        assert live.ask("/", Host=host)[0] == 421, host
        assert live.ask(f"/answer/{BARS}", Host=host)[0] == 421, host
    for host in ("localhost", f"LOCALHOST:{live.port}", "127.0.0.1:9"):
        assert live.ask("/", Host=host)[0] == 200, host
    assert live.ask(f"/answer/{BARS}", Sec_Fetch_Site="cross-site")[0] == 403
    with socket.create_connection(("127.0.0.1", live.port)) as connection:
        assert connection.getpeername()[0] == "127.0.0.1"
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", live.port), timeout=2):
        pass


def test_a_slow_card_ends_and_no_card_writes(rows: Site, tmp_path: Path) -> None:
    folder = tmp_path / "slow"
    for part in ("dashboards", "cards/snippets"):
        (folder / part).mkdir(parents=True)
    (folder / "metabase.yml").write_text(
        f"database: W\ndbt_project: {PROJECT / 'dbt_project'}\n"
        "owner: {name: N, email: n@example.com}\ncollections: {R: {}}\n"
    )
    (folder / "dashboards" / "one.yml").write_text(
        "name: One\ncollection: R\ndescription: D\n"
        "cards: {slow: {name: Slow, display: scalar}, write: {name: Write, display: scalar}}\n"
        "layout:\n"
        "  - {card: slow, at: {row: 0, col: 0, width: 12, height: 3}}\n"
        "  - {card: write, at: {row: 0, col: 12, width: 12, height: 3}}\n"
    )
    (folder / "cards" / "slow.sql").write_text('select pg_sleep(30)::text as "Slept"\n')
    (folder / "cards" / "write.sql").write_text(
        'with gone as (delete from marts.film returning 1) select count(*) as "Gone" from gone\n'
    )
    with serving(rows, "--folder", str(folder), "--timeout", "1") as served:
        assert served.ask("/answer/one-0") == (422, {"error": "it took longer than 1 s"})
        status, answer = served.ask("/answer/one-1")
        assert status == 422
        assert "read-only transaction" in answer["error"] or "permission denied" in answer["error"]


def test_it_asks_as_the_reader_where_there_is_one(live: Live, rows: Site) -> None:
    (owner,) = live.rows(WHO)[0]
    assert owner != READER
    reader = sql.Identifier(READER)
    with (
        exclusively("reader"),
        psycopg.connect(autocommit=True, **connection_parameters(rows.pg)) as connection,
        serving(rows, "--folder", str(GALLERY)) as served,
    ):
        # the server's databases share it, and what is tested elsewhere may be making it just now
        with suppress(errors.DuplicateObject, errors.UniqueViolation):
            connection.execute(sql.SQL("create role {} login").format(reader))
        assert served.rows(WHO) == [[owner]]
        connection.execute(sql.SQL("grant usage on schema marts to {}").format(reader))
        assert served.rows(WHO) == [[READER]]
        connection.execute(sql.SQL("revoke usage on schema marts from {}").format(reader))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly(rows: Site, number: signal.Signals) -> None:
    with serving(rows, "--folder", str(GALLERY)) as served:
        assert served.ask("/")[0] == 200
        served.process.send_signal(number)
        assert served.process.wait(timeout=20) == 0
        assert served.process.stderr
        assert served.process.stderr.read() == ""


def test_a_taken_port_is_wrong_use(live: Live, rows: Site) -> None:
    written = rows.write("never.html", "--folder", str(GALLERY), "--serve", "--port", str(live.port))
    assert written.exit_code == 2
    assert written.stderr.startswith(f"preview: port {live.port} is taken: choose another, such as PORT=")
    assert len(written.stderr.splitlines()) == 1
