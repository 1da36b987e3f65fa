"""Write ``requirements/*.lock`` from ``pyproject.toml``: ``python tools/lock.py [--upgrade]``.

uv resolves for every platform and Python at once, which pip can't. It is installed into a virtual environment
of its own under ``build/``, as nothing else needs it.
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

import click

_UV = "uv>=0.8,<1"
_LOCKS: tuple[tuple[str, list[str], str | None], ...] = (
    # the file, its dependency groups, the lock it must agree with
    ("dev", ["--group", "dev"], None),
    ("run", [], "dev"),
    ("bench", ["--group", "dev", "--group", "bench"], "dev"),
)


@click.command()
@click.option(
    "--upgrade", is_flag=True, help="Take newer versions too, not only what pyproject.toml asks for."
)
def main(upgrade: bool) -> None:
    """Write the locks anew; exit code 1 when uv can't be installed or finds no solution."""
    project = Path(__file__).resolve().parent.parent
    uv = _install_uv(project / "build" / "uv")
    for name, groups, constraint in _LOCKS:
        output = f"requirements/{name}.lock"
        command = [str(uv), "pip", "compile", "pyproject.toml", *groups, "--output-file", output, "--quiet"]
        command += ["--universal", "--python-version", "3.11", "--generate-hashes"]
        command += ["--no-emit-index-url", "--no-header", "--no-strip-extras"]
        if constraint:
            command += ["--constraint", f"requirements/{constraint}.lock"]
        if upgrade:
            command.append("--upgrade")
        _run(command, project)
        click.echo(output)


def _install_uv(folder: Path) -> Path:
    uv = folder / "bin" / "uv"
    if not uv.exists():
        venv.create(folder, with_pip=True, clear=True)
        _run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", _UV], folder)
    return uv


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, env=os.environ, check=False)
    if done.returncode != 0:
        click.echo(f"make lock: failed (exit code {done.returncode}): {' '.join(command)}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
