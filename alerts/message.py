"""What one receiver is told about one change of a group, for programs and for somebody woken at 3 a.m. Pure.

Decided here: what a message has in it, in which words, and how large it can be; not the form that each kind of receiver wants.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec

from alerts.links import LinkMaker, filled
from alerts.stages.alert import Alert, rank
from alerts.stages.dedup import Reason, Status, Verdict
from alerts.stages.group import Place
from chargenet.model.notice import Attachment, Link, Severity

MAX_BYTES = 256 << 10
"""A message as JSON."""
MAX_ITEMS = 20
MAX_TITLE, MAX_TEXT, MAX_LABEL, MAX_LABELS, MAX_URL, MAX_LINKS, MAX_DETAILS = 300, 4000, 256, 40, 2048, 12, 16 << 10
MAX_BODY = 12_000
"""Characters of the whole text."""
_SMALL = 600
_LINE, _BREAK = "\n", "\n\n"
_FEWER = 5
_FEW_LABELS = 8


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One alert of the group."""

    key: str
    source: str
    kind: str
    severity: str
    title: str
    text: str
    labels: dict[str, str]
    began_at: datetime
    resolved_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    links: tuple[Link, ...] = ()
    details: dict[str, object] = {}


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """`change` counts the messages of this group to this receiver; `text` is whole, for people, `items` the same for programs."""

    message_id: str
    receiver: str
    group_key: str
    change: int
    status: str
    reason: str
    severity: str
    title: str
    text: str
    labels: dict[str, str]
    """Those that all items share."""
    began_at: datetime
    created_at: datetime
    items: tuple[Item, ...]
    more: int = 0
    """Alerts of the group that are not among the items."""
    links: tuple[Link, ...] = ()
    attachments: tuple[Attachment, ...] = ()


class Bases(msgspec.Struct, frozen=True):
    """URL templates with labels in braces, "" for none: {kind}, {site}, {charge_point}, …"""

    runbook: str = ""
    board: str = ""


NO_BASES = Bases()


def compose(place: Place, verdict: Verdict, now: datetime, links: LinkMaker | None = None, bases: Bases = NO_BASES) -> Message:
    """The message of a verdict that says something."""
    assert verdict.say is not None and verdict.after is not None
    change, shown = verdict.after.change, verdict.shown
    items = tuple(_item(alert) for alert in shown[:MAX_ITEMS])
    labels = _common(items)
    ongoing = verdict.say in (Status.FIRING, Status.ACKNOWLEDGED)
    acts = links.links(place.receiver, place.group_key, now) if links and ongoing else ()
    first, later = acts[:1], acts[1:]
    if verdict.say is Status.ACKNOWLEDGED:
        first = ()
    case = links.case(items[0].details) if links and len(items) == 1 else ()
    message = Message(
        message_id=message_id(place, change, now),
        receiver=place.receiver,
        group_key=place.group_key,
        change=change,
        status=verdict.say,
        reason=verdict.reason,
        severity=verdict.after.severity,
        title=cut(_title(shown, verdict.say, labels), MAX_TITLE),
        text="",
        labels=labels,
        began_at=min((alert.notice.began_at for alert in shown), default=now),
        created_at=now,
        items=items,
        more=max(0, len(shown) - MAX_ITEMS),
        links=(*first, *_links(items, labels, bases, links), *case, *later),
        attachments=tuple(each for alert in shown[:MAX_ITEMS] for each in alert.notice.attachments)[:10],
    )
    return fitted(msgspec.structs.replace(message, text=_whole(_said(message), message.links, MAX_BODY)))


def trial(receiver: str, who: str, now: datetime, nonce: str) -> Message:
    """A marked test: nobody should be worried by it."""
    text = (
        f"This is a test of the receiver {receiver!r}, asked for by {cut(who, MAX_LABEL)}. Nothing is wrong, nothing is to be done."
    )
    item = Item(
        key=f"test/{nonce}", source="relay", kind="Test", severity=Severity.INFO, title=f"Test of {receiver}", text=text,
        labels={"kind": "Test"}, began_at=now,
    )  # fmt: skip
    place, title = Place(receiver, f"test:{nonce}"), f"Test from chargewatch: {receiver} can be reached"
    return Message(
        message_id=message_id(place, 1, now), receiver=receiver, group_key=place.group_key, change=1, status=Status.TEST,
        reason=Reason.TEST, severity=Severity.INFO, title=title, text=f"{title}\n{text}",
        labels=item.labels, began_at=now, created_at=now, items=(item,),
    )  # fmt: skip


def message_id(place: Place, change: int, now: datetime) -> str:
    """The same for every attempt; never the same for two changes, even after a database was lost."""
    parts = (place.receiver, place.group_key, str(change), now.isoformat())
    return "msg_" + hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def fitted(message: Message) -> Message:
    """The message with its least needed parts left out until its JSON has at most MAX_BYTES."""
    small = msgspec.structs.replace
    if len(msgspec.json.encode(message)) > MAX_BYTES:
        message = small(message, items=tuple(small(item, details={}) for item in message.items))
    if len(msgspec.json.encode(message)) > MAX_BYTES:
        kept = tuple(_smaller(item) for item in message.items[:_FEWER])
        left_out = len(message.items) - len(kept)
        message = small(
            message,
            items=kept,
            more=message.more + left_out,
            attachments=message.attachments[:2],
            text=_whole(f"{message.text.partition(_LINE)[0]}\n{body(message)}", message.links, MAX_TEXT),
            labels=_few(message.labels, _FEW_LABELS),
        )
    return message


def _smaller(item: Item) -> Item:
    return msgspec.structs.replace(item, text=cut(item.text, _SMALL), labels=_few(item.labels, _FEW_LABELS), links=())


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, an ellipsis where some were left out; nothing that breaks a line of a protocol."""
    clean = text[: limit + 1]
    if not clean.replace("\n", "").isprintable():
        clean = "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in clean)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def since(began_at: datetime, now: datetime) -> str:
    """`since 02:41 UTC (19 min)`; the day as well where it is another."""
    seconds = max(0, int((now - began_at).total_seconds()))
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    age = f"{days} d {hours} h" if days else f"{hours} h {minutes} min" if hours else f"{minutes} min"
    form = "%H:%M UTC" if began_at.date() == now.date() else "%Y-%m-%d %H:%M UTC"
    return f"since {began_at.strftime(form)} ({age})"


def _item(alert: Alert) -> Item:
    notice = alert.notice
    details = notice.details if len(msgspec.json.encode(notice.details)) <= MAX_DETAILS else {}
    return Item(
        key=cut(notice.key, MAX_LABEL), source=notice.source, kind=cut(notice.kind, MAX_LABEL),
        severity=notice.severity, title=cut(notice.title, MAX_TITLE),
        text=cut(notice.text, MAX_TEXT), labels=_few(alert.labels), began_at=notice.began_at, resolved_at=notice.resolved_at,
        acknowledged_at=notice.acknowledged_at, acknowledged_by=cut(notice.acknowledged_by, MAX_LABEL),
        links=tuple(link for link in notice.links if len(link.url) <= MAX_URL)[:MAX_LINKS], details=details,
    )  # fmt: skip


def _few(labels: dict[str, str], most: int = MAX_LABELS) -> dict[str, str]:
    return {cut(name, 64): cut(value, MAX_LABEL) for name, value in list(labels.items())[:most]}


def _common(items: Sequence[Item]) -> dict[str, str]:
    if not items:
        return {}
    first, *others = items
    return {name: value for name, value in first.labels.items() if all(item.labels.get(name) == value for item in others)}


def _title(shown: Sequence[Alert], status: Status, labels: dict[str, str]) -> str:
    """One alert: its own title. Several: how many of what, where."""
    mark = {Status.RESOLVED: "Over: ", Status.ACKNOWLEDGED: "In hand: "}.get(status, "")
    if not shown:
        return f"{mark}no longer told here"
    relevant = [alert for alert in shown if not alert.is_over] or list(shown)
    if len(relevant) == 1:
        return mark + relevant[0].notice.title
    what = labels.get("kind") or "problems"
    where = labels.get("charge_point") or labels.get("site")
    return f"{mark}{len(relevant)} × {what}" + (f" at {where}" if where else "")


def _links(items: Sequence[Item], labels: dict[str, str], bases: Bases, links: LinkMaker | None) -> tuple[Link, ...]:
    """The only alert's own links, then runbook and board where they have none."""
    found = list(items[0].links) if len(items) == 1 else []
    titles = {link.title.lower() for link in found}
    kind = labels.get("kind", "")
    if kind and "runbook" not in titles:
        own = links.runbook(kind) if links else ()
        found += (Link("Runbook", filled(bases.runbook, labels)),) if bases.runbook else own
    if bases.board and "board" not in titles:
        found.append(Link("Board", filled(bases.board, labels)))
    return tuple(link for link in found if len(link.url) <= MAX_URL)[:MAX_LINKS]


def body(message: Message) -> str:
    """The text without its first line and without the links at its end, for receivers that show both in their own way."""
    said = message.text.removesuffix(_BREAK + _listed(message.links)) if message.links else message.text
    return said.partition("\n")[2].strip()


def _whole(said: str, links: Sequence[Link], limit: int) -> str:
    """The text, and the links below it, which are never what is cut off."""
    listed = _BREAK + _listed(links) if links else ""
    return cut(said, limit) + listed


def _listed(links: Sequence[Link]) -> str:
    return "\n".join(f"{cut(link.title, MAX_LABEL)}: {link.url}" for link in links)


def _said(message: Message) -> str:
    lines = [_headline(message)]
    if len(message.items) == 1 and not message.more:
        lines += _alone(message.items[0], message)
    else:
        lines += [_line(item, message.created_at) for item in message.items]
        if message.more:
            lines.append(f"… and {message.more} more.")
        lines += _detail_of_worst(message)
    return "\n".join(lines)


def _headline(message: Message) -> str:
    words = {
        Status.FIRING: f"{message.severity.upper()}: {message.title}",
        Status.NEWS: message.title,
        Status.RESOLVED: message.title,
        Status.ACKNOWLEDGED: message.title,
    }
    note = {Reason.REPEATED: " (still)", Reason.WORSE: " (worse than before)", Reason.MORE: " (more than before)"}
    return words.get(Status(message.status), message.title) + note.get(Reason(message.reason), "")


def _alone(item: Item, message: Message) -> list[str]:
    if item.resolved_at is not None and item.resolved_at > item.began_at:
        lasted = since(item.began_at, item.resolved_at).rpartition("(")[2].rstrip(")")
        return [f"Over at {item.resolved_at.strftime('%H:%M UTC')}, after {lasted}.", *_paragraph(item.text)]
    times = [] if message.status == Status.NEWS else [f"S{since(item.began_at, message.created_at)[1:]}."]
    taken = [f"In hand: {item.acknowledged_by or 'somebody'}."] if item.acknowledged_at is not None else []
    return [*times, *taken, *_paragraph(item.text)]


def _paragraph(text: str) -> list[str]:
    return ["", text] if text else []


def _line(item: Item, now: datetime) -> str:
    if item.resolved_at is not None:
        return f"- over: {item.title}"
    taken = f", in hand: {item.acknowledged_by or 'somebody'}" if item.acknowledged_at is not None else ""
    return f"- {item.severity}: {item.title}, {since(item.began_at, now)}{taken}"


def _detail_of_worst(message: Message) -> list[str]:
    """The evidence of the first open one: what is wrong with many is mostly wrong with the first."""
    worst = max((item for item in message.items if item.resolved_at is None), key=lambda item: rank(item.severity), default=None)
    return ["", f"{worst.title}:", worst.text] if worst is not None and worst.text else []
