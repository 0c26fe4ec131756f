"""A charge point written with the PyPI `ocpp` client: the independent peer that everything must work with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result

START = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


def at(minutes: float) -> str:
    """An instant of the station's own clock."""
    return (START + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Station(ChargePoint):  # type: ignore[misc]
    """OCPP 1.6, one connector. Remembers what it was asked."""

    def __init__(self, name: str, connection: Any) -> None:
        super().__init__(name, connection, response_timeout=10)
        self.resets: list[str] = []
        self.uploading: asyncio.Queue[str] = asyncio.Queue(4)

    @on("Reset")
    async def on_reset(self, type: str) -> Any:
        self.resets.append(type)
        return call_result.Reset(status="Accepted")

    @on("GetDiagnostics")
    async def on_get_diagnostics(self, location: str, **_: Any) -> Any:
        self.uploading.put_nowait(location)
        return call_result.GetDiagnostics(file_name="diagnostics.log")

    async def boot(self, firmware: str = "1.0.0") -> Any:
        return await self.call(
            call.BootNotification(
                charge_point_vendor="ACME",
                charge_point_model="Wallbox 22",
                firmware_version=firmware,
                charge_point_serial_number="A-1",
            )
        )

    async def status(self, status: str, minutes: float, error_code: str = "NoError") -> None:
        await self.call(call.StatusNotification(connector_id=1, error_code=error_code, status=status, timestamp=at(minutes)))

    async def begin(self, id_tag: str, register_wh: int, minutes: float) -> int:
        """The transaction id that it was given."""
        answer = await self.call(
            call.StartTransaction(connector_id=1, id_tag=id_tag, meter_start=register_wh, timestamp=at(minutes))
        )
        return int(answer.transaction_id)

    async def meter(self, transaction_id: int, register_wh: int, power_w: int, minutes: float) -> None:
        sampled = [
            {"value": str(register_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh", "context": "Sample.Periodic"},
            {"value": str(power_w / 1000), "measurand": "Power.Active.Import", "unit": "kW", "context": "Sample.Periodic"},
        ]
        value = [{"timestamp": at(minutes), "sampledValue": sampled}]
        await self.call(call.MeterValues(connector_id=1, transaction_id=transaction_id, meter_value=value))

    async def end(self, transaction_id: int, register_wh: int, minutes: float) -> Any:
        return await self.call(
            call.StopTransaction(
                transaction_id=transaction_id,
                meter_stop=register_wh,
                timestamp=at(minutes),
                reason="EVDisconnected",
                id_tag="TAG-1",
            )
        )

    async def upload_diagnostics(self, content: bytes) -> None:
        """Do what the last GetDiagnostics asked for."""
        location = await asyncio.wait_for(self.uploading.get(), 10)
        await self.call(call.DiagnosticsStatusNotification(status="Uploading"))
        async with httpx.AsyncClient() as client:
            answer = await client.put(location.rstrip("/") + "/diagnostics.log", content=content)
        answer.raise_for_status()
        await self.call(call.DiagnosticsStatusNotification(status="Uploaded"))


@asynccontextmanager
async def connected(url: str, name: str, **options: Any) -> AsyncIterator[Station]:
    """A station with an open connection."""
    async with websockets.connect(f"{url}/{name}", subprotocols=["ocpp1.6"], **options) as connection:  # type: ignore[list-item]
        station = Station(name, connection)
        listening = asyncio.ensure_future(ChargePoint.start(station))
        try:
            yield station
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
