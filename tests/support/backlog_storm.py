"""Charge points that reconnect all at once, each with a backlog: a transaction of CALLS calls, one after the other.

    python -m tests.support.backlog_storm PORT COUNT

A process of its own. Prints one JSON line: seconds until all were connected, answer times, and what was answered wrongly.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import picows
import uvloop

CALLS = 20
CONNECTING = 512
"""Connects under way at once, as a listen backlog lets through."""
REGISTER_STEP_WH = 100


def backlog(transaction_id: int, number: int) -> tuple[str, dict[str, Any]]:
    """Call `number` of the backlog: the start, readings, the stop."""
    at = f"2026-03-01T00:{number:02d}:00Z"
    register = number * REGISTER_STEP_WH
    if number == 0:
        return "StartTransaction", {"connectorId": 1, "idTag": "T", "meterStart": register, "timestamp": at}
    if number == CALLS - 1:
        return "StopTransaction", {"transactionId": transaction_id, "meterStop": register, "timestamp": at}
    value = [{"timestamp": at, "sampledValue": [{"value": str(register)}]}]
    return "MeterValues", {"connectorId": 1, "transactionId": transaction_id, "meterValue": value}


class ChargePoint(picows.WSListener):
    """Delivers its backlog as soon as it is connected; the next call leaves with the answer to the one before."""

    def __init__(self, storm: Storm) -> None:
        self._storm = storm
        self._transaction_id = self.done = 0
        self._sent_at = 0.0
        self._transport: picows.WSTransport | None = None

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        action, payload = backlog(self._transaction_id, self.done)
        self._sent_at = time.perf_counter()
        self._transport.send(picows.WSMsgType.TEXT, json.dumps([2, str(self.done), action, payload]).encode())

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type is not picows.WSMsgType.TEXT:
            return
        reply = json.loads(frame.get_payload_as_bytes())
        self._storm.latencies.append(time.perf_counter() - self._sent_at)
        if reply[0] != 3 or reply[1] != str(self.done):
            self._storm.wrong.append(reply)
            return
        self._transaction_id = reply[2].get("transactionId", self._transaction_id)
        self.done += 1
        if self.done < CALLS:
            self._send()
        else:
            self._storm.finished()

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        if self.done < CALLS:
            self._storm.wrong.append(f"disconnected after {self.done} calls")
            self._storm.finished()


class Storm:
    """All of them."""

    def __init__(self, port: int, count: int) -> None:
        self._port, self._count = port, count
        self.latencies: list[float] = []
        self.wrong: list[Any] = []
        self._left = count
        self._over = asyncio.Event()

    def finished(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._over.set()

    async def run(self) -> dict[str, Any]:
        began = time.perf_counter()
        turn = asyncio.Semaphore(CONNECTING)
        transports = await asyncio.gather(*(self._connect(number, turn) for number in range(self._count)))
        connected = time.perf_counter() - began
        await self._over.wait()
        seconds = time.perf_counter() - began
        for transport in transports:
            transport.disconnect()
        ordered = sorted(self.latencies)
        return {
            "charge_points": self._count,
            "calls": len(ordered),
            "connect_s": round(connected, 2),
            "connects_per_s": round(self._count / connected),
            "seconds": round(seconds, 2),
            "calls_per_s": round(len(ordered) / seconds),
            "p50_ms": _at(ordered, 0.5),
            "p99_ms": _at(ordered, 0.99),
            "max_ms": _at(ordered, 1.0),
            "wrong": len(self.wrong),
            "examples": self.wrong[:3],
        }

    async def _connect(self, number: int, turn: asyncio.Semaphore) -> picows.WSTransport:
        async with turn:
            transport, _ = await picows.ws_connect(
                lambda: ChargePoint(self),
                f"ws://127.0.0.1:{self._port}/ocpp/STORM-{number:05d}",
                extra_headers={"Sec-WebSocket-Protocol": "ocpp1.6"},
                websocket_handshake_timeout=60,
            )
        return transport


def _at(ordered: list[float], share: float) -> float:
    """The quantile, in milliseconds."""
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


def main() -> None:
    async def run() -> dict[str, Any]:
        return await Storm(int(sys.argv[1]), int(sys.argv[2])).run()

    print(json.dumps(uvloop.run(run())))


if __name__ == "__main__":
    main()
