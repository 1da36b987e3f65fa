"""Settings: all that is wrong is named at once, and what to do."""

from datetime import timedelta

import pytest

from common.errors import ConfigurationError
from extractor import settings, values
from extractor.options import DEFAULTS


def load(**given: str | None) -> settings.Settings:
    return settings.checked({"TMDB_TOKEN": "eyJ.secret.token", **given})


def test_the_defaults_are_right() -> None:
    loaded = load()
    assert loaded.base_url == "https://api.themoviedb.org/3"
    assert (loaded.mode, loaded.pages, loaded.track_days, loaded.full_days) == ("popular", 50, 30, 30)
    assert (loaded.max_rps, loaded.max_connections) == (40, 20)
    assert loaded.snapshot_date == values.today()
    assert loaded.limit is None and loaded.min_popularity is None


def test_what_is_empty_counts_as_not_set() -> None:
    assert load(TMDB_PAGES="", TMDB_LIMIT=" ", TMDB_SNAPSHOT_DATE=None) == load()


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("TMDB_MODE", "everything", "one of popular, export, changes"),
        ("TMDB_PAGES", "0", "whole number from 1"),
        ("TMDB_PAGES", "5.5", "whole number"),
        ("TMDB_PAGES", "٣", "whole number"),
        ("TMDB_PAGES", "1_000", "whole number"),
        ("TMDB_LIMIT", "-1", "whole number from 1"),
        ("TMDB_TRACK_DAYS", "many", "whole number from 0"),
        ("TMDB_FULL_DAYS", "0", "whole number from 1"),
        ("TMDB_MAX_RPS", "0", "number from 0.1"),
        ("TMDB_MAX_RPS", "inf", "number from 0.1"),
        ("TMDB_MAX_RPS", "nan", "number from 0.1"),
        ("TMDB_MAX_CONNECTIONS", "0", "whole number from 1"),
        ("TMDB_MIN_POPULARITY", "high", "number from 0"),
        ("TMDB_SNAPSHOT_DATE", "2026-02-30", "a date, YYYY-MM-DD"),
        ("TMDB_SNAPSHOT_DATE", "yesterday", "a date, YYYY-MM-DD"),
        ("TMDB_BASE_URL", "api.themoviedb.org/3", "an address like"),
        ("TMDB_BASE_URL", "ftp://api.themoviedb.org/3", "an address like"),
        ("TMDB_BASE_URL", "http://api.themoviedb.org/3", "in the clear"),
        ("TMDB_BASE_URL", "http://localhost:99999", "an address like"),
        ("TMDB_BASE_URL", "http://host..example/3", "an address like"),
        ("TMDB_BASE_URL", "http://a host/3", "an address like"),
        ("TMDB_BASE_URL", "http://host/a\tb", "an address like"),
        ("TMDB_BASE_URL", "http://host/\udcff", "an address like"),
        ("TMDB_BASE_URL", "http://host/3#", "an address like"),
        ("TMDB_BASE_URL", "http://api.themoviedb.org./3", "in the clear"),
        ("TMDB_DISCOVER", "certification=\udcff", "a text"),
        ("TMDB_TIMEOUT", "0", "number from 0.1"),
        ("TMDB_MAX_TRIES", "0", "whole number from 1"),
        ("TMDB_PROGRESS_SECONDS", "-1", "number from 0.1"),
    ],
)
def test_a_wrong_value_is_named_with_its_rule(name: str, value: str, rule: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load(**{name: value})
    assert str(error.value).startswith(f"{name}={value!r} must ")
    assert rule in str(error.value)
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "value", "shown", "rule"),
    [
        ("BASE_URL", "https://tmdb.example/3?api_key=k3y", "https://tmdb.example/3?…", "an address like"),
        ("BASE_URL", "https://user:k3y@tmdb.example/3", "https://…@tmdb.example/3", "no user name"),
        ("BASE_URL", "https://user:p@k3y@tmdb.example/3", "https://…@tmdb.example/3", "no user name"),
        ("BASE_URL", "https://user:p/k3y@tmdb.example/3", "https://…@tmdb.example/3", "an address like"),
        ("DISCOVER", "api_key=k3y&year=2026", "api_key=…&year=2026", "not set api_key"),
        ("DISCOVER", "session_id=k3y", "session_id=…", "no filter of TMDB's"),
    ],
)
def test_a_wrong_value_is_named_without_the_key_in_it(name: str, value: str, shown: str, rule: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load(**{f"TMDB_{name}": value})
    assert str(error.value).startswith(f"TMDB_{name}='{shown}' must ") and rule in str(error.value)
    assert "k3y" not in str(error.value)


def test_all_wrong_ones_are_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as error:
        settings.checked({"TMDB_PAGES": "x", "TMDB_MODE": "y", "TMDB_SNAPSHOT_DATE": "z"})
    lines = str(error.value).splitlines()
    assert lines[0] == "4 settings are wrong:"
    assert [line.split("=")[0].strip() for line in lines[2:]] == [
        "TMDB_MODE",
        "TMDB_PAGES",
        "TMDB_SNAPSHOT_DATE",
    ]
    assert "no TMDB_TOKEN is set" in lines[1] and "make demo" in lines[1]


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "naïve"])
def test_a_token_that_cannot_be_one_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load(TMDB_TOKEN=token)
    assert "TMDB_TOKEN" in str(error.value) and token not in str(error.value)


def test_the_token_does_not_show_in_the_settings() -> None:
    loaded = load(TMDB_TOKEN="  eyJ.secret.token\n")
    assert loaded.token.reveal() == "eyJ.secret.token"
    for text in (repr(loaded), str(loaded), f"{loaded.token}", f"{loaded.token!r}"):
        assert "secret" not in text.replace("Secret(", "")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("36h", timedelta(hours=36)),
        ("2d", timedelta(days=2)),
        ("90m", timedelta(minutes=90)),
        ("1.5", timedelta(hours=1.5)),
    ],
)
def test_a_length_of_time(text: str, length: timedelta) -> None:
    assert values.age(text) == length


@pytest.mark.parametrize("text", ["", "soon", "-1h", "1w", "h", "99999999999d"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        values.age(text)


def test_every_default_is_a_right_value() -> None:
    assert load(**DEFAULTS) == load()
