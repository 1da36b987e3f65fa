"""Metabase's API: `metabase-api`'s four verbs, wrapped once with timeouts, bounded retries and typed errors.

Of `metabase-api` (3.6) only `get`, `post`, `put` in their ``'raw'`` form are used: its constructor and
session check call without a timeout, its verbs swallow errors, its helpers speak forms that Metabase dropped.
Written from the API's sources and published contract for 0.58 to 0.65; not run against a live Metabase.
"""

import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from metabase_api import Metabase_API  # type: ignore[import-untyped]

from metabase.errors import DashboardError, UsageError
from metabase.settings import Settings

log = logging.getLogger(__name__)

OLDEST, NEWEST = 58, 65
"""The lines of Metabase that this is written for."""

_CONNECT_SECONDS: Final = 5.0
_TRIES: Final = 4
_TEMPORARY: Final = (502, 503, 504)
_PAGE: Final = 200


class ApiError(DashboardError):
    """Metabase refused a request; `status` and `body` are its answer."""

    def __init__(self, method: str, path: str, status: int, body: str) -> None:
        self.method, self.path, self.status, self.body = method, path, status, body
        super().__init__(
            f"Metabase answered {status} to {method} {path}: {body[:2000].strip() or '(nothing)'}"
        )


class UnreachableError(DashboardError):
    """No answer came."""


class Client(Metabase_API):  # type: ignore[misc]  # it has no types
    """A signed-in Metabase.

    `writes` counts the requests that may have changed something there: every one but reads and queries.
    """

    def __init__(self, settings: Settings, sleep: Callable[[float], None] = time.sleep) -> None:
        _leave_out_of_proxies(settings.url)
        # metabase-api's own constructor signs in at once and without a timeout
        self.domain = settings.url
        self.header: dict[str, str] = {}
        self.auth = None
        self.email = None
        self.is_admin = True
        self.settings = settings
        self.version: tuple[int, str] = (0, "unknown")
        self.has_user_setup = True
        self.writes = 0
        self._sleep = sleep
        # A proxy for the internet knows neither this machine nor the names of a Docker network: HTTP_PROXY,
        # where it is set, would have it say that there is no Metabase.
        host = urlsplit(settings.url).hostname or ""
        self._is_near = "." not in host or host.startswith("127.") or ":" in host

    def validate_session(self) -> bool:
        """Does nothing: metabase-api would ask before every request; `request` signs in again on a 401."""
        return True

    # --- connecting

    def wait_until_ready(self) -> None:
        """Wait until Metabase has booted; read its version. Raises `UnreachableError` after `wait` seconds.

        The health check is green before everything else answers, so the public properties are asked too.
        """
        deadline = time.monotonic() + self.settings.wait
        said = None
        while True:
            try:
                self._send("GET", "/api/health", {})
                properties = self._send("GET", "/api/session/properties", {}).json()
                break
            except (ApiError, UnreachableError, ValueError) as error:
                state = f"{error.status}: {error.body[:200]}" if isinstance(error, ApiError) else str(error)
                if isinstance(error, ApiError) and error.status not in _TEMPORARY:
                    raise DashboardError(f"what answers at {self.domain} is no Metabase ({state})") from error
            if time.monotonic() >= deadline:
                raise UnreachableError(
                    f"no Metabase is ready at {self.domain} after {self.settings.wait:g} s ({state}). "
                    "Is it running (`make up`), and is METABASE_URL right?"
                )
            if state != said:
                log.info("waiting for Metabase at %s (%s)", self.domain, state)
                said = state
            self._sleep(1.0)
        if not isinstance(properties, dict) or "has-user-setup" not in properties:
            raise DashboardError(f"what answers at {self.domain} is no Metabase: it has no has-user-setup")
        self.has_user_setup = bool(properties["has-user-setup"])
        self._setup_token = properties.get("setup-token")
        self._read_version(properties)

    def set_up(self, site_name: str) -> None:
        """Make the first user, whom the settings name. Raises `UsageError` when that isn't possible.

        Where somebody was faster (a half-done or concurrent first run), sign in.
        """
        settings = self.settings
        if not (settings.email and settings.password):
            raise UsageError(
                "this Metabase has no user yet: METABASE_ADMIN_EMAIL and _PASSWORD name the first"
            )
        token = settings.setup_token or self._setup_token
        if not token:
            raise UsageError(
                "this Metabase has no user yet and shows no setup token: set METABASE_SETUP_TOKEN"
            )
        user = {
            "email": settings.email,
            "password": settings.password,
            "first_name": "Dashboards",
            "last_name": "as files",
        }
        body = {"token": token, "user": user, "prefs": {"site_name": site_name, "site_locale": "en"}}
        try:
            answer = self.request("POST", "/api/setup", json=body)
        except ApiError as error:
            # 403 says that there is a user; newer versions have used the token up, and answer 400 to it
            if error.status in (400, 403) and self._is_set_up():
                self.has_user_setup = True
                self.sign_in()
                return
            if error.status in (400, 403):
                raise UsageError(
                    f"Metabase refused the first user: {settings.redact(error.body)}. The password needs six"
                    " characters, a digit, and must not be a common one (METABASE_ADMIN_PASSWORD);"
                    " the token is that of the server (METABASE_SETUP_TOKEN)"
                ) from error
            raise
        self.header = {"X-Metabase-Session": answer["id"]}
        self.has_user_setup = True

    def _is_set_up(self) -> bool:
        properties = self._send("GET", "/api/session/properties", {}).json()
        return bool(properties.get("has-user-setup"))

    def sign_in(self) -> None:
        """With the API key if there is one, else e-mail and password.

        Raises `UsageError` when refused, and for one that is no administrator's.
        """
        settings = self.settings
        try:
            if settings.api_key:
                self.header = {"X-API-KEY": settings.api_key}
            else:
                body = {"username": settings.email, "password": settings.password}
                # signing in changes nothing, so it may be tried again
                answer = self._tried("POST", "/api/session", {"json": body}, repeatable=True).json()
                self.header = {"X-Metabase-Session": answer["id"]}
            user = self._send("GET", "/api/user/current", {}).json()
        except ApiError as error:
            if error.status in (400, 401, 403):
                what = "METABASE_API_KEY" if settings.api_key else "METABASE_ADMIN_EMAIL and _PASSWORD"
                raise UsageError(
                    f"Metabase at {self.domain} refused to sign in ({error.status}): check {what}. "
                    f"It said: {settings.redact(error.body)[:300]}"
                ) from error
            raise
        if not user.get("is_superuser"):
            whose = (
                "the group of METABASE_API_KEY must be Administrators (Admin settings, API keys)"
                if settings.api_key
                else f"{settings.email} must be an administrator"
            )
            raise UsageError(f"databases and permissions are an administrator's to change: {whose}")

    # --- requests

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        reads: bool = False,
    ) -> Any:
        """The answer's JSON (None for an empty one). `reads` marks a POST that changes nothing, like a query.

        What can be repeated is tried four times while the server is away or answers 502 to 504. Raises
        `ApiError` for a refusal and `UnreachableError` when no answer came.
        """
        options: dict[str, Any] = {}
        if json is not None:
            options["json"] = json
        if params:
            options["params"] = params
        changes = method != "GET" and not reads
        if changes:
            self.writes += 1
        # a repeated PUT or DELETE does nothing more than one
        repeatable = method != "POST" or reads
        try:
            answer = self._tried(method, path, options, repeatable)
        except ApiError as error:
            if error.status != 401 or self.settings.api_key or not self.header:
                raise
            self.sign_in()  # the session has ended; a 401 changed nothing
            answer = self._tried(method, path, options, repeatable)
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError as error:
            raise ApiError(method, path, answer.status_code, f"no JSON: {answer.text[:200]}") from error

    def pages(self, path: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Every item of a paged list (``{"data": […], "total": n}``)."""
        offset = 0
        while True:
            page = self.request("GET", path, params={**params, "limit": _PAGE, "offset": offset})
            yield from page["data"]
            offset += _PAGE
            if offset >= (page.get("total") or 0):
                return

    def _tried(
        self, method: str, path: str, options: Mapping[str, Any], repeatable: bool
    ) -> requests.Response:
        for attempt in range(1, _TRIES + 1):
            try:
                return self._send(method, path, options)
            except ApiError as error:
                if not repeatable or error.status not in _TEMPORARY or attempt == _TRIES:
                    raise
                reason = str(error.status)
            except UnreachableError as error:
                # a connection that was never made can't have changed anything
                never_sent = isinstance(error.__cause__, requests.ConnectTimeout) or _refused(error.__cause__)
                if not (repeatable or never_sent) or attempt == _TRIES:
                    raise
                reason = str(error.__cause__.__class__.__name__)
            log.info("%s %s: %s; trying again (%d of %d)", method, path, reason, attempt + 1, _TRIES)
            self._sleep(0.5 * 2 ** (attempt - 1))
        raise AssertionError("the last try returns or raises")

    def _send(self, method: str, path: str, options: Mapping[str, Any]) -> requests.Response:
        verb = {"GET": self.get, "POST": self.post, "PUT": self.put}[method]
        timeout = (_CONNECT_SECONDS, self.settings.timeout)
        if self._is_near:
            options = {**options, "proxies": {"http": None, "https": None}}
        try:
            # a redirect would turn a POST into a GET
            answer: requests.Response = verb(path, "raw", timeout=timeout, allow_redirects=False, **options)
        except requests.RequestException as error:
            message = f"no answer from Metabase to {method} {path} at {self.domain}: {_why(error)}"
            if method == "POST" and not _refused(error):
                message += (
                    ". Whether it was done is not known; repeat the command, it goes on where this ended"
                )
            raise UnreachableError(message) from error
        if 300 <= answer.status_code < 400:
            raise UsageError(
                f"{self.domain} redirects to {answer.headers.get('Location')}: set METABASE_URL to that"
            )
        if not answer.ok:
            raise ApiError(method, path, answer.status_code, self.settings.redact(answer.text))
        return answer

    def _read_version(self, properties: Mapping[str, Any]) -> None:
        tag = str((properties.get("version") or {}).get("tag") or "unknown")
        match = re.match(r"v[01]\.(\d+)", tag)
        major = int(match[1]) if match else 0
        self.version = (major, tag)
        if match and major < OLDEST:
            raise UsageError(f"this Metabase is {tag}; the dashboards need 0.{OLDEST} or newer")
        if not match or major > NEWEST:
            log.warning(
                "this Metabase is %s; the dashboards were written for 0.%d to 0.%d", tag, OLDEST, NEWEST
            )


def _refused(error: BaseException | None) -> bool:
    return isinstance(error, requests.ConnectionError) and "NewConnectionError" in repr(error)


def _leave_out_of_proxies(url: str) -> None:
    """A proxy on another machine can't reach this one: so a Metabase here is asked directly.

    It is said in the environment, where dbt-metabase reads it, too.
    """
    host = urlsplit(url).hostname or ""
    if host in ("localhost", "::1") or host.startswith("127."):
        others = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
        os.environ["no_proxy"] = f"{others},{host}".strip(",")


def _why(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return f"nothing within the time allowed (METABASE_TIMEOUT); {error.__class__.__name__}"
    if _refused(error):
        return "the connection was refused"
    return error.__class__.__name__
