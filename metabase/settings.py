"""Where Metabase is and how to sign in: environment, then `.env`, then the default."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import warehouse
from metabase.errors import UsageError
from warehouse import environment
from warehouse.roles import READER

DEFAULT_URL = "http://127.0.0.1:3000"
DEFAULT_EMAIL = "admin@example.com"


@dataclass(frozen=True)
class Settings:
    """How to reach Metabase. Seconds: `wait` for it to boot, `timeout` for one answer."""

    url: str
    api_key: str | None
    email: str | None
    password: str | None
    setup_token: str | None
    wait: float
    timeout: float

    def __repr__(self) -> str:
        return f"Settings(url={self.url!r})"

    def redact(self, text: str) -> str:
        """`text` without any of the secrets."""
        for secret in (self.api_key, self.password, self.setup_token):
            if secret:
                text = text.replace(secret, "[redacted]")
        return text


@dataclass(frozen=True)
class Connection:
    """The warehouse as Metabase reaches it, with the role that can only read the marts."""

    host: str
    port: int
    database: str
    user: str
    password: str

    def __repr__(self) -> str:
        return f"Connection({self.user}@{self.host}:{self.port}/{self.database})"


def load(variables: Mapping[str, str] | None = None) -> Settings:
    """The settings. Raises `UsageError` that names what is missing or wrong."""
    given = _given(variables)
    url = (given.get("METABASE_URL") or DEFAULT_URL).rstrip("/")
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise UsageError(f"METABASE_URL={url!r} must be a URL such as {DEFAULT_URL}")
    settings = Settings(
        url=url,
        api_key=given.get("METABASE_API_KEY") or None,
        email=given.get("METABASE_ADMIN_EMAIL") or DEFAULT_EMAIL,
        password=given.get("METABASE_ADMIN_PASSWORD") or None,
        setup_token=given.get("METABASE_SETUP_TOKEN") or None,
        wait=_seconds(given, "METABASE_WAIT", "300"),
        timeout=_seconds(given, "METABASE_TIMEOUT", "60"),
    )
    if not settings.api_key and not settings.password:
        raise UsageError(
            "no way to sign in to Metabase: set METABASE_ADMIN_PASSWORD (`make env` makes one)"
            " or METABASE_API_KEY"
        )
    return settings


def connection() -> Connection:
    """How Metabase reaches the warehouse that the environment names. Raises `UsageError` when it can't."""
    given, named = _given(None), warehouse.named()
    host = given.get("METABASE_WAREHOUSE_HOST") or named["PGHOST"]
    if not host:
        raise UsageError(
            "Metabase can't reach the embedded PostgreSQL, nor another by a unix socket: set PGHOST to a"
            " server, and METABASE_WAREHOUSE_HOST where Metabase knows it by another name"
        )
    user = given.get("METABASE_READER") or READER
    password = given.get("METABASE_READER_PASSWORD")
    if not password:
        raise UsageError(
            f"METABASE_READER_PASSWORD is not set: the password of {user}, who reads the warehouse"
        )
    port = given.get("METABASE_WAREHOUSE_PORT") or named["PGPORT"]
    if "," in host or not port.isascii() or not port.isdigit():
        raise UsageError(
            f"Metabase takes one host and one port (host {host!r}, port {port!r}):"
            " set METABASE_WAREHOUSE_HOST and METABASE_WAREHOUSE_PORT"
        )
    return Connection(host, int(port), named["PGDATABASE"], user, password)


def _given(variables: Mapping[str, str] | None) -> Mapping[str, str]:
    if variables is not None:
        return variables
    environment.load()
    return os.environ


def _seconds(given: Mapping[str, str], name: str, default: str) -> float:
    text = given.get(name) or default
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 < seconds <= 86400:
        raise UsageError(f"{name}={text!r} must be a number of seconds, more than 0")
    return seconds
