"""A client of the stand-in for its tests."""

from datetime import date

import httpx

from demo.server import StandIn

#: The day that the tests' stand-ins answer for.
DAY = date(2026, 7, 15)


class Api:
    """GET requests with the token."""

    def __init__(self, stand_in: StandIn) -> None:
        headers = {"Authorization": f"Bearer {stand_in.token}"}
        self.client = httpx.Client(base_url=stand_in.base_url, headers=headers, trust_env=False, timeout=20)

    def __call__(self, path: str, **parameters: object) -> httpx.Response:
        names = {name.replace("__", "."): str(value) for name, value in parameters.items()}
        return self.client.get(path, params=names)
