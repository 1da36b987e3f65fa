"""`python -m demo`."""

from demo.cli import main

main(prog_name="python -m demo")
