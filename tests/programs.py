"""The project's programs, run as a person runs them, without a wait for Python to start and import each time.

A process that has imported what they import copies itself for each run (`fork`): one of its own, with the
environment, folder and output that `python -m` would have. What Python itself reads from the environment
(`PYTHONUTF8`, the locale) it read before, so tests of that start Python anew.
"""

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
# also what a command imports only when it is used
_FORKS.set_forkserver_preload(
    [
        *("extractor.cli", "extractor.pipeline", "extractor.keeping.status", "extractor.keeping.load"),
        *(
            "warehouse.cli",
            "demo.cli",
            "metabase.cli",
            "metabase.preview.live",
            "metabase.preview.page",
            "export.cli",
            __name__,
        ),
    ]
)


def run(
    module: str, words: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """`python -m module words…` to its end; what it wrote, as `subprocess.run` would return it.

    Raises `subprocess.TimeoutExpired` after ``timeout`` seconds.
    """
    command = [sys.executable, "-m", module, *words]
    with tempfile.TemporaryDirectory() as folder:
        process = _FORKS.Process(target=_become, args=(module, command, str(cwd), dict(env), folder))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(command, timeout)
        stdout, stderr = ((Path(folder) / name).read_text() for name in ("stdout", "stderr"))
    return subprocess.CompletedProcess(command, process.exitcode, stdout, stderr)


def _become(module: str, command: list[str], cwd: str, env: dict[str, str], folder: str) -> None:
    for number, path in enumerate((os.devnull, f"{folder}/stdout", f"{folder}/stderr")):
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, number)
        os.close(file)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    sys.argv = command[2:]
    sys.modules.pop(module, None)  # what another program has imported, Python would warn of running
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()
