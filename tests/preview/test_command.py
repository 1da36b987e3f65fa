"""The program that writes the page, and what it says when it can't."""

import json
from pathlib import Path

import psycopg
import pytest

from metabase.preview.choices import Choice, combinations
from metabase.spec import Filter, Offer
from tests.databases import connection_parameters
from tests.dbt_project.conftest import PROJECT
from tests.preview.browser import Browser
from tests.preview.conftest import Site

PROJECT_FILE = f"""
database: Warehouse
dbt_project: {PROJECT / "dbt_project"}
preview: {{title: Somewhere, as_of: seen.day}}
owner: {{name: Somebody, email: somebody@example.com}}
collections: {{Here: {{}}}}
"""
DASHBOARD = """
name: One
collection: Here
description: For the tests.
cards:
  good: {name: Good, display: scalar}
  bad: {name: Bad, display: scalar}
layout:
  - {card: good, at: {row: 0, col: 0, width: 12, height: 3}}
  - {card: bad, at: {row: 0, col: 12, width: 12, height: 3}}
  - text: "**Bold** <img src=x onerror='document.body.dataset.broken = 1'> [no](javascript:alert(1))"
    at: {row: 3, col: 0, width: 12, height: 2}
  - {heading: "A <b>heading</b>", at: {row: 5, col: 0, width: 24, height: 1}}
"""


@pytest.fixture
def site(database: dict[str, str], tmp_path: Path) -> Site:
    """A warehouse with as much in it as the page's head tells."""
    with psycopg.connect(**connection_parameters(database)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.seen as select date '2026-01-01' as day")
    node = {"resource_type": "model", "name": "seen", "schema": "marts", "alias": "seen", "columns": {}}
    (tmp_path / "manifest.json").write_text(json.dumps({"nodes": {"seen": node}}))
    return Site(database, tmp_path / "manifest.json", tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Dashboards' files: one dashboard of two cards."""
    for name in ("dashboards", "cards/snippets"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "metabase.yml").write_text(PROJECT_FILE)
    (tmp_path / "dashboards" / "one.yml").write_text(DASHBOARD)
    for name in ("good", "bad"):
        (tmp_path / "cards" / f"{name}.sql").write_text(f"select '{name} <answer>' as \"Answer\"\n")
    return tmp_path


def test_a_card_that_fails_is_named_and_the_others_are_there(
    site: Site, folder: Path, browser: Browser
) -> None:
    (folder / "cards" / "bad.sql").write_text('select 1 / 0 as "Answer"\n')
    written = site.write("broken.html", "--folder", str(folder))
    assert written.exit_code == 1
    assert "the card 'One / Bad' failed: division by zero" in written.stderr
    browser.open(written.path)
    assert "good <answer>" in browser.card("Good").text
    assert "division by zero" in browser.card("Bad").text
    words = browser.one(".words-card")
    assert words.find_element("css selector", "strong").text == "Bold"
    assert "<img src=x" in words.text
    assert not words.find_elements("css selector", "img, a")
    assert browser.one(".heading").text == "A <b>heading</b>"


def test_wrong_files_are_wrong_use(site: Site, folder: Path) -> None:
    (folder / "dashboards" / "one.yml").write_text("name: One\n")
    written = site.write("never.html", "--folder", str(folder))
    assert written.exit_code == 2
    assert "one.yml:1:" in written.stderr
    assert not written.path.exists()


def test_no_tables_yet(site: Site, folder: Path) -> None:
    with psycopg.connect(**connection_parameters(site.pg)) as connection:
        connection.execute("drop schema marts cascade")
    written = site.write("never.html", "--folder", str(folder))
    assert written.exit_code == 2
    assert "`make demo`" in written.stderr
    assert "Traceback" not in written.stderr
    (folder / "metabase.yml").write_text(PROJECT_FILE.replace("seen.day", "unseen.day"))
    written = site.write("never.html", "--folder", str(folder))
    assert written.exit_code == 2
    assert "`as_of` names unseen.day, and dbt has no such model" in written.stderr


def test_no_server(site: Site, folder: Path, tmp_path: Path) -> None:
    written = site.write("never.html", "--folder", str(folder), PGHOST=str(tmp_path), PGPORT="1")
    assert written.exit_code == 1
    assert "cannot reach PostgreSQL" in written.stderr
    assert "Traceback" not in written.stderr


def test_a_page_writes_nothing_into_the_warehouse(site: Site, folder: Path) -> None:
    (folder / "cards" / "bad.sql").write_text(
        'with gone as (delete from marts.seen returning 1)\nselect count(*) as "Answer" from gone\n'
    )
    written = site.write("broken.html", "--folder", str(folder))
    assert written.exit_code == 1
    assert "read-only transaction" in written.stderr


def test_what_is_asked_of_the_database_beforehand() -> None:
    def choice(key: str, default: int, *values: str | int | None) -> Choice:
        offer = Offer(together=("released_from",) if key == "released_to" else ())
        return Choice(Filter(key, key, "string/=", None, None, False, False, offer), values, default, 0)

    offered = [
        choice("genre", 0, None, "Drama"),
        choice("released_from", 0, None, 1990),
        choice("released_to", 0, None, 1999),
        choice("days", 1, 7, 30),
        choice("typed", 0),
    ]
    asked = dict(combinations(offered, frozenset({"genre", "released_from", "released_to", "days", "typed"})))
    start = {"genre": None, "released_from": None, "released_to": None, "days": 30}
    assert asked == {
        "": start,
        "genre=1": {**start, "genre": "Drama"},
        "released_from=1": {**start, "released_from": 1990},
        "released_to=1": {**start, "released_to": 1999},
        "days=0": {**start, "days": 7},
        "released_from=1&released_to=1": {**start, "released_from": 1990, "released_to": 1999},
    }
    # a filter that does not reach a card is not asked for it
    assert list(dict(combinations(offered, frozenset({"days"})))) == ["", "days=0"]
