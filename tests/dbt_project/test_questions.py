"""The questions of the overview of the docs site, asked of the films of `make demo`: each has an answer."""

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

from demo.catalogue import Catalogue
from tests.dbt_project.conftest import LandingZone
from tests.dbt_project.runner import Dbt

TODAY = dt.date(2026, 8, 20)
QUESTION = re.compile(r"^([^\n`]+)\n\n```sql\n(.*?)```", re.MULTILINE | re.DOTALL)


def films(catalogue: Catalogue, day: dt.date) -> dict[int, dict[str, Any] | None]:
    """The day's payloads, with credits and keywords."""
    result: dict[int, dict[str, Any] | None] = {}
    for row in catalogue.export(day.toordinal()):
        id_ = row["id"]
        if film := catalogue.film(id_, day.toordinal()):
            blocks = {
                name: json.loads(catalogue.block(name, id_, day.toordinal()))
                for name in ("credits", "keywords")
            }
            result[id_] = json.loads(json.dumps({**film, **blocks}).replace("\\u0000", ""))
    return result


def test_every_question_of_the_overview_has_an_answer(
    built_zone: LandingZone, dbt: Dbt, project_root: Path
) -> None:
    text = (project_root / "dbt_project" / "docs" / "overview.md").read_text()
    questions = QUESTION.findall(text)
    assert len(questions) == text.count("```sql") >= 10
    catalogue = Catalogue("tmdb", 150)
    for days in (8, 7, 1, 0):
        day = TODAY - dt.timedelta(days=days)
        built_zone.land(day, films(catalogue, day))
    renamed = films(catalogue, TODAY)
    film = renamed[min(renamed)]
    assert film
    film["tagline"] = "Now with sound."
    built_zone.land(TODAY, renamed)
    built_zone.build()
    dbt("test", "--select", "test_type:singular")
    built_zone.connection.execute("set search_path to analytics, marts")
    for question, query in questions:
        assert built_zone.rows(query), question
