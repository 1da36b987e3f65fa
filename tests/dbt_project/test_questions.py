"""The questions of the docs, asked of the stand-in's films: each has an answer, in the cookbook this one."""

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest

from demo.catalogue import Catalogue
from tests.dbt_project.conftest import LandingZone
from tests.dbt_project.runner import Dbt

TODAY = dt.date(2026, 8, 20)
QUESTION = re.compile(r"^([^\n`]+)\n\n```sql\n(.*?)```", re.MULTILINE | re.DOTALL)
#: SQL, and the table of its answer behind it.
RECIPE = re.compile(r"^```sql\n(.*?)```\n(?:\n((?:\|[^\n]*\n)+))?", re.MULTILINE | re.DOTALL)
BLOCKS = ("credits", "keywords", "release_dates", "watch/providers", "translations", "external_ids")


def films(catalogue: Catalogue, day: dt.date) -> dict[int, dict[str, Any] | None]:
    """The day's payloads, with the blocks of `BLOCKS`."""
    result: dict[int, dict[str, Any] | None] = {}
    for row in catalogue.export(day.toordinal()):
        id_ = row["id"]
        if film := catalogue.film(id_, day.toordinal()):
            blocks = {name: json.loads(catalogue.block(name, id_, day.toordinal())) for name in BLOCKS}
            result[id_] = json.loads(json.dumps({**film, **blocks}).replace("\\u0000", ""))
    return result


def answered(zone: LandingZone, query: str) -> str:
    """The answer as a table of Markdown."""
    found = zone.connection.execute(query.encode())
    names = [column.name for column in found.description or ()]
    rows = [["" if value is None else str(value).strip() for value in row] for row in found.fetchall()]
    return "".join(f"| {' | '.join(row)} |\n" for row in [names, ["---"] * len(names), *rows])


@pytest.mark.slow
def test_every_question_of_the_docs_has_an_answer(
    landing_zone: LandingZone, dbt: Dbt, project_root: Path
) -> None:
    text = (project_root / "dbt_project" / "docs" / "overview.md").read_text()
    questions = QUESTION.findall(text)
    assert len(questions) == text.count("```sql") >= 10
    catalogue = Catalogue("tmdb", 150)
    for days in (8, 7, 1, 0):
        day = TODAY - dt.timedelta(days=days)
        landing_zone.land(day, films(catalogue, day))
    renamed = films(catalogue, TODAY)
    film = renamed[min(renamed)]
    assert film
    film["tagline"] = "Now with sound."
    landing_zone.land(TODAY, renamed)
    dbt("seed")
    dbt("run")
    dbt("test", "--select", "test_type:singular")
    landing_zone.connection.execute("set search_path to analytics, marts")
    for question, query in questions:
        assert landing_zone.rows(query), question

    cookbook = (project_root / "docs" / "cookbook.md").read_text()
    answers: list[str] = []

    def recipe(found: re.Match[str]) -> str:
        answers.append(answered(landing_zone, found[1]))
        return f"```sql\n{found[1]}```\n\n{answers[-1]}"

    right = RECIPE.sub(recipe, cookbook)
    if right != cookbook:
        wanted = project_root / "build" / "cookbook.md"
        wanted.parent.mkdir(exist_ok=True)
        wanted.write_text(right)
        pytest.fail(f"answers have changed: see {wanted}, and take it over if they are right")
    assert len(answers) == cookbook.count("```sql") == 20
    assert all(answer.count("\n") > 2 for answer in answers), "a question without an answer"
