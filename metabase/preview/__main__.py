"""``python -m metabase.preview --output build/preview.html``: the dashboards of PG*'s warehouse as a page."""

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from metabase import loader
from metabase import manifest as manifests
from metabase.errors import DashboardError, UsageError
from metabase.preview.answers import Answers
from metabase.preview.choices import MOST_VALUES
from metabase.preview.page import render_page
from metabase.preview.queries import connect


@click.command()
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("build/preview.html"),
    show_default=True,
    help="The page to write.",
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
    help="Values that a filter offers at most: fewer are faster and smaller.",
)
@click.option("--note", default="", help="Words to stand beside the data's date.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=loader.HERE,
    help="Where metabase.yml, dashboards/ and cards/ are, if they are not the project's.",
)
def main(output: Path, manifest: Path | None, values: int, note: str, folder: Path) -> None:
    """Write the dashboards as one page that works from a file, without a network.

    Exit code 1 when the warehouse can't be asked or a card's SQL fails (the page is written and says it,
    too), 2 when the dashboards' files are wrong.
    """
    began = time.monotonic()
    try:
        spec = loader.load(folder)
        models = manifests.load(manifest) if manifest else _parsed()
        with connect() as reader:
            answers = Answers(spec, models, reader)
            extent = reader.extent()
            page = render_page(spec, answers, extent, datetime.now(UTC), most_values=values, note=note)
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(page.html, encoding="utf-8")
    except UsageError as error:
        click.echo(f"preview: {error}", err=True)
        sys.exit(2)
    except (DashboardError, OSError) as error:
        click.echo(f"preview: {error}", err=True)
        sys.exit(1)
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


def _parsed() -> manifests.Manifest:
    with tempfile.TemporaryDirectory(prefix="preview-") as folder:
        return manifests.parse(Path(folder))


if __name__ == "__main__":
    main()
