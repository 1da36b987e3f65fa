"""What an answer must be, and what jsonb can't hold."""

import contextlib
import json
from typing import Any

import pytest

from extractor import answer as body
from extractor.answer import BadBodyError


@pytest.mark.parametrize(
    ("sent", "landed", "alteration"),
    [
        (rb'{"a":"plain"}', rb'{"a":"plain"}', None),
        (rb'{"a":"x\u0000y\u0000"}', rb'{"a":"xy"}', "removed 2 NUL"),
        # an escaped backslash, then the letters u0000: no NUL
        (rb'{"a":"x\\u0000y"}', rb'{"a":"x\\u0000y"}', None),
        # an escaped backslash, then a NUL
        (rb'{"a":"x\\\u0000y"}', rb'{"a":"x\\y"}', "removed 1 NUL"),
        (rb'{"a":"\ud83d\ude00"}', rb'{"a":"\ud83d\ude00"}', None),
        (rb'{"a":"\uD83D\uDE00\u00e9"}', rb'{"a":"\uD83D\uDE00\u00e9"}', None),
        (rb'{"a":"\ud83d"}', rb'{"a":""}', "removed 1 lone surrogate"),
        (rb'{"a":"\ude00\ud83d"}', rb'{"a":""}', "removed 2 lone surrogate"),
        # what a NUL kept apart must not come together
        (rb'{"a":"\ud83d\u0000\ude00"}', rb'{"a":""}', "removed 1 NUL and 2 lone surrogate"),
        (rb'{"a":"\ud83d\\ude00"}', rb'{"a":"\\ude00"}', "removed 1 lone surrogate"),
        (rb'{"\u0000k":1}', rb'{"k":1}', "removed 1 NUL"),
    ],
)
def test_only_what_jsonb_cannot_hold_is_removed(sent: bytes, landed: bytes, alteration: str | None) -> None:
    assert body.repair(sent) == (landed, alteration)
    body.parse(body.repair(sent)[0])


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"id": 604}, "other_id"),
        ({"id": True}, "other_id"),
        ({"id": "603"}, "other_id"),
        ({"id": 603.0}, "other_id"),
        ({"title": "no id"}, "other_id"),
        ({"status_code": 11, "status_message": "Internal error", "success": False}, "error_body"),
        ({"id": 603, "status_code": 11, "status_message": "Internal error", "success": False}, "error_body"),
        ([{"id": 603}], "not_an_object"),
        ("603", "not_an_object"),
        (None, "not_an_object"),
    ],
)
def test_a_film_must_be_the_one_asked_for(document: Any, reason: str) -> None:
    with pytest.raises(BadBodyError) as error:
        body.movie(603)(document)
    assert error.value.reason == reason


def test_tmdbs_words_stay_on_one_line() -> None:
    said = {"status_code": 7, "status_message": "In\nvalid \0 \x1b[31mkey\ud800."}
    assert body.describe(json.dumps(said).replace("\\ud800", "").encode()) == "7: In valid [31mkey"


def test_unknown_keys_are_welcome() -> None:
    body.movie(603)({"id": 603, "softcore": False})


@pytest.mark.parametrize(
    "document", [{}, {"genres": []}, {"genres": [{"name": "Drama"}]}, {"genres": {"id": 1}}, []]
)
def test_an_empty_or_other_list_is_refused(document: Any) -> None:
    with pytest.raises(BadBodyError):
        body.LISTS["genre_list"].check(document)


@pytest.mark.parametrize(
    "document",
    [
        {"results": [], "page": 1},
        {"results": [{"id": "1"}], "total_pages": 1},
        {"results": [{"id": 0}], "total_pages": 1},
        {"results": [{"id": 1 << 63}], "total_pages": 1},
        {"results": None, "total_pages": 1},
        {"errors": ["page must be less than or equal to 500"]},
    ],
)
def test_a_page_has_films_and_says_how_many_pages_there_are(document: Any) -> None:
    with pytest.raises(BadBodyError):
        body.page(document)


@pytest.mark.parametrize(
    "sent", [b"", b"null,", b"<html>", b'{"id":603', b'{"a":"\xff"}', b'{"a":"\x00"}', b'{"a":NaN}']
)
def test_what_is_not_json_is_refused(sent: bytes) -> None:
    with pytest.raises(BadBodyError) as error:
        body.parse(sent)
    assert error.value.reason == "not_json"


@pytest.mark.parametrize(
    ("document", "is_gone"),
    [
        # the order of the keys and the presence of `success` vary between years
        ({"success": False, "status_code": 34, "status_message": "The resource … could not be found."}, True),
        ({"status_message": "…", "status_code": 34}, True),
        ({"status_code": 6}, True),
        ({"status_code": 7}, False),
        ({"error": "not found"}, False),
        ([34], False),
    ],
)
def test_only_tmdb_itself_says_that_a_film_is_gone(document: Any, is_gone: bool) -> None:
    expected = contextlib.nullcontext() if is_gone else pytest.raises(BadBodyError)
    with expected:
        body.gone(json.loads(json.dumps(document)))
