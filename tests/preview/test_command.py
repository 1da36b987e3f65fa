"""The program that writes the page, and what it says when it can't."""

from collections import Counter
from pathlib import Path

import pytest

from metabase.preview.choices import Choice, combinations
from metabase.spec import Filter
from tests.preview.browser import Browser
from tests.preview.conftest import Pages, Site
from tests.preview.films import DAYS, films

PROJECT_FILE = """
database: Warehouse
root: Here
owner: {name: Somebody, email: somebody@example.com}
collections: {Here: {}}
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
"""


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
    pages: Pages, folder: Path, browser: Browser
) -> None:
    (folder / "cards" / "bad.sql").write_text('select 1 / 0 as "Answer"\n')
    written = pages.site.write("broken.html", "--folder", str(folder))
    assert written.exit_code == 1
    assert "the card 'One / Bad' failed: division by zero" in written.stderr
    browser.open(written.path)
    assert "good <answer>" in browser.card("Good").text
    assert "division by zero" in browser.card("Bad").text


def test_wrong_files_are_wrong_use(pages: Pages, folder: Path) -> None:
    (folder / "dashboards" / "one.yml").write_text("name: One\n")
    written = pages.site.write("never.html", "--folder", str(folder))
    assert written.exit_code == 2
    assert "one.yml:1:" in written.stderr
    assert not written.path.exists()


def test_no_tables_yet(pages: Pages, database: dict[str, str]) -> None:
    written = Site(database, pages.site.manifest, pages.site.scratch).write("never.html")
    assert written.exit_code == 1
    assert "`make demo`" in written.stderr
    assert "Traceback" not in written.stderr


def test_no_server(pages: Pages, tmp_path: Path) -> None:
    written = pages.site.write("never.html", PGHOST=str(tmp_path), PGPORT="1")
    assert written.exit_code == 1
    assert "PostgreSQL can't be reached" in written.stderr
    assert "Traceback" not in written.stderr


def test_a_page_writes_nothing_into_the_warehouse(pages: Pages, folder: Path) -> None:
    (folder / "cards" / "bad.sql").write_text(
        "with gone as (delete from marts.fact_movie_daily returning 1)\n"
        'select count(*) as "Answer" from gone\n'
    )
    written = pages.site.write("broken.html", "--folder", str(folder))
    assert written.exit_code == 1
    assert "read-only transaction" in written.stderr


def test_a_note_and_fewer_values(pages: Pages, browser: Browser) -> None:
    written = pages.site.write("noted.html", "--note", "made <up>", "--values", "2")
    assert written.exit_code == 0, written.stderr
    browser.open(written.path)
    assert browser.one(".asof").text.endswith("· made <up>")
    most_films = Counter(genre["name"] for film in films(DAYS[-1]).values() for genre in film["genres"])
    ranked = sorted(most_films, key=lambda name: (-most_films[name], name))
    assert set(browser.options("genre")) == {"Any", *ranked[:2]}
    assert "Genre: 2 of 3 values." in browser.one(".filters .note").text


def test_what_is_asked_of_the_database_beforehand() -> None:
    def choice(key: str, default: int, *values: str | int | None) -> Choice:
        return Choice(Filter(key, key, "string/=", None, None, False, False), values, default, 0)

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
