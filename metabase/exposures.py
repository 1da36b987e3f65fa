"""dbt exposures from the dashboards: exact refs, as the files name the models themselves."""

from urllib.parse import quote

import yaml

from metabase.spec import Dashboard, Spec

_HEADER = (
    "# Written by `python -m metabase exposures` from metabase/dashboards; a test says when it is stale.\n"
)


def models_of(spec: Spec, dashboard: Dashboard) -> list[str]:
    """The dbt models that a dashboard reads, its filters' values included."""
    names = {name for card in spec.cards_of(dashboard) for name in card.sql.refs}
    return sorted(names | {item.column.model for item in dashboard.filters if item.column})


def text(spec: Spec) -> str:
    """The file's content."""
    entries = []
    for dashboard in sorted(spec.dashboards, key=lambda one: one.key):
        entries.append(
            {
                "name": f"dashboard_{dashboard.key}",
                "label": dashboard.name,
                "type": "dashboard",
                "maturity": "high",
                # its id differs from server to server, its name doesn't
                "url": f"{spec.url}/search?q={quote(dashboard.name)}",
                "description": dashboard.description,
                "owner": dict(spec.owner),
                # `metabase check` parses without them: a card must be told what is wrong in its own file
                "config": {"enabled": "{{ var('dashboard_exposures', true) }}"},
                "depends_on": [f"ref('{name}')" for name in models_of(spec, dashboard)],
            }
        )
    body = yaml.safe_dump(
        {"version": 2, "exposures": entries},
        sort_keys=False,
        allow_unicode=True,
        width=110,
        default_flow_style=False,
    )
    return _HEADER + body


def is_fresh(spec: Spec) -> bool:
    """Whether the committed file is what the dashboards say."""
    return spec.exposures.is_file() and spec.exposures.read_text(encoding="utf-8") == text(spec)


def write(spec: Spec) -> None:
    """Write the file."""
    spec.exposures.parent.mkdir(parents=True, exist_ok=True)
    spec.exposures.write_text(text(spec), encoding="utf-8")
