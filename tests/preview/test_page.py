"""The page in a real browser: everything is drawn, right, works, and stays silent."""

import datetime as dt
import re
from collections import Counter

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.left_out import slow_but
from tests.preview.browser import Browser
from tests.preview.conftest import Pages
from tests.preview.films import DAYS, GENRES, HOSTILE, films

TODAY = films(DAYS[-1])
BY_POPULARITY = sorted(TODAY.values(), key=lambda film: -film["popularity"])
DASHBOARDS = ["overview", "tonight", "film", "genres-and-countries", "companies", "pipeline-health"]


def has_genre(film: dict[str, object], name: str) -> bool:
    return any(genre["name"] == name for genre in film["genres"])  # type: ignore[attr-defined]


def value(card: WebElement) -> str:
    return card.find_element("css selector", ".value").text


def everything(browser: Browser) -> list[tuple[str, int]]:
    return [(name, tab) for name, tabs in browser.dashboards() for tab in range(max(1, tabs))]


@pytest.mark.parametrize(("width", "dark"), slow_but(1, [(390, False), (1600, False), (1600, True)]))
def test_every_card_is_drawn(browser: Browser, pages: Pages, width: int, dark: bool) -> None:
    browser.look(width=width, height=900, dark=dark)
    browser.open(pages.full)
    assert [name for name, _ in browser.dashboards()] == DASHBOARDS
    for name, tab in everything(browser):
        browser.show(name, tab)
        cards = browser.cards()
        assert cards
        for title, drawn, marks in cards:
            # nothing failed, TMDB was not asked, and a week is not over
            expected = ("yes", "empty") if name in ("pipeline-health", "tonight") else ("yes",)
            assert drawn in expected, (name, title, drawn)
            assert marks != 0 or drawn == "empty", (name, title)
        # a phone scrolls down, never sideways
        assert browser.run("return document.documentElement.scrollWidth") <= width, name


def test_it_is_one_small_file_that_may_load_nothing(pages: Pages) -> None:
    text = pages.full.read_text()
    assert pages.full.stat().st_size < 6_000_000
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert policy[1].startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")
    assert "unsafe-eval" not in policy[1]


def test_the_numbers_are_those_of_the_films(browser: Browser, pages: Pages) -> None:
    browser.open(pages.full)
    before = films(DAYS[-2])
    votes, votes_before = (sum(film["vote_count"] for film in day.values()) for day in (TODAY, before))
    assert value(browser.card("Films")) == "40"
    assert value(browser.card("Votes")) == f"{votes:,}"
    change = browser.card("Votes").find_element("css selector", ".change").text
    assert change == f"▲ {(votes - votes_before) / votes_before:.2%} since the day before" or (
        change == f"▲ {votes - votes_before} since the day before"
    )
    rating = sum(film["vote_average"] for film in TODAY.values()) / len(TODAY)
    assert value(browser.card("Mean rating")) == f"{rating:.2f}"
    assert browser.column(browser.card("Films by rank"), "Film") == [film["title"] for film in BY_POPULARITY]
    assert "3 January 2026" in browser.one(".asof").text
    assert (
        "This product uses the TMDB API but is not endorsed or certified by TMDB."
        in browser.one("footer").text
    )


def test_titles_stay_text(browser: Browser, pages: Pages) -> None:
    browser.open(pages.full)
    for name, tab in everything(browser):
        browser.show(name, tab)
        shown = browser.run(
            "const made = 'main img, main script, main [onload], main [onerror]';"
            "return [document.querySelectorAll(made).length, document.body.dataset.broken ?? null]"
        )
        assert shown == [0, None], name
    browser.show("film")
    options = browser.options("film")
    assert set(HOSTILE) <= set(options)
    browser.show("overview")
    bar = browser.card("Top films").find_elements("css selector", ".mark-rect path")[0]
    browser.hover(bar)
    assert browser.one(".tip b").text == HOSTILE[0]
    assert "Popularity" in browser.one(".tip").text


def test_tables_sort_and_find(browser: Browser, pages: Pages) -> None:
    browser.open(pages.full)
    table = browser.card("Films by rank")
    heads = {head.text: head for head in table.find_elements("css selector", "th")}
    heads["Votes"].find_element("css selector", "button").click()
    votes = sorted((film["vote_count"] for film in TODAY.values()), reverse=True)
    assert heads["Votes"].get_attribute("aria-sort") == "descending"
    assert browser.column(table, "Votes") == [f"{count:,}" for count in votes]
    heads["Votes"].find_element("css selector", "button").click()
    assert browser.column(table, "Votes") == [f"{count:,}" for count in reversed(votes)]
    heads["Released"].find_element("css selector", "button").click()
    dates = sorted(dt.date.fromisoformat(film["release_date"]) for film in TODAY.values())
    assert browser.column(table, "Released") == [f"{date.day} {date:%b %Y}" for date in dates]

    find = table.find_element("css selector", "input")
    find.send_keys("film 3")
    wanted = [film for film in TODAY.values() if "film 3" in film["title"].lower()]
    assert sorted(browser.column(table, "Film")) == sorted(film["title"] for film in wanted)
    assert table.find_element("css selector", ".count").text == f"{len(wanted)} of 40"
    find.send_keys("no such thing")
    assert table.find_element("css selector", "tbody").text == "nothing found"


def test_filters_work_without_a_database(browser: Browser, pages: Pages) -> None:
    browser.open(pages.full)
    assert not browser.all(".reset")
    genre = "Comedy <b>&amp;</b>"
    browser.choose("genre", "Comedy <b>&</b>")
    comedies = [film for film in BY_POPULARITY if has_genre(film, genre)]
    assert 0 < len(comedies) < len(TODAY)
    assert value(browser.card("Films")) == str(len(comedies))
    assert len(browser.column(browser.card("Films by rank"), "Film")) == len(comedies)

    # both stay chosen; the file has no answer to the pair, and says so and how to go on
    browser.choose("min_votes", "1000")
    assert browser.place == "overview?genre=Comedy <b>&</b>&min_votes=1000"
    assert {drawn for _, drawn, _ in browser.cards()} == {"absent"}
    assert "Genre and Votes at least together are not in this file" in browser.one(".missing").text
    assert "make preview SERVE=1" in browser.one(".missing").text
    (keep,) = (button for button in browser.all(".missing button") if button.text.startswith("Votes"))
    keep.click()
    browser.wait()
    assert not browser.all(".missing")
    assert value(browser.card("Films")) == str(sum(film["vote_count"] >= 1000 for film in TODAY.values()))
    browser.one(".reset").click()

    # these two combine
    browser.choose("released_from", "1990")
    browser.choose("released_to", "2009")
    years = [int(film["release_date"][:4]) for film in TODAY.values()]
    assert value(browser.card("Films")) == str(sum(1990 <= year <= 2009 for year in years))
    assert "one filter at a time" in browser.one(".filters .note").text

    browser.one(".reset").click()
    browser.wait()
    assert value(browser.card("Films")) == "40"


def test_a_film_can_be_chosen(browser: Browser, pages: Pages) -> None:
    browser.open(pages.full, "film")
    browser.choose("film", "Film 20")
    assert value(browser.card("Popularity")) == f"{TODAY[20]['popularity']:.1f}"
    assert value(browser.card("Votes")) == f"{TODAY[20]['vote_count']:,}"


@pytest.mark.slow
def test_the_map_shows_countries_large_and_small(browser: Browser, pages: Pages) -> None:
    browser.open(pages.full, "genres-and-countries")
    browser.show("genres-and-countries", 1)
    card = browser.card("Films by country")
    land, coloured = (
        group.find_elements("css selector", "path")
        for group in card.find_elements("css selector", ".mark-shape")
    )
    assert len(land) > 170
    assert len(coloured) == 2
    assert {path.get_attribute("fill") for path in land}.isdisjoint(
        path.get_attribute("fill") for path in coloured
    )
    # Hong Kong has no shape at this scale
    (dot,) = card.find_elements("css selector", ".mark-symbol path")
    browser.hover(dot)
    countries = Counter(
        country["iso_3166_1"] for film in TODAY.values() for country in film["production_countries"]
    )
    assert browser.one(".tip").text.split("\n")[:1] == ["Hong Kong"]
    assert str(countries["HK"]) in browser.one(".tip").text


def test_two_companies_of_one_name_are_two_bars(browser: Browser, pages: Pages) -> None:
    browser.open(pages.full, "companies")
    bars = browser.card("Films by company").find_elements("css selector", ".mark-rect path")
    assert len({bar.get_attribute("d") for bar in bars}) == 3


@pytest.mark.slow
@pytest.mark.parametrize("width", [1600, 1000, 390])
def test_numbers_beside_bars_are_whole(browser: Browser, pages: Pages, width: int) -> None:
    browser.look(width=width)
    browser.open(pages.full, "companies")
    for title in ("Films by company", "Rating by company", "Revenue to budget by company"):
        ends = browser.run(
            "const plot = arguments[0].querySelector('.plot');"
            "return [...plot.querySelectorAll('.mark-text text')]"
            ".map((text) => plot.getBoundingClientRect().right - text.getBoundingClientRect().right)",
            browser.card(title),
        )
        assert ends and min(ends) >= 0, (title, ends)


@pytest.mark.slow
def test_days_are_utc_wherever_one_looks(browser: Browser, pages: Pages) -> None:
    for zone in ("America/Los_Angeles", "Pacific/Auckland"):
        browser.look(zone=zone)
        browser.open(pages.full, "film")
        labels = browser.card("Popularity over time").find_elements("css selector", ".role-axis-label text")
        assert {"1 Jan", "2 Jan", "3 Jan"} <= {label.text for label in labels}


@pytest.mark.slow
def test_light_and_dark(browser: Browser, pages: Pages) -> None:
    def look() -> tuple[str, str]:
        bar = browser.card("Top films").find_elements("css selector", ".mark-rect path")[0]
        return browser.run("return getComputedStyle(document.body).backgroundColor"), bar.get_attribute(
            "fill"
        ) or ""

    browser.open(pages.full)
    light = look()
    browser.one(".toggle").click()
    browser.wait()
    dark = look()
    assert light[0] != dark[0]
    assert light[1] != dark[1]
    browser.one(".toggle").click()
    browser.wait()
    assert look() == light

    browser.run("localStorage.clear()")
    browser.look(dark=True)
    browser.open(pages.full)
    assert look() == dark
    browser.run("localStorage.clear()")


def test_tabs_by_keyboard_and_address(browser: Browser, pages: Pages) -> None:
    browser.open(pages.full, "companies")
    selected = "header .tabs [aria-selected=true]"
    assert browser.one(selected).text == "Companies"
    browser.one(selected).send_keys(Keys.ARROW_RIGHT)
    browser.wait()
    assert browser.one(selected).text == "Pipeline health"
    assert browser.run("return location.hash") == "#pipeline-health"
    assert [panel.get_attribute("id") for panel in browser.all("main > section")] == ["panel-pipeline-health"]


def test_before_the_first_film_the_page_says_so(browser: Browser, pages: Pages) -> None:
    browser.open(pages.empty)
    assert "no data yet" in browser.one(".asof").text
    for name, tab in everything(browser):
        browser.show(name, tab)
        assert {drawn for _, drawn, _ in browser.cards()} <= {"yes", "empty"}
    browser.show("overview")
    assert "No data yet" in browser.card("Top films").text


@pytest.mark.slow
def test_a_note_and_fewer_values(browser: Browser, pages: Pages) -> None:
    written = pages.site.write("noted.html", "--note", "made <up>", "--values", "2")
    assert written.exit_code == 0, written.stderr
    browser.open(written.path)
    assert browser.one(".asof").text.endswith("· made <up>")
    most_films = Counter(genre["name"] for film in TODAY.values() for genre in film["genres"])
    # by TMDB's id where two have as many
    ids = {genre["name"]: genre["id"] for genre in GENRES}
    ranked = sorted(most_films, key=lambda name: (-most_films[name], ids[name]))
    assert set(browser.options("genre")) == {"Any", *(name.replace("&amp;", "&") for name in ranked[:2])}
    assert "Genre: 2 of 3 values." in browser.one(".filters .note").text
