"""The helpers of the Makefile and of the image: each is run as `python -m tools.NAME`."""

import common  # noqa: F401 (first, for Ctrl-C)
