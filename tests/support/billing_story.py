"""Stories of transactions as lists of reports → the transaction row and the evidence, as the running program sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from billing_reports.evidence import Evidence, gather
from chargenet import events as e
from chargenet.events import Event, Fact
from chargenet.model.ids import ConnectorRef
from chargenet.model.measurement import ENERGY_INTERVAL, Measurement, SignedMeterValue
from chargenet.model.transaction import Transaction
from chargenet.testing import MemoryStores
from collector.projections.transactions import TransactionsProjection
from tests.support.facts import DAY
from tests.support.transactions import NEVER, moment, reading, started, status, stopped, updated

Report = dict[str, Any]


_KEPT = ("charging_state", "seq_no", "offline", "token_status", "reservation_id")


def _taken(report: Report, at: Any, **what: Any) -> Event:
    return e.MeasurementsTaken(connector=ConnectorRef(1), transaction_id="T", measured_at=moment(at), **what)


def _power(report: Report, at: Any) -> Event:
    return _taken(report, at, measurements=(Measurement(measurand="Power.Active.Import", value=report["w"], unit="W"),))


def _signed(report: Report, at: Any) -> Event:
    value = SignedMeterValue(report["data"], "OCMF", None, report.get("key"), report.get("context"))
    return _taken(report, at, measurements=(), signed=(value,))


def _interval(report: Report, at: Any) -> Event:
    contexts = report.get("contexts", {report.get("context", "Sample.Periodic"): report.get("wh")})
    taken = tuple(Measurement(ENERGY_INTERVAL, wh, "Wh", context=context) for context, wh in contexts.items())
    mine = report.get("id", "T")
    return e.MeasurementsTaken(connector=ConnectorRef(1), transaction_id=mine, measured_at=moment(at), measurements=taken)


def _rest(report: Report, *without: str) -> dict[str, Any]:
    return {name: report[name] for name in _KEPT if name in report and name not in without}


_EVENTS: dict[str, Callable[[Report, Any], Event]] = {
    "start": lambda r, at: started("T", at, r.get("wh"), token=r.get("token", "AA"), **_rest(r)),
    "update": lambda r, at: updated("T", at, r.get("seq_no"), **_rest(r, "seq_no")),
    "stop": lambda r, at: stopped(r.get("id", "T"), at, r.get("wh"), reason=r.get("reason", "EVDisconnected"), **_rest(r)),
    "reading": lambda r, at: reading(r.get("id", "T"), at, r.get("wh") or 0),
    "status": lambda r, at: status(r["word"], at),
    "power": _power,
    "signed": _signed,
    "interval": _interval,
    "next": lambda r, at: started("T2", at, r.get("wh")),
    "reserve": lambda r, at: e.CommandSent(message_id="r1", action="ReserveNow", payload={"reservationId": r["reservation_id"]}),
    "reserved": lambda r, at: e.CommandAnswered(message_id="r1", action="ReserveNow", status="accepted"),
}


def event_of(report: Report) -> Event:
    """One report: `is` says which, `at` is the charge point's clock in seconds ("never": one that was never set)."""
    at = report.get("at", 0)
    return _EVENTS[report["is"]](report, NEVER if at == "never" else at)


def facts_of(reports: Sequence[Report], protocol: str = "ocpp1.6") -> list[Fact]:
    """One frame each, received at `received` (else at its own time), numbered from 1."""
    made = []
    for number, report in enumerate(reports, 1):
        at = float(report["received"] if "received" in report else report.get("at", 0))
        made.append(Fact(number, DAY + timedelta(seconds=at), "CP1", 1, protocol, "Any", (event_of(report),)))
    return made


async def told(reports: Sequence[Report], protocol: str = "ocpp1.6") -> tuple[Transaction, Evidence]:
    """The transaction `T` after these reports, and the evidence about it."""
    facts = facts_of(reports, protocol)
    stores = MemoryStores()
    projection = TransactionsProjection(stores.transactions)
    for fact in facts:
        await projection.apply([fact], fact.sequence)
    row = await stores.transactions.transaction("CP1", "T")
    assert row is not None, "the story has no transaction T"
    return row, gather(row, facts)
