"""The pages behind signed links, for a phone at 3 a.m. Pure. Decided here: their words; nothing in them runs or is loaded."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from html import escape

from alerts.links import Purpose
from alerts.message import since
from alerts.relay.actions import Seen
from alerts.stages.alert import Alert

MAX_SHOWN = 20
_STYLE = """
:root{color-scheme:light dark}
body{font:18px/1.45 system-ui,sans-serif;max-width:42rem;margin:0 auto;padding:1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin:.2rem 0}
article{border-left:.4rem solid #888;padding:.2rem 0 .2rem .8rem;margin:1rem 0}
.critical{border-color:#d7263d}.warning{border-color:#f2a541}.info{border-color:#5b8e7d}
p{margin:.3rem 0;white-space:pre-line;overflow-wrap:anywhere}
button{font:inherit;font-weight:600;padding:1rem;width:100%;border:0;border-radius:.5rem;background:#1b6ec2;color:#fff}
small{opacity:.75}
""".strip()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)  # fmt: skip
"""The Content-Security-Policy of these pages: no script, no picture, a form to where the page is from."""

_ASK = {
    Purpose.ACKNOWLEDGE: (
        "Take it?",
        "I have it in hand",
        "It is not repeated any more. You hear of it when it gets worse, and when it is over.",
    ),
    Purpose.SILENCE: (
        "Silence it?",
        "Silence for 4 hours",
        "Nothing more of it is told for 4 hours. What is still wrong then is told.",
    ),
    Purpose.RESOLVE: (
        "End it?",
        "It is resolved",
        "It is closed by hand. What is still found some minutes later comes back.",
    ),
}
_DONE = {
    Purpose.ACKNOWLEDGE: ("You have it in hand", "It is not repeated any more."),
    Purpose.SILENCE: ("Silenced for 4 hours", "What is still wrong then is told."),
    Purpose.RESOLVE: ("Resolved", "What is still found some minutes later comes back."),
}


def asking(seen: Seen, now: datetime) -> str:
    """What the link would do, and the button that does it."""
    if not seen.alerts:
        return _nothing(seen)
    title, button, means = _ASK[seen.claim.purpose]
    form = f'<form method="post"><button type="submit">{escape(button)}</button></form><p><small>{escape(means)}</small></p>'
    return page(title, form, *_articles(seen.alerts, now))


def done(seen: Seen, now: datetime) -> str:
    """What it did."""
    if not seen.alerts:
        return _nothing(seen)
    title, means = _DONE[seen.claim.purpose]
    matchers = f"<p><small>Silenced is {escape(', '.join(seen.silenced))}.</small></p>" if seen.silenced else ""
    return page(title, f"<p>{escape(means)}</p>{matchers}", *_articles(seen.alerts, now))


def refused(sentence: str) -> str:
    """Why nothing is done."""
    return page("This did not work", f"<p>{escape(sentence[:1].upper() + sentence[1:])}.</p>")


def _nothing(seen: Seen) -> str:
    return page(
        "Nothing is open any more", f"<p>All that {escape(seen.claim.receiver)} was told of here is over. Go back to sleep.</p>"
    )


def _articles(alerts: Sequence[Alert], now: datetime) -> list[str]:
    shown = [_article(alert, now) for alert in alerts[:MAX_SHOWN]]
    return shown if len(alerts) <= MAX_SHOWN else [*shown, f"<p>… and {len(alerts) - MAX_SHOWN} more.</p>"]


def _article(alert: Alert, now: datetime) -> str:
    notice = alert.notice
    kind = notice.severity if notice.severity in ("critical", "warning", "info") else "warning"
    taken = f" In hand: {notice.acknowledged_by or 'somebody'}." if notice.acknowledged_at is not None else ""
    facts = f"{notice.severity}, {since(notice.began_at, now)}.{taken}"
    links = " · ".join(
        f'<a href="{escape(link.url)}">{escape(link.title)}</a>'
        for link in notice.links
        if link.url.startswith(("https://", "http://"))
    )
    return (
        f'<article class="{kind}"><h2>{escape(notice.title)}</h2><p><small>{escape(facts)}</small></p>'
        f"<p>{escape(notice.text)}</p><p>{links}</p></article>"
    )


def page(title: str, *parts: str) -> str:
    """A whole page: `parts` are HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex,nofollow">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main><h1>{escape(title)}</h1>{''.join(parts)}"
        "</main></body></html>"
    )
