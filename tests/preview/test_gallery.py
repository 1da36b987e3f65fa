"""Every kind of card and control, on rows that need no tables: what a person sees, does, hears."""

import json
import re
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.left_out import slow_but
from tests.preview.browser import Browser

WIDTHS = (1400, 900, 390)
PLACES = ("charts", "charts/kinds-and-places", "tables", "films")


def axis_labels(card: WebElement) -> list[str]:
    return [text.text for text in card.find_elements("css selector", ".role-axis-label text") if text.text]


def lines(browser: Browser, card: WebElement) -> dict[str, str]:
    """The colour of each line by the name that the legend gives it."""
    return dict(
        browser.run(
            "const [card] = arguments;"
            "const labels = [...card.querySelectorAll('.role-legend-label text')];"
            "const names = labels.map((one) => one.textContent);"
            "const symbols = [...card.querySelectorAll('.role-legend-symbol path')];"
            "const colour = (one) => [one.getAttribute('stroke'), one.getAttribute('fill')]"
            ".find((paint) => paint && paint !== 'none' && paint !== 'transparent');"
            "return names.map((name, place) => [name, colour(symbols[place])])",
            card,
        )
    )


def tooltip(browser: Browser) -> str:
    return browser.one(".tip").text.replace("\n", " ")


@pytest.mark.parametrize(
    ("width", "dark"),
    slow_but(1, [(1400, False), (390, True), (1400, True), (900, False), (900, True), (390, False)]),
)
def test_a_careful_reader_finds_nothing(browser: Browser, gallery: Path, width: int, dark: bool) -> None:
    package = find_spec("axe_core_python")
    assert package and package.origin
    axe = (Path(package.origin).parent / "axe.min.js").read_text()
    browser.look(width=width, dark=dark)
    for place in PLACES:
        browser.open(gallery, place)
        assert {drawn for _, drawn, _ in browser.cards()} <= {"yes", "empty"}
        # a phone scrolls down, never sideways
        assert browser.run("return document.documentElement.scrollWidth") <= width
        browser.run(f"{axe}; window.axe = axe;")
        found = browser.run_async(
            "axe.run({exclude: [['.vega']]}).then(({violations}) => done(JSON.stringify(violations)))"
        )
        assert [(one["id"], one["nodes"][0]["html"]) for one in json.loads(found)] == []


def test_a_name_keeps_its_colour(browser: Browser, gallery: Path) -> None:
    browser.open(gallery, "charts")
    titles = ("A year of days", "Weeks", "Stacked area", "Stacked bars")
    seen = [lines(browser, browser.card(title)) for title in titles]
    assert all(len(set(found.values())) == len(found) >= 6 for found in seen)
    for one, other in pairwise(seen):
        assert {name: one[name] for name in one.keys() & other} == {
            name: other[name] for name in one.keys() & other
        }
    # chosen alone, and on a page that was opened with it chosen, it is still that colour
    browser.choose("genre", "Drama")
    bars = browser.card("Stacked bars").find_elements("css selector", ".mark-rect path")
    assert {bar.get_attribute("fill") for bar in bars} == {seen[3]["Drama"]}


@pytest.mark.slow
def test_lines_are_straight_and_days_are_days(browser: Browser, gallery: Path) -> None:
    browser.open(gallery, "charts")
    for title in ("A year of days", "Weeks", "Stacked area", "Combination"):
        paths = browser.card(title).find_elements("css selector", ".mark-line path, .mark-area path")
        assert paths
        assert not any("C" in (path.get_attribute("d") or "") for path in paths), title
    assert {"1 Mar", "5 Mar"} <= set(axis_labels(browser.card("Combination")))
    assert any(re.fullmatch(r"(19|20)\d\d", label) for label in axis_labels(browser.card("Scattered")))
    assert any(
        re.fullmatch(r"[A-Z][a-z]{2} 2025", label) for label in axis_labels(browser.card("A year of days"))
    )


def test_an_axis_starts_at_zero_unless_the_file_says_otherwise(browser: Browser, gallery: Path) -> None:
    browser.open(gallery, "charts")
    assert "0" in axis_labels(browser.card("A year of days"))
    assert "0" not in axis_labels(browser.card("Weeks"))


def test_what_was_cut_is_said_and_what_is_newest_is_there(browser: Browser, gallery: Path) -> None:
    browser.open(gallery, "charts")
    card = browser.card("A year of days")
    assert card.find_element("css selector", ".cut").text == "The first 2,000 of 2,920 rows"
    card.find_element("css selector", ".as-table").click()
    browser.wait()
    assert browser.column(card, "Day")[0] == "31 Dec 2025"
    assert len(browser.column(card, "Day")) == 2000


@pytest.mark.slow
def test_labels_tell_things_apart(browser: Browser, gallery: Path) -> None:
    for width in WIDTHS:
        browser.look(width=width)
        browser.open(gallery, "charts/kinds-and-places")
        genres = axis_labels(browser.card("Ten bars"))
        assert {"Science Fiction", "Documentary", "Action"} <= {label.replace("\n", " ") for label in genres}
        card = browser.card("Long names")
        texts = axis_labels(card)
        # two are called alike in full, and are two bars
        assert len(set(texts)) == 5, texts
        assert [text for text in texts if text.endswith("24")] and [
            text for text in texts if text.endswith("31")
        ]
        bars = card.find_elements("css selector", ".mark-rect path")
        assert len({bar.get_attribute("d") for bar in bars}) == 6
        inside = browser.run(
            "const box = arguments[0].querySelector('.plot').getBoundingClientRect();"
            "return [...arguments[0].querySelectorAll('.plot text')]"
            ".map((one) => one.getBoundingClientRect())"
            ".every((one) => one.left >= box.left - 1 && one.right <= box.right + 1)",
            card,
        )
        assert inside


def test_numbers_that_stand_together_have_one_unit(browser: Browser, gallery: Path) -> None:
    browser.open(gallery, "charts/kinds-and-places")
    values = browser.card("Big numbers").find_elements("css selector", ".mark-text.role-mark text")
    assert [value.text for value in values] == ["$2.92B", "$0.95B", "$0.05B"]
    legend = [
        text.text for text in browser.card("Pie").find_elements("css selector", ".role-legend-label text")
    ]
    assert legend[0] == "Science Fiction · 100 · 18.2%"
    assert "Metabase draws this as a funnel" in browser.card("Funnel").text


def test_the_map_tells_none_from_one_and_small_from_none(browser: Browser, gallery: Path) -> None:
    browser.open(gallery, "charts/kinds-and-places")
    painted: dict[str, Any] = browser.run(
        "return Object.fromEntries([...arguments[0].querySelectorAll('.mark-shape path, .mark-symbol path')]"
        ".filter((one) => one.__data__?.datum?.tip !== undefined)"
        ".map((one) => [one.__data__.datum.code ?? one.__data__.datum.id, one.getAttribute('fill')]))",
        browser.card("Map"),
    )
    assert set(painted) == {"US", "FR", "GF", "BR", "LU", "HK", "AR", "SJ", "NO"}
    assert painted["GF"] == painted["AR"] != painted["FR"]
    (land,) = browser.run(
        "return [...new Set([...arguments[0].querySelectorAll('.mark-shape path')]"
        ".filter((one) => one.__data__.datum.tip === undefined).map((one) => one.getAttribute('fill')))]",
        browser.card("Map"),
    )
    assert painted["BR"] == land

    def light(colour: str) -> int:
        if colour.startswith("#"):
            return sum(int(part, 16) for part in re.findall("..", colour[1:]))
        return sum(int(part) for part in re.findall(r"\d+", colour))

    assert light(land) - light(painted["AR"]) > 60
    dots = browser.card("Map").find_elements("css selector", ".mark-symbol path")
    assert len(dots) == 2


def test_texts_are_decoded_once_and_stay_text(browser: Browser, gallery: Path) -> None:
    browser.open(gallery, "tables")
    assert browser.column(browser.card("Said"), "Value") == [
        "Love &amp; loss.",
        'Love & loss "by the sea" – é',
        '<img src=x onerror="document.body.dataset.broken = 1">',
        "2 Oct 2014",
    ]
    assert browser.run("return document.body.dataset.broken ?? null") is None
    assert browser.column(browser.card("A table of many columns"), "Released")[0] == "3 Oct 2014"


def test_an_empty_card_says_why(browser: Browser, gallery: Path) -> None:
    browser.open(gallery, "tables")
    assert "No data yet" in browser.card("Nothing").text
    assert "Nothing failed: all is well." in browser.card("Failures").text
    assert "nothing to compare with yet" in browser.card("One day").text
    browser.open(gallery, "charts/kinds-and-places?least=1000")
    assert "Nothing matches the filters" in browser.card("Ten bars").text


def test_the_address_holds_what_is_shown(browser: Browser, gallery: Path) -> None:
    browser.open(gallery)
    assert browser.title == "Charts · Gallery"
    browser.choose("genre", "Drama")
    browser.show("charts", 1)
    assert browser.place == "charts/kinds-and-places?genre=Drama"
    assert browser.title == "Drama · Kinds and places · Charts · Gallery"
    browser.show("tables")
    assert (browser.place, browser.title) == ("tables", "Tables · Gallery")
    browser.back()
    assert browser.place == "charts/kinds-and-places?genre=Drama"
    assert "Ten bars" in [title for title, _, _ in browser.cards()]
    browser.back()
    assert browser.place == "charts?genre=Drama"
    browser.back()
    assert browser.run("return document.querySelector('[data-filter=genre]').selectedIndex") == 0
    # the address alone brings it all back
    browser.open(gallery, "charts/kinds-and-places?genre=Drama")
    assert browser.run("return document.querySelector('[data-filter=genre]').value") == '"Drama"'
    (bar,) = browser.card("Ten bars").find_elements("css selector", ".mark-rect path")
    assert bar.is_displayed()
    # what is no value is none; what the file has not is said
    browser.open(gallery, "charts?least=many&genre=Western")
    assert "This value is not in this file" in browser.one(".missing").text


def test_a_range_can_only_be_chosen_the_right_way_round(browser: Browser, gallery: Path) -> None:
    browser.open(gallery, "charts")
    browser.choose("year_from", "2000")
    offered = browser.run(
        "return [...document.querySelector('[data-filter=year_to]').options]"
        ".filter((option) => !option.disabled).map((option) => option.textContent)"
    )
    assert offered == ["Any", "2009"]
    browser.open(gallery, "charts?year_from=2009&year_to=1980")
    assert browser.run("return document.querySelector('[data-filter=year_from]').value") == "1980"


def test_tabs_by_keyboard(browser: Browser, gallery: Path) -> None:
    browser.open(gallery, "charts")
    inner = ".tabs.inner [aria-selected=true]"
    browser.run("document.querySelector(arguments[0]).focus()", inner)
    browser.press(Keys.ARROW_RIGHT)
    assert browser.one(inner).text == "Kinds and places"
    assert browser.place == "charts/kinds-and-places"
    browser.press(Keys.ARROW_RIGHT)
    assert browser.one(inner).text == "Over time"
    browser.press(Keys.END)
    assert browser.one(inner).text == "Kinds and places"
    controlled = browser.one(inner).get_attribute("aria-controls")
    assert browser.one(f"#{controlled}").get_attribute("role") == "tabpanel"


def test_tooltips_by_mouse_keys_and_touch(browser: Browser, gallery: Path) -> None:
    browser.open(gallery, "charts/kinds-and-places")
    plot = browser.card("Ten bars").find_element("css selector", ".plot")
    browser.hover(plot.find_elements("css selector", ".mark-rect path")[0])
    assert tooltip(browser) == "Science Fiction Value 100"
    browser.run("arguments[0].focus()", plot)
    browser.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert tooltip(browser) == "Fantasy Value 90"
    browser.press(Keys.ESCAPE)
    assert not browser.all(".tip")

    browser.look(width=390)
    browser.open(gallery, "charts")
    plot = browser.card("Weeks").find_element("css selector", ".plot")
    browser.tap(plot)
    assert re.match(r"\d+ \w{3} 2025 .*Family", tooltip(browser))
    browser.tap(browser.one("h1"))
    assert not browser.all(".tip")


def test_charts_are_told_and_listed(browser: Browser, gallery: Path) -> None:
    browser.open(gallery, "charts/kinds-and-places")
    card = browser.card("Ten bars")
    plot = card.find_element("css selector", ".plot")
    told = plot.get_attribute("aria-label") or ""
    assert told.startswith("Bar chart: Ten bars. 10 rows. Value from 10 (Action) to 100 (Science Fiction).")
    assert plot.find_element("css selector", "svg").get_attribute("aria-hidden") == "true"
    button = card.find_element("css selector", ".as-table")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    browser.wait()
    assert browser.column(card, "Genre")[0] == "Science Fiction"
    # the focus stays where it was, on the button that turns it back
    assert browser.run("return document.activeElement.getAttribute('aria-pressed')") == "true"


def test_on_a_phone(browser: Browser, gallery: Path) -> None:
    browser.look(width=390)
    browser.open(gallery, "charts")
    assert not browser.all("[data-filter]")
    browser.one(".fold").click()
    assert len(browser.all("[data-filter]")) == 4
    browser.choose("genre", "Drama")
    assert browser.one(".fold").text == "Filters: Drama"

    browser.open(gallery, "tables")
    card = browser.card("A table of many columns")
    assert card.find_element("css selector", ".hint").is_displayed()
    browser.run_async(
        "const scroll = arguments[0].querySelector('.scroll');"
        "scroll.addEventListener('scroll', () => setTimeout(done, 50));"
        "scroll.scrollLeft = scroll.scrollWidth;",
        card,
    )
    assert not card.find_element("css selector", ".hint").is_displayed()
    title = browser.card("Days since the newest snapshot that was taken").find_element("css selector", "h2")
    assert browser.run("return arguments[0].scrollWidth <= arguments[0].clientWidth", title)


def test_a_click_leads_on(browser: Browser, gallery: Path) -> None:
    browser.open(gallery, "films")
    table = browser.card("Film list")
    links = {link.text: link.get_attribute("href") or "" for link in table.find_elements("css selector", "a")}
    assert links["10"] == "https://example.com/films/1"
    # a link only where the file has the answer: of the ids it offers two
    assert {"One of % many", "Two"} <= set(links)
    assert "Three" not in links
    table.find_element("link text", "Two").click()
    browser.wait()
    assert browser.place == "films?film_id=2"
    assert browser.column(browser.card("Film list"), "Film") == ["Two"]
    browser.back()
    browser.card("Film list").find_element("link text", "Comedy").click()
    browser.wait()
    assert browser.place == "charts/kinds-and-places?genre=Comedy"
    browser.back()
    # a bar filters its own dashboard, by mouse and by key
    plot = browser.card("Films by genre").find_element("css selector", ".plot")
    plot.find_elements("css selector", ".mark-rect path")[0].click()
    browser.wait()
    assert browser.place == "films?genre=Drama"
    browser.back()
    browser.run("arguments[0].focus()", browser.card("Films by genre").find_element("css selector", ".plot"))
    browser.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ENTER)
    assert browser.place == "films?genre=Action"
