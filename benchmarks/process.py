"""What a program costs as a whole process: wall time, CPU time, peak memory."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import psutil

#: Between two looks at a program's memory, s: often enough for what builds up over seconds, at under 1 % of a
#: core. What a single process has at most between two looks is not missed: Linux keeps it.
_INTERVAL: Final = 0.1


@dataclass(frozen=True)
class Cost:
    """Seconds of wall and CPU (user and system, ended children included), and the peak resident memory in
    bytes of the program and its children together.
    """

    wall: float
    cpu: float
    peak: int


class ProgramFailedError(click.ClickException):
    """A measured program did not succeed; the message has the end of its output."""


def run(command: Sequence[str], environment: Mapping[str, str]) -> Cost:
    """Run `command` to its end. Raises `ProgramFailedError`."""
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=dict(environment), stdout=said, stderr=said)
        watch = Watch(process.pid)
        watch.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            watch.stop()
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            tail = "\n".join(said.read().splitlines()[-20:])
            raise ProgramFailedError(
                f"`{' '.join(command)}` ended with exit code {process.returncode}:\n{tail}"
            )
    return Cost(wall, usage.ru_utime + usage.ru_stime, watch.peak)


class Watch(threading.Thread):
    """Follows the memory of a process and its children. (The kernel's own figure for a child that has ended,
    ru_maxrss, is no use: it begins with the size of the process that started it.)
    """

    def __init__(self, pid: int) -> None:
        super().__init__(name=f"watch {pid}", daemon=True)
        self.peak = 0
        self._process = psutil.Process(pid)
        self._status = Path(f"/proc/{pid}/status")
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(_INTERVAL):
            try:
                family = [self._process, *self._process.children(recursive=True)]
                self.peak = max(self.peak, self._most(), sum(_resident(member) for member in family))
            except psutil.NoSuchProcess:
                return

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def _most(self) -> int:
        try:
            lines = self._status.read_text().splitlines()
        except OSError:  # no Linux, or it has ended
            return 0
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
