"""What chargewatch is measured against, each as a server of its own: `python -m tests.benchmarks.peers ocpp|echo PORT`.

`ocpp` is the PyPI package's ChargePoint with its default validation, answering and doing nothing else; `echo` is a bare
`websockets` server that answers each message with a fixed call result.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call_result as results16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call_result as results201

logging.getLogger("ocpp").setLevel(logging.ERROR)


class Peer16(ChargePoint16):  # type: ignore[misc]
    @on("Heartbeat")
    async def heartbeat(self, **_: Any) -> Any:
        return results16.Heartbeat(current_time=datetime.now(UTC).isoformat())

    @on("StatusNotification")
    async def status(self, **_: Any) -> Any:
        return results16.StatusNotification()

    @on("MeterValues")
    async def meter_values(self, **_: Any) -> Any:
        return results16.MeterValues()


class Peer201(ChargePoint201):  # type: ignore[misc]
    @on("TransactionEvent")
    async def transaction_event(self, **_: Any) -> Any:
        return results201.TransactionEvent()


async def serve_ocpp(connection: Any) -> None:
    peer = Peer201 if connection.subprotocol == "ocpp2.0.1" else Peer16
    await peer(connection.request.path.rsplit("/", 1)[-1], connection).start()


async def serve_echo(connection: Any) -> None:
    async for message in connection:
        await connection.send(json.dumps([3, message[4 : message.index('"', 4)], {}]))


async def main(kind: str, port: int) -> None:
    handler = {"ocpp": serve_ocpp, "echo": serve_echo}[kind]
    server = await websockets.serve(handler, "127.0.0.1", port, subprotocols=["ocpp1.6", "ocpp2.0.1"], compression=None)  # type: ignore[list-item]
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
