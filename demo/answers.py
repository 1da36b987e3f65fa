"""TMDB's error bodies and headers, as recorded in its answers, and how a body becomes a response."""

from http import HTTPStatus
from typing import Final
from zlib import crc32

import orjson
from aiohttp import web

#: Error bodies by TMDB's own code: HTTP status and message (https://developer.themoviedb.org/docs/errors).
ERRORS: Final[dict[int, tuple[int, str]]] = {
    5: (422, "Invalid parameters: Your request parameters are incorrect."),
    7: (401, "Invalid API key: You must be granted a valid key."),
    11: (500, "Internal error: Something went wrong, contact TMDb."),
    20: (422, "Invalid date range: Should be a range no longer than 14 days."),
    22: (400, "Invalid page: Pages start at 1 and max at 500. They are expected to be an integer."),
    23: (400, "Invalid date: Format needs to be YYYY-MM-DD."),
    25: (429, "Your request count ({count}) is over the allowed limit of {limit}."),
    27: (400, "Too many append to response objects: The maximum number of remote calls is 20."),
    34: (404, "The resource you requested could not be found."),
}
JSON: Final = "application/json;charset=utf-8"
#: Seconds for which an answer may be cached on the way, measured: films and lists, discover, errors.
MAX_AGE: Final = 28_800
MAX_AGE_DISCOVER: Final = 600
MAX_AGE_ERROR: Final = 300


class ApiError(Exception):
    """An error that the API answers with: TMDB's code, and other words where TMDB's own say too little."""

    def __init__(self, code: int, message: str | None = None) -> None:
        super().__init__(message or ERRORS[code][1])
        self.code = code


def error_body(code: int, message: str | None = None) -> bytes:
    """JSON of an error. The order of the keys differs between TMDB's errors."""
    body = {"success": False, "status_code": code, "status_message": message or ERRORS[code][1]}
    if code in (7, 25):
        body["success"] = body.pop("success")
    return orjson.dumps(body)


def ok(body: bytes, headers: dict[str, str] | None = None, status: int = 200) -> web.Response:
    """A body as JSON."""
    return web.Response(body=body, status=status, headers={"Content-Type": JSON, **(headers or {})})


def answer(body: bytes, max_age: int, *, status: int = 200, if_none_match: str | None = None) -> web.Response:
    """A JSON response with an ETag and Cache-Control as TMDB's have; 304 for a body that the client has."""
    etag = f'W/"{crc32(body):08x}{len(body):x}"'
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={max_age}"}
    if if_none_match == etag:
        return web.Response(status=304, headers=headers)
    return ok(body, headers, status)


def error(code: int, message: str | None = None) -> web.Response:
    """The response of an error by TMDB's code."""
    max_age = MAX_AGE if code == 34 else MAX_AGE_ERROR
    return answer(error_body(code, message), max_age, status=ERRORS[code][0])


def too_many(count: int, limit: int, retry_after: str | None) -> web.Response:
    """The response to a request that is one too many."""
    response = error(25, ERRORS[25][1].format(count=count, limit=limit))
    if retry_after is not None:
        response.headers["Retry-After"] = retry_after
    return response


def html(status: int) -> web.Response:
    """A page that is not the API's."""
    title = f"{status} {HTTPStatus(status).phrase}"
    head, body = f"<head><title>{title}</title></head>", f"<center><h1>{title}</h1></center>"
    page = f"<html>\r\n{head}\r\n<body>\r\n{body}\r\n<hr><center>openresty</center>\r\n</body>\r\n</html>\r\n"
    return web.Response(body=page.encode(), status=status, headers={"Content-Type": "text/html"})
