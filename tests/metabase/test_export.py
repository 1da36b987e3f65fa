"""What was clicked together comes out as files that apply to the same."""

import dataclasses
from pathlib import Path

import pytest

from metabase import analysis, export, loader
from metabase.errors import UsageError
from metabase.spec import Offer
from tests.metabase.conftest import Applying


def click_together(applied: Applying) -> int:
    """A dashboard as people make it in Metabase, outside of the managed collection."""
    client, server = applied.client(), applied.server
    database = next(iter(server.databases))
    mine = client.request("POST", "/api/collection", json={"name": "My films"})["id"]
    tag = {
        "id": "11111111-1111-1111-1111-111111111111",
        "name": "least",
        "display-name": "Least",
        "type": "number",
    }
    native = {
        "query": 'select top.title as "Film", popularity as "Score" from analytics.vw_top_movies as top\n'
        'join "marts"."dim_movie" using (movie_id) where true [[and popularity > {{least}}]]',
        "template-tags": {"least": tag},
    }
    card = client.request(
        "POST",
        "/api/card",
        json={
            # the old form, which Metabase takes to this day
            "dataset_query": {"type": "native", "database": database, "native": native},
            "name": "Mes préférés!",
            "display": "bar",
            "collection_id": mine,
            "visualization_settings": {
                "graph.dimensions": ["Film"],
                "graph.metrics": ["Score"],
                "column_settings": {'["name", "Score"]': {"decimals": 1}},
            },
        },
    )["id"]
    board = client.request("POST", "/api/dashboard", json={"name": "Favourites", "collection_id": mine})["id"]
    virtual = {"name": None, "display": "link", "visualization_settings": {}, "dataset_query": {}}
    client.request(
        "PUT",
        f"/api/dashboard/{board}",
        json={
            "parameters": [
                {
                    **{"id": "abc12345", "name": "At least", "slug": "at_least", "type": "number/="},
                    **{"sectionId": "number", "default": [10]},
                },
                {"id": "def12345", "name": "When", "slug": "when", "type": "date/relative"},
            ],
            "tabs": [{"id": -1, "name": "One"}, {"id": -2, "name": "Two"}],
            "dashcards": [
                {
                    **{"id": -1, "card_id": card, "dashboard_tab_id": -1},
                    **{"row": 0, "col": 0, "size_x": 12, "size_y": 6},
                    "visualization_settings": {"card.title": "The best"},
                    "parameter_mappings": [
                        {
                            "parameter_id": "abc12345",
                            "card_id": card,
                            "target": ["variable", ["template-tag", "least"]],
                        }
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
                    "visualization_settings": {"virtual_card": virtual},
                },
            ],
        },
    )
    return int(board)


def test_a_clicked_dashboard_becomes_files_that_apply(applied: Applying) -> None:
    click_together(applied)
    client = applied.client()
    loaded = loader.load(applied.files)
    manifest = applied.warehouse.manifest
    result = export.export(client, manifest, "My films/Favourites", applied.files, loaded.cards)
    written = export.write(result, force=False)
    assert [Path(name).name for name in written] == ["mes_preferes.sql", "favourites.yml"]
    assert sorted(result.left_out) == [
        "a link place at row 1: only text and headings",
        "the filter 'When': its type date/relative is not known here",
    ]
    assert (applied.files / "cards" / "mes_preferes.sql").read_text() == (
        'select top.title as "Film", popularity as "Score" from {{ ref(\'vw_top_movies\') }} as top\n'
        "join {{ ref('dim_movie') }} using (movie_id) where true [[and popularity > {{least}}]]\n"
    )
    with pytest.raises(UsageError, match="there already"):
        export.write(result, force=False)

    # it lies in a collection of its own, which the files must know
    (applied.files / "dashboards" / "favourites.yml").write_text(
        (applied.files / "dashboards" / "favourites.yml")
        .read_text()
        .replace("collection: My films", "collection: TMDB")
    )
    again = loader.load(applied.files)
    analysis.check(again, manifest)
    board = next(d for d in again.dashboards if d.key == "favourites")
    assert [tab.name for tab in board.tabs] == ["One", "Two"]
    assert board.defaults == {"at_least": 10}
    item = next(i for i in board.items if i.card)
    assert (item.title, dict(item.filters)) == ("The best", {"at_least": "least"})
    card = again.cards["mes_preferes"]
    assert card.name == "Mes préférés!" and card.settings["column_settings"] == {
        '["name","Score"]': {"decimals": 1}
    }

    reconciler = applied.apply()
    assert [c.sign for c in reconciler.changes] == ["+", "+"]
    assert applied.run_cards(reconciler) == []
    applied.apply()
    assert applied.writes == []


def test_what_was_applied_comes_out_as_it_went_in(applied: Applying, tmp_path: Path) -> None:
    """Includes are put in and the values of filters are told of; all else is the same dashboard."""
    client, loaded = applied.client(), loader.load(applied.files)
    manifest = applied.warehouse.manifest
    folder = tmp_path / "out"
    result = export.export(client, manifest, "TMDB/Pipeline health", folder, {})
    export.write(result, force=False)
    (folder / "metabase.yml").write_text(
        "database: x\nroot: TMDB\nowner: {name: x, email: x}\ncollections: {TMDB: {}}\n"
    )
    assert result.left_out == []
    out = loader.load(folder)
    analysis.check(out, manifest)
    board = next(d for d in loaded.dashboards if d.key == "pipeline_health")
    plain = tuple(dataclasses.replace(item, preview=Offer()) for item in board.filters)
    assert out.dashboards[0].filters == plain
    assert [(i.place, i.text) for i in out.dashboards[0].items] == [(i.place, i.text) for i in board.items]
    for card in out.cards.values():
        same = next(c for c in loaded.cards.values() if c.name == card.name and "Pipeline" in c.collection)
        assert (card.display, card.settings, card.description) == (
            same.display,
            same.settings,
            same.description,
        )
        assert [(t.key, t.type, t.default) for t in card.tags] == [
            (t.key, t.type, t.default) for t in same.tags
        ]


def test_a_dashboard_that_is_not_there_is_told(applied: Applying) -> None:
    with pytest.raises(UsageError, match="no dashboard 'TMDB/Nothing'"):
        export.export(applied.client(), applied.warehouse.manifest, "TMDB/Nothing", applied.files, {})
