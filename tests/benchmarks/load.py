"""A load of charge points over loopback, in a process of its own: closed loop or paced, one call in flight per connection.

    python -m tests.benchmarks.load --port 9000 --connections 1000 --seconds 5 --payload meter_values [--rate 10000]

Prints `BEGIN` when all are connected and the first message is about to leave, and in the end one JSON line: messages, seconds,
latency percentiles in milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections.abc import Callable
from typing import Any

import picows
import uvloop

BEGIN = "messages"

SAMPLED: list[dict[str, str]] = [
    {"value": "1234567.0", "measurand": "Energy.Active.Import.Register", "unit": "Wh", "context": "Sample.Periodic"},
    {"value": "11040.0", "measurand": "Power.Active.Import", "unit": "W", "context": "Sample.Periodic"},
    {"value": "16.01", "measurand": "Current.Import", "unit": "A", "phase": "L1", "context": "Sample.Periodic"},
    {"value": "16.02", "measurand": "Current.Import", "unit": "A", "phase": "L2", "context": "Sample.Periodic"},
    {"value": "15.98", "measurand": "Current.Import", "unit": "A", "phase": "L3", "context": "Sample.Periodic"},
    {"value": "230.4", "measurand": "Voltage", "unit": "V", "phase": "L1-N", "context": "Sample.Periodic"},
    {"value": "231.1", "measurand": "Voltage", "unit": "V", "phase": "L2-N", "context": "Sample.Periodic"},
    {"value": "54", "measurand": "SoC", "unit": "Percent", "context": "Sample.Periodic"},
]


def timestamp(count: int) -> str:
    """Each frame has its own instant, as meters do."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_900_000_000 + count)) + "Z"


def heartbeat(count: int) -> tuple[str, dict[str, Any]]:
    return "Heartbeat", {}


def status(count: int) -> tuple[str, dict[str, Any]]:
    words = ("Available", "Preparing", "Charging", "Finishing")
    return "StatusNotification", {
        "connectorId": 1 + count % 2,
        "errorCode": "NoError",
        "status": words[count % 4],
        "timestamp": timestamp(count),
        "info": "",
        "vendorId": "ACME",
        "vendorErrorCode": "",
    }


def meter_values(count: int) -> tuple[str, dict[str, Any]]:
    value = [{"timestamp": timestamp(count), "sampledValue": SAMPLED}]
    return "MeterValues", {"connectorId": 1, "meterValue": value}


def mixed(count: int) -> tuple[str, dict[str, Any]]:
    """25 % Heartbeat, 25 % StatusNotification, 50 % MeterValues."""
    return (heartbeat, status, meter_values, meter_values)[count % 4](count)


def transaction_event(count: int) -> tuple[str, dict[str, Any]]:
    sampled = []
    for sample in SAMPLED:
        entry: dict[str, Any] = {"value": float(sample["value"]), "measurand": sample["measurand"], "context": "Sample.Periodic"}
        if "phase" in sample:
            entry["phase"] = sample["phase"]
        entry["unitOfMeasure"] = {"unit": sample["unit"]}
        sampled.append(entry)
    return "TransactionEvent", {
        "eventType": "Updated",
        "timestamp": timestamp(count),
        "triggerReason": "MeterValuePeriodic",
        "seqNo": count,
        "transactionInfo": {"transactionId": "a6b0d2f4-load", "chargingState": "Charging"},
        "evse": {"id": 1, "connectorId": 1},
        "meterValue": [{"timestamp": timestamp(count), "sampledValue": sampled}],
    }


PAYLOADS: dict[str, Callable[[int], tuple[str, dict[str, Any]]]] = {
    "heartbeat": heartbeat, "status": status, "meter_values": meter_values, "mixed": mixed, "transaction_event": transaction_event,
}  # fmt: skip


class ChargePoint(picows.WSListener):
    """One connection; frames are made before the clock starts, only the message id changes."""

    def __init__(self, load: Load, index: int) -> None:
        super().__init__()
        self.load, self.index, self.count = load, index, load.first(index)
        self.transport: picows.WSTransport | None = None
        self.sent_at = 0.0

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self.transport = transport

    def send(self) -> None:
        assert self.transport is not None
        self.count += 1
        self.load.sent += 1
        head, tail = self.load.frame(self.count)
        self.sent_at = time.perf_counter()
        self.transport.send(picows.WSMsgType.TEXT, b'[2,"%d",%b' % (self.count, head) + tail)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type is not picows.WSMsgType.TEXT:
            return
        self.load.replied(self, frame.get_payload_as_bytes())

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        self.load.disconnected += 1


class Load:
    """The whole run."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.closed_loop = not options.rate
        self.stopping = False
        self.latencies: list[float] = []
        self.errors = self.disconnected = 0
        self.idle: list[ChargePoint] = []
        self.sent = 0
        make = PAYLOADS[options.payload]
        self.frames = [make(count) for count in range(4096)]
        self.encoded = [
            (json.dumps(action).encode(), b"," + json.dumps(payload).encode() + b"]") for action, payload in self.frames
        ]

    def first(self, index: int) -> int:
        return index * 1_000_003 % 4096 + int(self.options.seed) * 10_000_000

    def frame(self, count: int) -> tuple[bytes, bytes]:
        head, tail = self.encoded[count % 4096]
        if self.options.payload == "transaction_event":  # a repeated seqNo would be answered as a duplicate
            tail = tail.replace(b'"seqNo": %d,' % (count % 4096), b'"seqNo": %d,' % count, 1)
        return head, tail

    def replied(self, charge_point: ChargePoint, reply: bytes) -> None:
        self.latencies.append(time.perf_counter() - charge_point.sent_at)
        if not reply.startswith(b"[3"):
            self.errors += 1
        if self.closed_loop and not self.stopping:
            charge_point.send()
        else:
            self.idle.append(charge_point)

    async def run(self) -> dict[str, Any]:
        options = self.options
        charge_points = await self.connect()
        await asyncio.sleep(self.options.settle)
        print(BEGIN, flush=True)
        started = time.perf_counter()
        if self.closed_loop:
            for charge_point in charge_points:
                charge_point.send()
            await asyncio.sleep(options.seconds)
        else:
            self.idle = list(charge_points)
            random.Random(options.seed).shuffle(self.idle)
            await self.pace(started)
        elapsed = time.perf_counter() - started
        self.stopping = True
        done = len(self.latencies)
        await self.last_replies()
        return self.report(done, elapsed)

    async def last_replies(self) -> None:
        """What was sent is answered, and counts: a slow server has a thousand calls on its desk when time is up."""
        for _ in range(600):
            if len(self.latencies) == self.sent:
                return
            await asyncio.sleep(0.05)

    async def pace(self, started: float) -> None:
        sent = 0
        while (now := time.perf_counter() - started) < self.options.seconds:
            due = int(now * self.options.rate)
            while sent < due and self.idle:
                self.idle.pop(0).send()
                sent += 1
            await asyncio.sleep(0.001)

    async def connect(self) -> list[ChargePoint]:
        found: list[ChargePoint] = []
        for index in range(self.options.connections):
            url = f"ws://127.0.0.1:{self.options.port}/ocpp/LOAD-{self.options.seed}-{index:05d}"
            _, listener = await picows.ws_connect(
                lambda index=index: ChargePoint(self, index), url, extra_headers={"Sec-WebSocket-Protocol": self.options.protocol}
            )
            found.append(listener)  # type: ignore[arg-type]
        return found

    def report(self, done: int, elapsed: float) -> dict[str, Any]:
        ordered = sorted(self.latencies[:done]) or [0.0]
        return {
            "payload": self.options.payload,
            "connections": self.options.connections,
            "messages": done,
            "answered": len(self.latencies),
            "seconds": round(elapsed, 2),
            "messages_per_s": round(done / elapsed),
            "p50_ms": _at(ordered, 0.5),
            "p99_ms": _at(ordered, 0.99),
            "max_ms": _at(ordered, 1.0),
            "errors": self.errors,
            "disconnected": self.disconnected,
        }


def _at(ordered: list[float], share: float) -> float:
    """The quantile, in milliseconds."""
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--payload", choices=sorted(PAYLOADS), default="meter_values")
    parser.add_argument("--protocol", default="ocpp1.6")
    parser.add_argument("--rate", type=float, default=0, help="messages a second over all; 0: closed loop")
    parser.add_argument("--settle", type=float, default=2, help="seconds between connecting and the first message")
    parser.add_argument("--seed", type=int, default=1)
    print(json.dumps(uvloop.run(Load(parser.parse_args()).run())))


if __name__ == "__main__":
    main()
