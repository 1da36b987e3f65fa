"""``python -m metabase.preview``: the dashboards of PG*'s warehouse as one page, in a file or live."""

import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import click

import warehouse
from metabase import loader
from metabase import manifest as manifests
from metabase.errors import DashboardError, UsageError
from metabase.preview.answers import Answers
from metabase.preview.choices import MOST_VALUES
from metabase.preview.content import Content
from metabase.preview.live import AT_ONCE, Warehouse, serve
from metabase.preview.page import render_page
from metabase.preview.queries import connect
from metabase.spec import Spec


@click.command()
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("build/preview.html"),
    show_default=True,
    help="The page to write.",
)
@click.option("--serve", "live", is_flag=True, help="Serve the page, live, instead of writing it.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Where to serve it, on this machine alone; 0: any free one.",
)
@click.option(
    "--manifest",
    type=click.Path(dir_okay=False, path_type=Path),
    help="dbt's manifest.json; without it, dbt parses its project afresh (about four seconds).",
)
@click.option(
    "--values",
    type=click.IntRange(min=1),
    default=MOST_VALUES,
    show_default=True,
    help="Values that a filter offers at most in the file: fewer are faster and smaller.",
)
@click.option("--note", default="", help="Words to stand beside the data's date.")
@click.option(
    "--timeout",
    type=click.IntRange(1, 3600),
    default=60,
    show_default=True,
    help="Seconds that one query may take.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=loader.HERE,
    help="Where metabase.yml, dashboards/ and cards/ are, if they are not the project's.",
)
def main(
    output: Path,
    live: bool,
    port: int,
    manifest: Path | None,
    values: int,
    note: str,
    timeout: int,
    folder: Path,
) -> None:
    """Write the dashboards as one page that works from a file, without a network, or serve them live.

    Exit code 1 when the warehouse can't be asked or a card's SQL fails (the page is written and says it,
    too), 2 when the dashboards' files or an option are wrong, nothing is built yet, or the port is taken.
    """
    try:
        warehouse.enter()
        spec = loader.load(folder)
        models = manifests.read(spec, manifest)
        if live:
            _serve(Warehouse(spec, models, note=note, seconds=timeout), port)
        else:
            _write(spec, models, output, values, note, timeout)
    except (UsageError, warehouse.UsageError) as error:
        click.echo(f"preview: {error}", err=True)
        sys.exit(2)
    except (DashboardError, warehouse.WarehouseError, OSError) as error:
        click.echo(f"preview: {error}", err=True)
        sys.exit(1)


def _write(
    spec: Spec, models: manifests.Manifest, output: Path, values: int, note: str, timeout: int
) -> None:
    began = time.monotonic()
    with connect({model.schema for model in models.models.values()}, timeout, AT_ONCE) as reader:
        content = Content(spec, Answers(spec, models, reader), most_values=values)
        page = render_page(content, datetime.now(UTC), note)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(page.html, encoding="utf-8")
    click.echo(output)
    size = output.stat().st_size / 1e6
    click.echo(
        f"{page.cards} cards, {page.answers} answers, {size:.1f} MB, {time.monotonic() - began:.0f} s",
        err=True,
    )
    for name, message in page.failed:
        click.echo(f"preview: the card {name!r} failed: {message}", err=True)
    if page.failed:
        sys.exit(1)


def _serve(live: Warehouse, port: int) -> None:
    # what is wrong with the warehouse is told here, not first in the browser
    live.page()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        serve(live, port, lambda address: click.echo(f"{address} (Ctrl-C ends it)"))
    except KeyboardInterrupt:
        click.echo("")


if __name__ == "__main__":
    main()
