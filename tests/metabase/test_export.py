"""What was clicked together comes out as files: `git diff` shows just that, and an apply writes nothing."""

import copy
import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from metabase import analysis, loader, yamledit
from metabase.errors import UsageError
from metabase.export import Exporter
from tests.left_out import slow_but
from tests.metabase.conftest import PROJECT, Applying
from tests.metabase.fake import FakeMetabase


def texts(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".yml", ".sql")
    }


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The lines that `git diff` would show, with file and sign."""
    lines = []
    for name in sorted({*before, *after}):
        old, new = before.get(name, "").split("\n"), after.get(name, "").split("\n")
        for line in list(difflib.unified_diff(old, new, lineterm="", n=0))[2:]:
            if not line.startswith("@@"):
                lines.append(f"{Path(name).name} {line[0]} {line[1:].strip()}")
    return lines


def export(applied: Applying, what: str | None) -> tuple[list[str], Exporter]:
    """Export; what changed in the files. What comes out must pass the check."""
    before = texts(applied.files)
    exporter = Exporter(applied.client(), loader.load(applied.files), applied.warehouse.manifest)
    exporter.export(what)
    exporter.write()
    analysis.check(loader.load(applied.files), applied.warehouse.manifest)
    return changed(before, texts(applied.files)), exporter


def settle(applied: Applying) -> None:
    """An apply of what came out writes nothing."""
    reconciler = applied.apply()
    assert applied.writes == [], "\n".join(map(str, reconciler.changes))


class Clicks:
    """What a person does in Metabase, as the server keeps it."""

    def __init__(self, server: FakeMetabase) -> None:
        self.server = server

    def board(self, name: str) -> dict[str, Any]:
        return self.server.dashboards[self.server.named("dashboard", name)["id"]]

    def card(self, name: str) -> dict[str, Any]:
        return self.server.cards[self.server.named("card", name)["id"]]

    def place(self, board: str, card: str) -> dict[str, Any]:
        id_ = self.card(card)["id"]
        return next(d for d in self.board(board)["dashcards"] if d["card_id"] == id_)

    def filter(self, board: str, slug: str) -> dict[str, Any]:
        return next(p for p in self.board(board)["parameters"] if p["slug"] == slug)


def move(c: Clicks) -> None:
    c.place("Overview", "Films by rank")["size_y"] = 11


def retitle(c: Clicks) -> None:
    c.place("Film", "Rating of the film")["visualization_settings"]["card.title"] = "Stars"


def restyle(c: Clicks) -> None:
    c.card("Top films")["visualization_settings"]["graph.show_values"] = False
    c.card("Mean rating")["display"] = "scalar"


def column(c: Clicks) -> None:
    settings = c.card("Companies by films")["visualization_settings"]
    settings["column_settings"]['["name","Mean rating"]']["decimals"] = 1


def relabel(c: Clicks) -> None:
    c.filter("Companies", "min_films").update(name="How many films", default=[5])


def query(c: Clicks) -> None:
    stored = c.card("Films tracked")["dataset_query"]
    stored["sql"] = stored["sql"].replace("where not", "where true and not")


def shared_query(c: Clicks) -> None:
    stored = c.card("Votes for the film")["dataset_query"]
    stored["sql"] = stored["sql"].replace("limit 2000", "limit 100")


def snippet(c: Clicks) -> None:
    stored = c.card("Films")["dataset_query"]
    stored["sql"] = (
        stored["sql"]
        .replace("with newest_day as", "with last_day as")
        .replace("from newest_day", "from last_day as newest_day")
    )


def describe(c: Clicks) -> None:
    board = c.board("Pipeline health")
    board["description"] = "Is it well?\n\nKept in files as pipeline_health."


def rename(c: Clicks) -> None:
    c.card("Runs")["name"] = "The runs"
    c.board("Companies")["name"] = "Studios"


def remove(c: Clicks) -> None:
    board = c.board("Overview")
    board["dashcards"].remove(c.place("Overview", "Films that moved most"))


def write_text(c: Clicks) -> None:
    board = c.board("Overview")
    virtual = {"name": None, "display": "heading", "visualization_settings": {}, "dataset_query": {}}
    board["dashcards"].append(
        {
            **copy.deepcopy(board["dashcards"][0]),
            **{"id": 90001, "card_id": None, "row": 40, "col": 0, "size_x": 24, "size_y": 1},
            "parameter_mappings": [],
            "visualization_settings": {"virtual_card": virtual, "text": "Hello"},
        }
    )


def another_card(c: Clicks) -> None:
    board = c.board("Overview")
    card = copy.deepcopy(c.card("Votes"))
    card |= {"id": 90002, "name": "Votes again", "description": None, "display": "table"}
    c.server.cards[90002] = card
    place = copy.deepcopy(c.place("Overview", "Votes"))
    for mapping in place["parameter_mappings"]:
        mapping["card_id"] = 90002
    board["dashcards"].append({**place, "id": 90003, "card_id": 90002, "row": 50})


def unlink(c: Clicks) -> None:
    c.filter("Film", "film")["filteringParameters"].pop()


def click_elsewhere(c: Clicks) -> None:
    place = c.place("Overview", "Mean popularity by genre")
    place["visualization_settings"]["click_behavior"] = {
        "type": "link",
        "linkType": "url",
        "linkTemplate": "https://example.com/{{Genre}}",
    }


def keep_off(c: Clicks) -> None:
    place = c.place("Overview", "Votes")
    place["parameter_mappings"] = place["parameter_mappings"][1:]


def rename_tab(c: Clicks) -> None:
    c.board("Genres and countries")["tabs"][2]["name"] = "Tongues"


def unknown_setting(c: Clicks) -> None:
    c.card("Top films")["visualization_settings"]["graph.brand_new"] = {"a": 1}


WAYS: list[tuple[Callable[[Clicks], None], list[str]]] = [
    (
        move,
        [
            "overview.yml - at: {row: 23, col: 0, width: 24, height: 12}",
            "overview.yml + at: {row: 23, col: 0, width: 24, height: 11}",
        ],
    ),
    (
        retitle,
        [
            "film.yml - - {card: film_latest_rating, at: {row: 3, col: 8, width: 8, height: 3},"
            " title: Rating}",
            "film.yml + - {card: film_latest_rating, at: {row: 3, col: 8, width: 8, height: 3},"
            " title: Stars}",
        ],
    ),
    (
        restyle,
        [
            "overview.yml - display: smartscalar",
            "overview.yml + display: scalar",
            "overview.yml - graph.show_values: true",
            "overview.yml + graph.show_values: false",
        ],
    ),
    (
        column,
        ["companies.yml - Mean rating: {decimals: 2}", "companies.yml + Mean rating: {decimals: 1}"],
    ),
    (
        relabel,
        [
            "companies.yml - name: Films at least",
            "companies.yml + name: How many films",
            "companies.yml - default: 3",
            "companies.yml + default: 5",
        ],
    ),
    (
        query,
        [
            "films_tracked.sql - where not movie.is_stale and movie.vanished_on is null",
            "films_tracked.sql + where true and not movie.is_stale and movie.vanished_on is null",
        ],
    ),
    (
        describe,
        [
            "pipeline_health.yml - For whoever runs the pipeline: did the last run succeed,"
            " how fresh are the films, what could not be fetched and why.",
            "pipeline_health.yml + Is it well?",
        ],
    ),
    (
        write_text,
        ["overview.yml + - {heading: Hello, at: {row: 40, col: 0, width: 24, height: 1}}"],
    ),
    (
        unlink,
        ["film.yml - linked: [language, genre]", "film.yml + linked: [language]"],
    ),
    (
        click_elsewhere,
        [
            "overview.yml - click: {set: {genre: Genre}}",
            "overview.yml + click: {url: 'https://example.com/{{Genre}}'}",
        ],
    ),
    (
        rename_tab,
        ["genres_and_countries.yml - - name: Languages", "genres_and_countries.yml + - name: Tongues"],
    ),
    (
        unknown_setting,
        ["overview.yml + other_settings: {graph.brand_new: {a: 1}}"],
    ),
]


@pytest.mark.parametrize(("click", "lines"), slow_but(1, WAYS), ids=[click.__name__ for click, _ in WAYS])
def test_a_click_is_the_only_difference(
    applied: Applying, click: Callable[[Clicks], None], lines: list[str]
) -> None:
    click(Clicks(applied.server))
    shown, exporter = export(applied, None)
    assert shown == lines and exporter.left_out == []
    settle(applied)


@pytest.mark.parametrize(
    "click",
    slow_but(1, [another_card, rename, remove, keep_off, shared_query, snippet]),
    ids=lambda click: click.__name__,
)
def test_larger_clicks_come_out_whole(applied: Applying, click: Callable[[Clicks], None]) -> None:
    click(Clicks(applied.server))
    shown, exporter = export(applied, None)
    assert 0 < len(shown) < 100 and exporter.left_out == []
    settle(applied)
    assert export(applied, None)[0] == [], "a second export changes nothing"


def test_all_clicks_at_once_come_out_whole(applied: Applying) -> None:
    for click in (*(click for click, _ in WAYS), another_card, keep_off, shared_query, snippet, rename):
        click(Clicks(applied.server))
    export(applied, None)
    settle(applied)


@pytest.mark.slow
def test_without_a_click_nothing_changes(applied: Applying) -> None:
    for what in (None, "TMDB", "TMDB/Overview"):
        assert export(applied, what)[0] == []


def test_the_files_are_written_as_they_were() -> None:
    """Also with comments, and whatever else no reader of YAML keeps."""
    for path in [*(PROJECT / "metabase" / "dashboards").glob("*.yml"), PROJECT / "metabase" / "metabase.yml"]:
        assert yamledit.Document.read(path).text() == path.read_text()


def click_together(applied: Applying) -> int:
    """A dashboard as people make it in Metabase, outside of the managed collections."""
    client, server = applied.client(), applied.server
    database = next(iter(server.databases))
    mine = client.request("POST", "/api/collection", json={"name": "My films"})["id"]
    inner = client.request("POST", "/api/collection", json={"name": "Questions", "parent_id": mine})["id"]
    genre = server.named("card", "Films")["dataset_query"]["tags"]["genre"]
    tag = {
        "id": "11111111-1111-1111-1111-111111111111",
        "name": "least",
        "display-name": "Least",
        "type": "number",
    }
    native = {
        "query": 'select top.title as "Film", popularity as "Score" from analytics.vw_top_movies as top\n'
        'join "marts"."dim_movie" using (movie_id) where true [[and popularity > {{least}}]]\n'
        "[[and exists (select 1 from marts.dim_genre where {{kind}})]]",
        "template-tags": {
            "least": tag,
            "kind": genre | {"id": "22222222-2222-2222-2222-222222222222", "name": "kind"},
        },
    }
    card = client.request(
        "POST",
        "/api/card",
        json={
            # the old form, which Metabase takes to this day
            "dataset_query": {"type": "native", "database": database, "native": native},
            "name": "Mes préférés!",
            "display": "bar",
            "collection_id": inner,
            "visualization_settings": {
                "graph.dimensions": ["Film"],
                "graph.metrics": ["Score"],
                "column_settings": {'["name", "Score"]': {"decimals": 1}},
            },
        },
    )["id"]
    board = client.request(
        "POST", "/api/dashboard", json={"name": "Favourites", "collection_id": mine, "description": "Mine."}
    )["id"]
    virtual = {"name": None, "display": "link", "visualization_settings": {}, "dataset_query": {}}
    targets = {"abc12345": ["variable", "least"], "fed12345": ["dimension", "kind"]}
    client.request(
        "PUT",
        f"/api/dashboard/{board}",
        json={
            "parameters": [
                {
                    **{"id": "abc12345", "name": "At least", "slug": "at_least", "type": "number/="},
                    **{"sectionId": "number", "default": [10], "isMultiSelect": False},
                },
                {
                    **{"id": "fed12345", "name": "Kind", "slug": "kind", "type": "string/="},
                    **{"sectionId": "string"},
                },
            ],
            "tabs": [{"id": -1, "name": "One"}, {"id": -2, "name": "Two"}],
            "dashcards": [
                {
                    **{"id": -1, "card_id": card, "dashboard_tab_id": -1},
                    **{"row": 0, "col": 0, "size_x": 12, "size_y": 6},
                    "visualization_settings": {"card.title": "The best"},
                    "parameter_mappings": [
                        {"parameter_id": id_, "card_id": card, "target": [kind, ["template-tag", name]]}
                        for id_, (kind, name) in targets.items()
                    ],
                },
                {
                    **{"id": -2, "card_id": None, "dashboard_tab_id": -2},
                    **{"row": 0, "col": 0, "size_x": 24, "size_y": 1},
                    "visualization_settings": {
                        "virtual_card": {**virtual, "display": "heading"},
                        "text": "Hello",
                    },
                },
                {
                    **{"id": -3, "card_id": None, "dashboard_tab_id": -2},
                    **{"row": 1, "col": 0, "size_x": 24, "size_y": 1},
                    "visualization_settings": {
                        "virtual_card": virtual,
                        "link": {"url": "https://example.com"},
                    },
                },
            ],
        },
    )
    return int(board)


@pytest.mark.parametrize("what", slow_but(1, ["My films/Favourites", "My films", "number"]))
def test_a_clicked_dashboard_from_outside_becomes_files_that_apply(applied: Applying, what: str) -> None:
    number = click_together(applied)
    _, exporter = export(applied, str(number) if what == "number" else what)
    assert exporter.left_out == []
    assert (applied.files / "cards" / "mes_preferes.sql").read_text() == (
        'select top.title as "Film", popularity as "Score" from {{ ref(\'vw_top_movies\') }} as top\n'
        "join {{ ref('dim_movie') }} using (movie_id) where true [[and popularity > {{least}}]]\n"
        "[[and exists (select 1 from {{ ref('dim_genre') }} where {{kind}})]]\n"
    )
    again = loader.load(applied.files)
    board = next(d for d in again.dashboards if d.key == "favourites")
    assert (board.collection, [tab.name for tab in board.tabs]) == ("My films", ["One", "Two"])
    assert board.defaults == {"at_least": 10}
    item = next(i for i in board.items if i.card)
    assert (item.title, dict(item.filters)) == ("The best", {"at_least": "least", "kind": "kind"})
    card = again.cards["mes_preferes"]
    assert (card.name, card.collection) == ("Mes préférés!", "My films/Questions")
    settle(applied)
    assert applied.run_cards(applied.apply()) == []

    # from now on it is the files', and the first change says so
    name = applied.files / "dashboards" / "favourites.yml"
    name.write_text(name.read_text().replace("title: The best", "title: The very best"))
    with pytest.raises(UsageError, match=r"dashboard My films/Favourites\..*--adopt"):
        applied.apply()
    applied.apply(adopt=True)
    assert applied.server.dashboards[number]["description"] == "Mine.\n\nKept in files as favourites."
    assert applied.apply().changes == []


@pytest.mark.slow
def test_a_question_on_no_dashboard_comes_with_its_collection(applied: Applying) -> None:
    client, server = applied.client(), applied.server
    root = server.named("collection", "TMDB")["id"]
    query = client.request("GET", f"/api/card/{server.named('card', 'Films tracked')['id']}")["dataset_query"]
    body = {"name": "Alone", "display": "table", "visualization_settings": {}, "dataset_query": query}
    client.request("POST", "/api/card", json=body | {"collection_id": root})
    shown, _ = export(applied, "TMDB")
    assert "metabase.yml + alone: {name: Alone, collection: TMDB, display: table}" in shown
    settle(applied)


def test_what_files_cannot_hold_is_told(applied: Applying) -> None:
    client = applied.client()
    client.request("POST", "/api/dashboard", json={"name": "At the top", "collection_id": None})
    board = applied.server.named("dashboard", "At the top")
    applied.server.dashboards[board["id"]]["parameters"] = [
        {"id": "x", "name": "When", "slug": "when", "type": "date/relative"}
    ]
    exporter = Exporter(client, loader.load(applied.files), applied.warehouse.manifest)
    exporter.export(str(board["id"]))
    assert [line.split(":")[0] for line in exporter.left_out] == [
        "the place of 'At the top', which is in no collection",
        "a description of 'At the top', which it has none of",
        "the filter 'When' of 'At the top'",
    ]


def test_a_dashboard_that_is_not_there_is_told(applied: Applying) -> None:
    with pytest.raises(UsageError, match="no dashboard 'TMDB/Nothing'"):
        export(applied, "TMDB/Nothing")
