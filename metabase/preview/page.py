"""The page: what the dashboards' files say and the warehouse holds, in one HTML file that loads nothing."""

import base64
import gzip
import hashlib
import html
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from string import Template
from tempfile import NamedTemporaryFile
from typing import Any

from markdown_it import MarkdownIt

from metabase.errors import DashboardError
from metabase.manifest import PROJECT
from metabase.preview.answers import Answers
from metabase.preview.choices import MOST_VALUES, Choice, choices, combinations, combine
from metabase.preview.queries import CardError, Extent, Rows
from metabase.spec import Card, Dashboard, Item, Spec, tag_values
from metabase.template import Value

ASSETS = Path(__file__).resolve().parent / "assets"
NOTICE = "This product uses the TMDB API but is not endorsed or certified by TMDB."
"""TMDB's terms ask for these words: https://developer.themoviedb.org/docs/faq."""
PLOTS = frozenset({"bar", "row", "line", "area", "combo", "scatter", "pie", "map"})
"""Displays drawn as a chart; others than these, numbers and objects are shown as a table."""

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
# only what the page uses: the whole bundle would also carry the libraries' global names
_LIBRARY = "window.vegaEmbed = vegaEmbed;"
_COLUMN_KEYS = {
    "column_title": "title",
    "number_style": "style",
    "decimals": "decimals",
    "currency": "currency",
    "prefix": "prefix",
    "suffix": "suffix",
    "scale": "scale",
    "show_mini_bar": "bar",
    "link_text": "linkText",
}
"""Metabase's column settings, and what the page's program calls them."""


@dataclass(frozen=True)
class Page:
    """The HTML, and the cards whose SQL failed: name and PostgreSQL's message."""

    html: str
    failed: tuple[tuple[str, str], ...]
    cards: int
    answers: int


def render_page(
    spec: Spec,
    answers: Answers,
    extent: Extent,
    written: datetime,
    *,
    most_values: int = MOST_VALUES,
    note: str = "",
) -> Page:
    """Ask everything and write the page.

    `written` is the moment shown on it, in UTC; `most_values` what a filter offers at most; `note` stands
    beside the data's date.
    """
    failed: dict[str, str] = {}
    dashboards = [_dashboard(dashboard, spec, answers, failed, most_values) for dashboard in spec.dashboards]
    content = {
        "dashboards": dashboards,
        "results": [_result(rows) for rows in answers.results],
        "spots": json.loads((ASSETS / "spots.json").read_text()),
        "world": json.loads((ASSETS / "world.json").read_text()),
    }
    return Page(
        html=_document(content, extent, written, note),
        failed=tuple(failed.items()),
        cards=sum(card["kind"] == "card" for dashboard in dashboards for card in dashboard["cards"]),
        answers=len(answers.results),
    )


# --- dashboards


def _dashboard(
    dashboard: Dashboard, spec: Spec, answers: Answers, failed: dict[str, str], most_values: int
) -> dict[str, Any]:
    try:
        offered = choices(dashboard, answers, most_values)
    except CardError as error:
        failed[f"{dashboard.name}: values of a filter"] = str(error)
        offered = []
    cards = [
        _item(f"{dashboard.key}-{number}", tab, item, dashboard, spec, offered, answers, failed)
        for number, (tab, item) in enumerate(
            (tab, item) for tab, layout in enumerate(dashboard.tabs) for item in layout.items
        )
    ]
    return {
        "slug": dashboard.key.replace("_", "-"),
        "name": dashboard.name,
        "about": dashboard.description,
        "tabs": [tab.name for tab in dashboard.tabs if tab.name],
        "filters": [_filter(choice) for choice in offered],
        "together": [[one.filter.key for one in pair] for pair in _pairs(offered)],
        "note": _note(offered),
        "cards": _without_gaps(cards),
    }


def _without_gaps(cards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cards without the attribution alone: the page's foot has it."""
    return [card for card in cards if not (card["kind"] == "text" and _is_notice(card["html"]))]


def _is_notice(text: str) -> bool:
    return re.sub(r"<[^>]*>", "", html.unescape(text)).strip() == NOTICE


def _filter(choice: Choice) -> dict[str, Any]:
    return {
        "slug": choice.filter.key,
        "name": choice.filter.name,
        "options": [_label(choice, value) for value in choice.values],
        "default": choice.default,
    }


def _label(choice: Choice, value: Value | None) -> str:
    if value is None:
        return "Choose…" if choice.filter.search else "Any"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _note(offered: Sequence[Choice]) -> str:
    """What the filters can't do without Metabase."""
    if not offered:
        return ""
    notes = []
    if sum(len(choice.values) > 1 for choice in offered) > 1:
        pairs = [" and ".join(one.filter.name for one in pair) for pair in _pairs(offered)]
        notes.append("One filter at a time here" + "".join(f", but {pair} combine" for pair in pairs) + ".")
    for choice in offered:
        if choice.left_out:
            some = sum(value is not None for value in choice.values)
            notes.append(f"{choice.filter.name}: {some} of {some + choice.left_out:,} values.")
        if choice.filter.values is None and not choice.values:
            notes.append(f"{choice.filter.name}: only in Metabase.")
    return " ".join([*notes, "Metabase has every value in any combination."]) if notes else ""


def _pairs(offered: Sequence[Choice]) -> list[tuple[Choice, Choice]]:
    return [pair for pair in itertools.combinations(offered, 2) if combine(pair[0].filter, pair[1].filter)]


def _item(
    key: str,
    tab: int,
    item: Item,
    dashboard: Dashboard,
    spec: Spec,
    offered: list[Choice],
    answers: Answers,
    failed: dict[str, str],
) -> dict[str, Any]:
    place = item.place
    common = {
        "id": key,
        "tab": tab,
        "row": place.row,
        "col": place.col,
        "width": place.width,
        "height": place.height,
    }
    if item.card is None:
        if item.heading is not None:
            return {**common, "kind": "heading", "text": item.heading}
        return {**common, "kind": "text", "html": _MARKDOWN.render(item.text or "")}
    card = spec.cards[item.card]
    settings = {**card.settings, **item.settings}
    results: dict[str, int] = {}
    error = None
    for combination, values in combinations(offered, frozenset(item.filters)):
        try:
            tags = tag_values(dashboard, item, values)
            results[combination] = answers.ask(card, tags, filtered=bool(combination))
        except CardError as problem:
            error = str(problem)
            failed[f"{dashboard.name} / {card.name}"] = error
            break
    return {
        **common,
        "kind": "card",
        "title": item.title or settings.get("card.title") or card.name,
        "about": card.description,
        "display": card.display,
        "plot": card.display in PLOTS,
        "settings": {name: value for name, value in settings.items() if name != "column_settings"},
        "columns": _columns(card, settings),
        "filters": list(item.filters),
        "results": results,
        "error": error,
    }


def _columns(card: Card, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The settings of columns by name."""
    columns = {}
    for key, raw in settings.get("column_settings", {}).items():
        name = json.loads(key)[1]
        columns[name] = {_COLUMN_KEYS[word]: value for word, value in raw.items() if word in _COLUMN_KEYS}
        if raw.get("view_as") == "link":
            columns[name]["link"] = True
        if raw.get("number_separators") == ".":
            columns[name]["plain"] = True
    return columns


def _result(rows: Rows) -> dict[str, Any]:
    return {
        "columns": [
            {
                "name": column.name,
                "title": column.name,
                "type": column.type,
                # a year or an id is a name, not an amount: no thousands separator
                **(
                    {"plain": True}
                    if column.type == "integer" and re.search(r"\b(year|id|run)\b", column.name, re.I)
                    else {}
                ),
            }
            for column in rows.columns
        ],
        "rows": rows.rows,
        "total": rows.total,
    }


# --- the document


def _document(content: Mapping[str, Any], extent: Extent, written: datetime, note: str) -> str:
    packed = gzip.compress(
        json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(), 9, mtime=0
    )
    library = _library()
    program = (ASSETS / "page.js").read_text(encoding="utf-8")
    scripts = [_safe_script(library), _safe_script(program)]
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    return Template((ASSETS / "page.html").read_text(encoding="utf-8")).substitute(
        hashes=" ".join(f"'sha256-{digest}'" for digest in digests),
        style=(ASSETS / "page.css").read_text(encoding="utf-8"),
        as_of=_as_of(extent) + (f" · {html.escape(note)}" if note else ""),
        written=f"{written.day} {written:%B %Y, %H:%M} UTC",
        database=html.escape(extent.database),
        notice=NOTICE,
        # base64 holds no character that HTML gives a meaning to
        data=base64.b64encode(packed).decode(),
        library=scripts[0],
        program=scripts[1],
    )


def _library() -> str:
    """Vega-Embed with Vega-Lite and Vega. Bundling takes three seconds, so the bundle is kept in build/."""
    try:
        import vl_convert
    except ModuleNotFoundError as error:
        raise DashboardError(
            "the chart library is not installed here (vl-convert-python): `make setup` installs it;"
            " the container image leaves it out"
        ) from error
    kept = PROJECT / "build" / f"vega-{version('vl-convert-python')}.js"
    try:
        return kept.read_text(encoding="utf-8")
    except FileNotFoundError:
        pass
    library = vl_convert.javascript_bundle(_LIBRARY)
    try:
        kept.parent.mkdir(exist_ok=True)
        # two runs at once must never see half a file
        with NamedTemporaryFile("w", encoding="utf-8", dir=kept.parent, delete=False) as file:
            file.write(library)
        Path(file.name).replace(kept)
    except OSError:
        # the project's folder may not be ours to write in; then it takes three seconds again
        pass
    return library


def _safe_script(text: str) -> str:
    """JavaScript that can't end its element early. Carriage returns would change the hash in the browser."""
    return (
        re.sub(r"</(?=script)", r"<\\/", text, flags=re.IGNORECASE).replace("\r\n", "\n").replace("\r", "\n")
    )


def _as_of(extent: Extent) -> str:
    if extent.last is None:
        return "no snapshot yet"
    last = f"{extent.last.day} {extent.last:%B %Y}"
    days = "1 snapshot date" if extent.days == 1 else f"{extent.days:,} snapshot dates"
    return f"Data of <b>{last}</b> · {extent.films:,} films in all · {days}"
