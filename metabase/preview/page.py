"""The page's document: one HTML text with its style, its program, the chart library and its content in it."""

import base64
import gzip
import hashlib
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from string import Template
from tempfile import NamedTemporaryFile
from typing import Any

from metabase.errors import DashboardError
from metabase.manifest import PROJECT
from metabase.preview.content import ASSETS, Content
from metabase.preview.queries import Extent
from metabase.spec import Frame

PROGRAM = ("format.js", "charts.js", "cards.js", "filters.js", "page.js")
"""The program's parts, in the order in which they need one another."""

# only what the page uses: the whole bundle would also carry the libraries' global names
_LIBRARY = "window.vegaEmbed = vegaEmbed;"


@dataclass(frozen=True)
class Page:
    """The HTML, and the cards whose SQL failed: name and PostgreSQL's message."""

    html: str
    failed: tuple[tuple[str, str], ...]
    cards: int
    answers: int


def render_page(content: Content, written: datetime, note: str = "") -> Page:
    """Ask everything and write the page.

    `written` is the moment shown on it, in UTC; `note` stands beside the data's date.
    """
    extent = content.extent()
    frame = content.spec.preview
    built = {"title": frame.title, **content.build()}
    notes = [_as_of(extent)] if extent else []
    origin = "its database" if extent is None else f"the database {extent.database}"
    return Page(
        html=_document(built, frame, " · ".join([*notes, *([note] if note else [])]), origin, written),
        failed=tuple(content.failed.items()),
        cards=sum(card["kind"] == "card" for dashboard in built["dashboards"] for card in dashboard["cards"]),
        answers=len(built["results"]),
    )


def _document(content: Mapping[str, Any], frame: Frame, as_of: str, source: str, written: datetime) -> str:
    packed = gzip.compress(
        json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(), 9, mtime=0
    )
    parts = "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in PROGRAM)
    scripts = [_safe_script(text) for text in (_library(), f'"use strict";\n(() => {{\n{parts}\n}})();')]
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    moment = f"{written.day} {written:%B %Y, %H:%M} UTC"
    source = html.escape(source)
    if content["live"]:
        origin = f"Every card is asked of {source} when it is shown; the page only reads."
    else:
        origin = (
            f"Written {moment} from {source}. <code>make preview SERVE=1</code> shows the same dashboards"
            " live, with every filter in any combination. Nothing on this page is loaded from a network."
        )
    return Template((ASSETS / "page.html").read_text(encoding="utf-8")).substitute(
        hashes=" ".join(f"'sha256-{digest}'" for digest in digests),
        connect="'self'" if content["live"] else "'none'",
        title=html.escape(frame.title),
        style=(ASSETS / "page.css").read_text(encoding="utf-8"),
        as_of=html.escape(as_of),
        origin=origin,
        notice=f"<p>{html.escape(frame.attribution)}</p>" if frame.attribution else "",
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
        return "no data yet"
    days = "1 date" if extent.days == 1 else f"{extent.days:,} dates"
    return f"Data of {extent.last.day} {extent.last:%B %Y} · {days}"
