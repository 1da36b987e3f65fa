"""What stands where on a dashboard: the tabs and dashcards to send, by the fewest changes to those there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metabase import forms
from metabase.forms import Target
from metabase.spec import Dashboard, Item, Spec


@dataclass(frozen=True)
class Layout:
    """Tabs and dashcards as the API takes them, known ids kept; `lines` says what differs (empty: nothing).

    `pairs` has for each item (by tab and number in it) what is to be sent and the dashcard that it is on the
    server, if there; `left` are the dashcards of no item.
    """

    tabs: list[dict[str, Any]]
    dashcards: list[dict[str, Any]]
    lines: list[str]
    pairs: list[tuple[int, int, dict[str, Any], Mapping[str, Any] | None]]
    left: list[Mapping[str, Any]]


def lay_out(
    spec: Spec,
    dashboard: Dashboard,
    found: Mapping[str, Any],
    cards: Mapping[str, int | str],
    targets: Mapping[str, Target],
) -> Layout:
    """Compare the layout of `found` with the file's. `cards` are ids, `targets` all dashboards, by key."""
    names = {id_: key for key, id_ in cards.items()}
    own = targets[dashboard.key]
    old_tabs = list(found.get("tabs") or [])
    tabs = _match_tabs(dashboard, old_tabs)
    tab_ids = {tab["name"]: tab["id"] for tab in tabs}
    old_names = {tab["id"]: tab["name"] for tab in old_tabs}
    new_names = {tab["id"]: tab["name"] for tab in tabs}
    left = list(found.get("dashcards") or [])
    places = [
        (number, place, tab.name, item)
        for number, tab in enumerate(dashboard.tabs)
        for place, item in enumerate(tab.items)
    ]
    settings = [forms.dashcard_settings(item, own, targets) for _, _, _, item in places]
    # the nearest match first, so that a place which moved keeps its id, and its subscriptions
    chosen: list[Mapping[str, Any] | None] = [None] * len(places)
    for likeness in range(3):
        for number, (_, _, tab, item) in enumerate(places):
            if chosen[number] is None:
                chosen[number] = _take(left, item, settings[number], tab_ids.get(tab or ""), cards, likeness)

    layout = Layout(tabs, [], [], [], left)
    for number, (tab_number, place, tab, item) in enumerate(places):
        before = chosen[number]
        card = cards[item.card] if item.card else None
        tags = {tag.key: tag for tag in spec.cards[item.card].tags} if item.card else {}
        dashcard = {
            "id": before["id"] if before else -1 - number,
            "card_id": card,
            "dashboard_tab_id": tab_ids[tab] if tab is not None else None,
            "row": item.place.row,
            "col": item.place.col,
            "size_x": item.place.width,
            "size_y": item.place.height,
            "parameter_mappings": [] if card is None else forms.mappings(item, tags, card, own.parameters),
            "visualization_settings": settings[number],
            "series": [{"id": cards[key]} for key in item.series],
            "inline_parameters": [],
        }
        layout.dashcards.append(dashcard)
        layout.pairs.append((tab_number, place, dashcard, before))
        label = _label(dashcard, names)
        if before is None:
            layout.lines.append(f"+ {label}")
        else:
            old = forms.dashcard_form(before, old_names.get(before.get("dashboard_tab_id") or 0))
            new = forms.dashcard_form(dashcard, new_names.get(dashcard["dashboard_tab_id"]))
            layout.lines.extend(forms.diff(old, new, label))
    layout.lines.extend(f"- {_label(dashcard, names)}" for dashcard in left)
    if [(t["id"], t["name"]) for t in old_tabs] != [(t["id"], t["name"]) for t in tabs]:
        layout.lines.extend(forms.diff([t["name"] for t in old_tabs], [t["name"] for t in tabs], "tabs"))
    return layout


def _match_tabs(dashboard: Dashboard, old: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By name; one that was renamed in its place keeps its id."""
    wanted = [tab.name for tab in dashboard.tabs if tab.name is not None]
    by_name = {tab["name"]: tab["id"] for tab in old}
    tabs = []
    for number, name in enumerate(wanted):
        id_ = by_name.get(name)
        if id_ is None and number < len(old) and old[number]["name"] not in wanted:
            id_ = old[number]["id"]
        tabs.append({"id": id_ if id_ is not None else -1 - number, "name": name})
    return tabs


def _take(
    left: list[Mapping[str, Any]],
    item: Item,
    settings: Mapping[str, Any],
    tab: int | None,
    cards: Mapping[str, int | str],
    likeness: int,
) -> Mapping[str, Any] | None:
    """The dashcard that this place had: 0 same content in the same tab and place, 1 same tab, 2 anywhere.

    Content is the card; of a text its kind and, at first, its words.
    """
    at = (item.place.row, item.place.col)
    for dashcard in left:
        exact = (dashcard["row"], dashcard["col"]) == at
        if item.card:
            same = dashcard.get("card_id") == cards[item.card]
        else:
            kind = forms.virtual_kind({"visualization_settings": settings})
            same = dashcard.get("card_id") is None and forms.virtual_kind(dashcard) == kind
            words = (dashcard.get("visualization_settings") or {}).get("text")
            same = same and (likeness > 1 or words == settings.get("text") or exact)
        in_tab = (dashcard.get("dashboard_tab_id") or None) == tab
        if same and (likeness == 2 or in_tab) and (likeness > 0 or exact):
            left.remove(dashcard)
            return dashcard
    return None


def _label(dashcard: Mapping[str, Any], names: Mapping[int | str, str]) -> str:
    if dashcard.get("card_id") is not None:
        key = names.get(dashcard["card_id"])
        return f"card {key}" if key else f"card {(dashcard.get('card') or {}).get('name')!r}"
    kind = forms.virtual_kind(dashcard) or "place"
    text = (dashcard.get("visualization_settings") or {}).get("text") or ""
    return f"{kind} {text[:40]!r}"
