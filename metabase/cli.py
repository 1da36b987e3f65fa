"""`python -m metabase`: check the dashboards' files, plan and apply them, export what was clicked together.

Exit: 0 done, 1 failed, 2 wrong use, configuration or files. Diagnostics go to stderr, data to stdout.
"""

import logging
import sys
from pathlib import Path

import click

import warehouse
from metabase import analysis, exposures, loader, manifest, settings
from metabase.errors import DashboardError, UsageError, shown
from metabase.loader import HERE
from warehouse import environment


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("-v", "--verbose", is_flag=True, help="Say what dbt-metabase decides, too.")
def cli(verbose: bool) -> None:
    """Dashboards as files, and Metabase brought to what they say.

    Where Metabase is and how to sign in: METABASE_URL, METABASE_ADMIN_EMAIL and METABASE_ADMIN_PASSWORD, or
    METABASE_API_KEY (environment or .env).
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("dbtmetabase").setLevel(logging.INFO if verbose else logging.CRITICAL)
    logging.getLogger("urllib3").setLevel(logging.ERROR)


_manifest_option = click.option(
    "--manifest",
    "manifest_path",
    type=click.Path(path_type=Path),
    help="dbt's manifest.json; without it the dbt project is parsed.",
)
_folder_option = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=HERE,
    help="The folder of metabase.yml, dashboards/ and cards/; by default the project's.",
)
_prune_option = click.option(
    "--prune", is_flag=True, help="Archive what is in the managed collections and in no file."
)
_adopt_option = click.option(
    "--adopt", is_flag=True, help="Also change what has our names and was not made from the files."
)


@cli.command(short_help="Check the files against dbt's models, offline.")
@_manifest_option
@_folder_option
def check(manifest_path: Path | None, folder: Path) -> None:
    """Check the files, offline: format, grid, filters; models and columns against dbt; the exposures."""
    content = loader.load(folder)
    analysis.check(content, manifest.read(content, manifest_path))
    # a project that has none yet may do without
    if content.exposures.exists() and not exposures.is_fresh(content):
        raise UsageError(f"{shown(content.exposures)} is stale: `python -m metabase exposures` writes it")
    click.echo(
        f"{len(content.dashboards)} dashboards with {len(content.cards)} cards: "
        "every filter, model and column is there"
    )


@cli.command(name="exposures", short_help="Write the dashboards as dbt exposures.")
@_folder_option
def write_exposures(folder: Path) -> None:
    """Write the dashboards as dbt exposures, for dbt's docs and lineage."""
    content = loader.load(folder)
    exposures.write(content)
    click.echo(shown(content.exposures))


@cli.command()
@_manifest_option
@_folder_option
@_prune_option
@_adopt_option
def plan(manifest_path: Path | None, folder: Path, prune: bool, adopt: bool) -> None:
    """Say what `apply` would change; writes nothing."""
    _reconcile(manifest_path, folder, prune, adopt, planning=True)


@cli.command(short_help="Bring Metabase to what the files say; run every card.")
@_manifest_option
@_folder_option
@_prune_option
@_adopt_option
@click.option("--no-run", is_flag=True, help="Afterwards run only the cards that fill drop-downs.")
def apply(manifest_path: Path | None, folder: Path, prune: bool, adopt: bool, no_run: bool) -> None:
    """Bring Metabase to what the files say, then run every card; a failed one fails the command.

    Waits for Metabase to boot and does its first-run setup. Only what differs is written, so a second apply
    writes nothing. What the server did not keep of a write is told, and fails the command.
    """
    _reconcile(manifest_path, folder, prune, adopt, planning=False, run=not no_run)


@cli.command(name="export", short_help="Write what was clicked in Metabase into the files.")
@_manifest_option
@_folder_option
@click.argument("what", required=False)
def export_files(manifest_path: Path | None, folder: Path, what: str | None) -> None:
    """Write what was clicked in Metabase into the files: `git diff` shows it, `apply` then writes nothing.

    WHAT is a dashboard or a collection, by path (TMDB/My films) or the number in a dashboard's address.
    Without it, every dashboard of the files.
    """
    from metabase.client import Client
    from metabase.export import Exporter

    known = settings.load()
    content = loader.load(folder)
    client = Client(known)
    client.wait_until_ready()
    client.sign_in()
    exporter = Exporter(client, content, manifest.read(content, manifest_path))
    exporter.export(what)
    for path in exporter.write():
        click.echo(shown(path))
    for left in exporter.left_out:
        click.echo(f"not brought over: {left}", err=True)


def _reconcile(
    manifest_path: Path | None, folder: Path, prune: bool, adopt: bool, *, planning: bool, run: bool = False
) -> None:
    # half a second to import, and not needed for a check
    from metabase.apply import Change, Reconciler
    from metabase.client import Client

    def folded(change: Change) -> bool:
        """Whether a change is one of the hundreds that the first apply makes to columns: they are counted."""
        verbose = logging.getLogger("dbtmetabase").level == logging.INFO
        return not planning and not verbose and change.what.startswith("field ")

    known, connection = settings.load(), settings.connection()
    content = loader.load(folder)
    models = manifest.read(content, manifest_path)
    analysis.check(content, models)
    client = Client(known)
    client.wait_until_ready()
    first_run = not client.has_user_setup
    if first_run:
        click.echo(f"+ the first user {known.email}")
        if not planning:
            client.set_up(content.owner["name"])
    else:
        client.sign_in()
    reconciler = Reconciler(
        client,
        content,
        models,
        connection,
        planning=planning,
        prune=prune,
        adopt=adopt,
        report=lambda change: None if folded(change) else click.echo(str(change)),
    )
    reconciler.run(empty=first_run and planning)
    made = len(reconciler.changes)
    if fields := sum(map(folded, reconciler.changes)):
        click.echo(
            f"~ {fields} columns: what they mean, their keys and filters (`--verbose apply` names them)"
        )
    if planning:
        click.echo(f"{made} to change; nothing was written" if made else "nothing to change")
        return
    click.echo(f"{made} changed" if made else "nothing to change: Metabase is as the files say")
    if reconciler.others and not prune:
        names = ", ".join(f"{other.model} {other.path}" for other in reconciler.others[:20])
        click.echo(f"in no file, and left alone (--prune archives it): {names}", err=True)
    told = [f"{failure.card}: {failure.error}" for failure in reconciler.run_cards(only_values=not run)]
    if told:
        told.insert(0, f"{len(told)} cards can't be run:")
    elif run:
        click.echo(f"{len(content.cards)} cards ran; {known.url} has the dashboards")
    if reconciler.not_kept:
        told.append(f"Metabase ({client.version[1]}) did not keep all that it was sent:")
        told += map(str, reconciler.not_kept)
    if told:
        raise DashboardError("\n".join(told))


def main() -> None:
    """Run a command; end the process with its exit code."""
    try:
        environment.load()
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except (DashboardError, warehouse.UsageError) as error:
        click.echo(f"metabase: {error}", err=True)
        sys.exit(2 if isinstance(error, (UsageError, warehouse.UsageError)) else 1)
