"""Whatever somebody writes into the files is told with its place, and never ends in a traceback."""

import copy
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import yaml
from hypothesis import strategies as st

from metabase import analysis, loader
from metabase.errors import SpecError
from tests.metabase.conftest import Warehouse, edit

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 30),
    st.sampled_from(
        [
            "",
            "Film",
            "Films",
            "genre",
            "genre_table",
            "row",
            "2026-01-31",
            "dim_movie.title",
            "{{ x }}",
            "a.b",
        ]
    ),
    st.lists(st.sampled_from(["Film", "Genre", "x"]), max_size=2),
    st.dictionaries(
        st.sampled_from(["Film", "card", "column", "set", "name", "decimals"]), st.just(1), max_size=2
    ),
)


def places(value: Any, steps: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in a file."""
    found = [steps] if steps else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += places(inner, (*steps, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            found += places(inner, (*steps, number))
    return found


SOURCES = {
    path.name: yaml.safe_load(path.read_text())
    for path in [*sorted((loader.HERE / "dashboards").glob("*.yml")), loader.HERE / "metabase.yml"]
}


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, Any]:
    """One of the files with one to three values, keys or entries changed, added or gone."""
    name = draw(st.sampled_from(sorted(SOURCES)))
    data = copy.deepcopy(SOURCES[name])
    for _ in range(draw(st.integers(1, 3))):
        steps = draw(st.sampled_from(places(data)))
        parent = data
        for step in steps[:-1]:
            parent = parent[step]
        kind = draw(st.sampled_from(["change", "drop", "add"]))
        if kind == "change":
            parent[steps[-1]] = draw(VALUES)
        elif kind == "drop":
            del parent[steps[-1]]
        elif isinstance(parent, dict):
            parent[draw(st.sampled_from(["settings", "columns", "click", "column", "tags", "x", "Film"]))] = (
                draw(VALUES)
            )
        else:
            parent.append(draw(VALUES))
        if not places(data):
            break
    return name, data


@hypothesis.settings(max_examples=max(20, hypothesis.settings().max_examples // 3))
@hypothesis.given(case=mutated())
def test_any_mistake_is_told_with_its_place(
    case: tuple[str, Any], built: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> None:
    name, data = case
    folder = tmp_path_factory.mktemp("files") / "metabase"
    (folder / "dashboards").mkdir(parents=True)
    (folder / "cards").symlink_to(loader.HERE / "cards")
    for other, content in SOURCES.items():
        where = folder if other == "metabase.yml" else folder / "dashboards"
        (where / other).write_text(yaml.safe_dump(data if other == name else content, sort_keys=False))
    try:
        analysis.check(loader.load(folder), built.manifest)
    except SpecError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.line >= 1 and problem.message, problem


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("overview", "graph.show_values", "graph.show_value", "; is it 'graph.show_values'?"),
        ("overview", "{decimals: 2}", "{decimal: 2}", "unknown: 'decimal'; is it 'decimals'?"),
        ("overview", "graph.dimensions: [Film]", "graph.dimensions: [Movie]", "graph.dimensions of the card"),
        (
            "overview",
            'columns: [Change, Change in %], type: single, operator: "<"',
            'columns: [Changes], type: single, operator: "<"',
            "table.column_formatting of the card",
        ),
        ("overview", "{name: Change, enabled", "{name: Shift, enabled", "table.columns of the card"),
        ("overview", "scalar.field: Films,", "scalar.field: Film,", "names 'Film', which"),
        ("overview", "type: previousValue", "type: previous", "is not one of"),
        ("overview", "set: {film_id: TMDB id}", "set: {film_id: Film id}", "click names 'Film id'"),
        (
            "overview",
            "set: {film_id: TMDB id}",
            "set: {film_ids: TMDB id}",
            "no filter 'film_ids'; is it 'film_id'?",
        ),
        ("overview", "dashboard: film,", "dashboard: films,", "there is no dashboard 'films'; is it 'film'?"),
        ("film", "tab: Genres", "tab: Kinds", "has no tab 'Kinds'"),
        ("overview", "column: dim_genre.name", "column: dim_genre.title", "dim_genre has no column 'title'"),
        ("overview", "column: dim_genre.name", "column: dim_kind.name", "there is no model 'dim_kind'"),
        (
            "film",
            "linked: [language, genre]",
            "linked: [languages]",
            "there is no filter 'languages' to link",
        ),
        ("film", "linked: [language, genre]", "linked: [film_id]", "only filters on columns"),
        ("tonight", "    default: 500\n", "", "a required filter needs a default"),
        ("tonight", "column: dim_genre.name\n", "column: dim_genre.name\n    default: 7\n", "7 is no text"),
        (
            "film",
            "column: dim_date.date_id",
            "column: dim_date.date_id\n    default: soon",
            "no date or span of dates",
        ),
        (
            "film",
            "type: date/range\n    column: dim_date.date_id",
            "type: date/range",
            "must name its `column`",
        ),
        ("overview", "display: row\n", "display: row\n    settings.: 1\n", "unknown: 'settings.'"),
    ],
)
def test_a_setting_a_click_or_a_filter_that_is_wrong_is_told(
    files: Path, built: Warehouse, file: str, old: str, new: str, message: str
) -> None:
    edit(files / "dashboards" / f"{file}.yml", old, new)
    with pytest.raises(SpecError) as error:
        analysis.check(loader.load(files), built.manifest)
    assert message in str(error.value), error.value


def test_settings_that_are_right_pass(files: Path, built: Warehouse) -> None:
    """Also the second forms that Metabase takes, and those that are not known here, said to be so."""
    path = files / "dashboards" / "pipeline_health.yml"
    edit(
        path,
        "display: row\n    settings:\n",
        "display: pie\n    settings:\n      pie.dimension: [Reason]\n      pie.metric: Failures\n",
    )
    edit(
        path,
        "    display: table\n    columns:\n      Id:",
        "    display: table\n    other_settings: {table.new: 1}\n    columns:\n      Id:",
    )
    loaded = loader.load(files)
    analysis.check(loaded, built.manifest)
    assert loaded.cards["failure_table"].settings["table.new"] == 1


def test_a_filter_on_a_column_needs_its_table_without_an_alias(files: Path, built: Warehouse) -> None:
    path = files / "cards" / "snippets" / "film_conditions.sql"
    edit(path, "{{ ref('dim_language') }}\n", "{{ ref('dim_language') }} as dim_lang\n")
    with pytest.raises(SpecError) as error:
        analysis.check(loader.load(files), built.manifest)
    assert "give it no alias" in str(error.value)
