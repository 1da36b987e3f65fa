"""The stand-in of these tests: 2,000 synthetic films on a fixed day, and a client for it."""

from collections.abc import Iterator

import pytest

from demo.server import StandIn
from tests.demo.client import DAY, Api


@pytest.fixture(scope="session")
def tmdb() -> Iterator[StandIn]:
    """A running stand-in that no test changes."""
    with StandIn(films=2000, today=DAY) as stand_in:
        yield stand_in


@pytest.fixture
def own() -> Iterator[StandIn]:
    """A small running stand-in for one test to change."""
    with StandIn(films=100, today=DAY) as stand_in:
        yield stand_in


@pytest.fixture(scope="session")
def get(tmdb: StandIn) -> Iterator[Api]:
    """Asks the shared stand-in."""
    api = Api(tmdb)
    with api.client:
        yield api


@pytest.fixture
def ask(own: StandIn) -> Iterator[Api]:
    """Asks the test's own stand-in."""
    api = Api(own)
    with api.client:
        yield api
