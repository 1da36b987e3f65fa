"""What `make bench` measures of a program is what the program did."""

import os
import sys
import time

import pytest

from benchmarks.process import ProgramFailedError, run

BURN = "import time\nwhile time.process_time() < 0.5: pass\n"


def test_measures_cpu_of_the_program_and_of_its_children() -> None:
    children = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}], check=True)\n{BURN}"
    cost = run([sys.executable, "-c", children], os.environ)
    assert 1.0 <= cost.cpu < 3.0
    assert cost.wall >= 0.9


def test_measures_the_peak_memory_and_not_what_is_left_at_the_end() -> None:
    program = "import time\nheld = b'x' * 200_000_000\ndel held\ntime.sleep(0.5)"
    cost = run([sys.executable, "-c", program], os.environ)
    assert 200e6 <= cost.peak < 260e6


def test_the_memory_of_the_measuring_program_is_not_counted() -> None:
    held = b"x" * 300_000_000
    cost = run([sys.executable, "-c", "import time; time.sleep(0.4)"], os.environ)
    assert 1e6 < cost.peak < 100e6 < len(held)


def test_adds_up_the_memory_of_children() -> None:
    child = "import time; held = b'x' * 80_000_000; time.sleep(1)"
    program = (
        "import subprocess, sys\n"
        f"both = [subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in range(2)]\n"
        "[one.wait() for one in both]"
    )
    cost = run([sys.executable, "-c", program], os.environ)
    assert cost.peak >= 160e6


def test_a_program_that_fails_is_an_error_with_its_last_words() -> None:
    with pytest.raises(ProgramFailedError, match=r"exit code 3:\n(.*\n)*out of films"):
        run([sys.executable, "-c", "print('out of films'); raise SystemExit(3)"], os.environ)


def test_waits_for_the_end_of_the_program() -> None:
    began = time.perf_counter()
    cost = run([sys.executable, "-c", "import time; time.sleep(0.3)"], os.environ)
    assert 0.3 <= cost.wall <= time.perf_counter() - began
