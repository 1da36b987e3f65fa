"""Subscriptions and alerts: what Metabase sends by e-mail, in plain form and as the API takes it.

Metabase keeps them without SMTP, too; it sends nothing then.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from metabase.forms import Target
from metabase.spec import Alert, Dashboard, Subscription

_EVERY = {"hour": "hourly", "day": "daily", "week": "weekly", "month": "monthly"}
_WHEN = {"rows": "has_result", "above": "goal_above", "below": "goal_below"}


def subscription_body(
    subscription: Subscription, dashboard: Dashboard, found: Mapping[str, Any], target: Target
) -> dict[str, Any]:
    """``POST /api/pulse``: every card of the dashboard `found`, to every address."""
    cards = [
        {
            "id": dashcard["card_id"],
            "dashboard_card_id": dashcard["id"],
            "include_csv": False,
            "include_xls": False,
        }
        for dashcard in sorted(found.get("dashcards") or [], key=lambda d: (d["row"], d["col"]))
        if dashcard.get("card_id") is not None
    ]
    filters = {item.key: item for item in dashboard.filters}
    parameters = [
        {
            "id": target.parameters[key],
            "name": filters[key].name,
            "slug": key,
            "type": filters[key].type,
            "value": list(value) if isinstance(value, tuple) else value,
        }
        for key, value in subscription.values.items()
    ]
    channel = {
        "channel_type": "email",
        "enabled": True,
        "schedule_type": _EVERY[subscription.every],
        "schedule_hour": None if subscription.every == "hour" else subscription.at,
        "schedule_day": subscription.day,
        "schedule_frame": subscription.in_month,
        "details": {},
        "recipients": [{"email": address} for address in subscription.to],
    }
    return {
        "name": subscription.name,
        "cards": cards,
        "channels": [channel],
        "dashboard_id": found["id"],
        "parameters": parameters,
        "skip_if_empty": subscription.skip_if_empty,
    }


def subscription_form(pulse: Mapping[str, Any]) -> dict[str, Any]:
    """What a person can set of a subscription, sent or answered, to compare."""
    channels = [one for one in pulse.get("channels") or () if one.get("enabled", True)]
    return {
        "cards": sorted(card.get("dashboard_card_id") or 0 for card in pulse.get("cards") or ()),
        "to": [
            [
                one["channel_type"],
                one["schedule_type"],
                *(one.get(key) for key in ("schedule_hour", "schedule_day", "schedule_frame")),
                *_addresses(one.get("recipients") or ()),
            ]
            for one in channels
        ],
        "filters": sorted([p["id"], p.get("value")] for p in pulse.get("parameters") or ()),
        "skip_if_empty": bool(pulse.get("skip_if_empty")),
    }


def alert_body(alert: Alert, card: int | str) -> dict[str, Any]:
    """``POST /api/notification``."""
    hour = "*" if alert.every == "hour" else str(alert.at)
    days = "? * 2" if alert.every == "week" else "* * ?"
    return {
        "payload_type": "notification/card",
        "payload": {"card_id": card, "send_condition": _WHEN[alert.when], "send_once": alert.once},
        "subscriptions": [
            {
                "type": "notification-subscription/cron",
                "cron_schedule": f"0 0 {hour} {days} *",
                "event_name": None,
            }
        ],
        "handlers": [
            {
                "channel_type": "channel/email",
                "recipients": [
                    {"type": "notification-recipient/raw-value", "details": {"value": address}}
                    for address in alert.to
                ],
            }
        ],
    }


def alert_form(notification: Mapping[str, Any]) -> dict[str, Any]:
    """What a person can set of an alert, sent or answered, to compare."""
    payload = notification.get("payload") or {}
    return {
        "send_condition": payload.get("send_condition"),
        "send_once": bool(payload.get("send_once")),
        "schedule": [one.get("cron_schedule") for one in notification.get("subscriptions") or ()],
        "to": sorted(
            str((one.get("details") or {}).get("value") or (one.get("user") or {}).get("email"))
            for handler in notification.get("handlers") or ()
            for one in handler.get("recipients") or ()
        ),
    }


def _addresses(recipients: Sequence[Mapping[str, Any]]) -> list[str]:
    """Metabase answers with the user for an address that is one's."""
    return sorted(str(one.get("email")) for one in recipients)
