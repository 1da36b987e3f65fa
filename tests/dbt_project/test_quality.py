"""What the data tests find is stored, told since when, shown in vw_data_quality; hard errors stop the run."""

import datetime as dt
from typing import Any

import pytest

from tests.dbt_project.conftest import LandingZone
from tests.dbt_project.runner import Dbt

DAY = dt.date(2026, 3, 1)
SHOWN = (
    "select status, severity, failing_rows, failures_relation,"
    " failing_since is not null, last_failed_at is not null"
    " from analytics.vw_data_quality where test = '{}'"
)


def film(id_: int, **fields: Any) -> dict[str, Any]:
    """A film without any fault, but for ``fields``."""
    return {
        "id": id_,
        "title": f"Film {id_}",
        "original_language": "en",
        "release_date": "2020-02-02",
        "status": "Released",
        "popularity": 1.5,
        "vote_average": 5.5,
        "vote_count": 3,
        **fields,
    }


def test_soft_failures_are_stored_and_shown_until_they_are_gone(landing_zone: LandingZone, dbt: Dbt) -> None:
    def shown(test: str) -> tuple[Any, ...]:
        return landing_zone.rows(SHOWN.format(test))[0]

    models = ["run", "--select", "+dim_movie", "+vw_data_quality"]
    tests = ["test", "--select", "money_is_plausible", "no_value_is_lost_in_typing"]
    nameless = {"keywords": [{"id": 1, "name": "dog"}, {"name": "cat"}]}
    landing_zone.land(DAY, {1: film(1, budget=7, vote_count="many", keywords=nameless), 2: film(2)})
    dbt(*models)
    assert dbt(*tests)["money_is_plausible"] == "warn"
    assert shown("money_is_plausible") == ("warn", "warn", 1, "quality.money_is_plausible", True, True)
    assert landing_zone.rows("select movie_id, budget from quality.money_is_plausible") == [(1, 7)]
    lost = "select movie_id, field from quality.no_value_is_lost_in_typing order by field"
    assert landing_zone.rows(lost) == [(1, "keywords"), (1, "vote_count")]
    since = "select failing_since from analytics.vw_data_quality where test = 'money_is_plausible'"
    first = landing_zone.rows(since)

    dbt(*tests)
    assert landing_zone.rows(since) == first, "the same failure"

    landing_zone.land(DAY + dt.timedelta(days=1), {1: film(1), 2: film(2)})
    dbt(*models)
    dbt(*tests)
    assert shown("money_is_plausible") == ("pass", "warn", 0, None, False, True)
    assert landing_zone.rows("select to_regclass('quality.money_is_plausible')") == [(None,)]


@pytest.mark.slow
def test_a_hard_failure_is_told_with_its_rows(landing_zone: LandingZone, dbt: Dbt) -> None:
    landing_zone.land(DAY, {1: film(1), 2: film(2)})
    dbt("run", "--select", "+dim_movie_history", "+vw_data_quality")
    landing_zone.connection.execute("delete from marts.dim_movie_history where movie_id = 1")
    result = dbt.invoke("test", "--select", "history_ends_with_today")
    assert not result.success
    assert landing_zone.rows("select movie_id from quality.history_ends_with_today") == [(1,)]
    assert landing_zone.rows(SHOWN.format("history_ends_with_today"))[0][:3] == ("fail", "error", 1)
