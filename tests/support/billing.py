"""Billing against a running platform: settings of a seller, tariffs, customers, and a charge point that charges."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from websockets.sync.client import connect

from tests.support.platform import RunningPlatform

Found = TypeVar("Found")
SELLER = """
[billing]
seller_name = "Fjord Lading AS"
seller_street = "Havnegata 1"
seller_city = "Trondheim"
seller_postal_code = "7010"
seller_country = "NO"
seller_vat_id = "NO123456789MVA"
time_zone = "Europe/Oslo"
plug_out_wait_s = 0
runs = "manual"
"""
TARIFF = {
    "id": "day",
    "currency": "EUR",
    "elements": [
        {
            "price_components": [
                {"type": "ENERGY", "price": 0.45, "vat": 25, "step_size": 1},
                {"type": "PARKING_TIME", "price": 6, "vat": 25, "step_size": 60},
            ]
        }
    ],
}


def config(folder: Path, more: str = "") -> Path:
    """Settings of a platform with a seller."""
    file = folder / "billing.toml"
    file.write_text(SELLER + more, "utf-8")
    return file


def eventually(ask: Callable[[], Found | None], what: str, seconds: float = 40) -> Found:
    """The first answer that is something. Polls; fails with `what` when nothing comes."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if (found := ask()) is not None:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what}: nothing within {seconds} s")


class Plug:
    """A 1.6 charge point with one connector, whose clock the test tells."""

    def __init__(self, platform: RunningPlatform, name: str = "CP-1") -> None:
        self._url, self.name = f"{platform.url}/{name}", name
        self._ids = itertools.count(1)

    def __enter__(self) -> Plug:
        self._open = connect(self._url, subprotocols=["ocpp1.6"])  # type: ignore[list-item]  # a NewType of str
        self._socket = self._open.__enter__()
        self.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M", "meterSerialNumber": "MTR-7"})
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.__exit__(kind, error, trace)

    def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send a call; its result."""
        number = str(next(self._ids))
        self._socket.send(json.dumps([2, number, action, payload]))
        answer = json.loads(self._socket.recv(20))
        assert answer[:2] == [3, number], answer
        result: dict[str, Any] = answer[2]
        return result

    def status(self, word: str, at: datetime) -> None:
        """The connector's status."""
        body = {"connectorId": 1, "errorCode": "NoError", "status": word, "timestamp": stamp(at)}
        self.call("StatusNotification", body)

    def start(self, token: str, at: datetime, register_wh: int) -> int:
        """A transaction; its id."""
        body = {"connectorId": 1, "idTag": token, "meterStart": register_wh, "timestamp": stamp(at)}
        return int(self.call("StartTransaction", body)["transactionId"])

    def meter(self, transaction: int, at: datetime, register_wh: float) -> None:
        """A sample of the register."""
        value = {"value": str(register_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
        self.call(
            "MeterValues",
            {"connectorId": 1, "transactionId": transaction, "meterValue": [{"timestamp": stamp(at), "sampledValue": [value]}]},
        )

    def stop(self, transaction: int, at: datetime, register_wh: int, reason: str = "EVDisconnected") -> None:
        """The end of a transaction."""
        body = {"transactionId": transaction, "meterStop": register_wh, "timestamp": stamp(at), "reason": reason}
        self.call("StopTransaction", body)

    def charge(self, token: str, began_at: datetime, minutes: int, start_wh: int, energy_wh: int) -> int:
        """A whole transaction, unplugged at its end; its id."""
        transaction = self.start(token, began_at, start_wh)
        self.meter(transaction, began_at + timedelta(minutes=minutes / 2), start_wh + energy_wh / 2)
        self.stop(transaction, began_at + timedelta(minutes=minutes), start_wh + energy_wh)
        return transaction


def stamp(at: datetime) -> str:
    """As charge points write instants."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def cdrs(platform: RunningPlatform, count: int, **filters: str) -> list[dict[str, Any]]:
    """The CDRs, once there are `count`."""

    def ask() -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = platform.api("GET", "/api/v1/cdrs", params={"limit": 1000, **filters})["items"]
        return found if len(found) >= count else None

    return eventually(ask, f"{count} CDRs")


def done(platform: RunningPlatform, run: dict[str, Any]) -> dict[str, Any]:
    """A billing run, once it has ended."""

    def ask() -> dict[str, Any] | None:
        now: dict[str, Any] = platform.api("GET", f"/api/v1/statements/runs/{run['run_id']}")
        return now if now["state"] != "running" else None

    return eventually(ask, "the end of the billing run")
