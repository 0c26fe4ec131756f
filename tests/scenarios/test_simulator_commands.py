"""What simulated charge points do when a server calls them. Every frame is checked both ways by the PyPI `ocpp` schemas."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

import pytest

from chargenet.model.words import Protocol
from collector.handlers.directions import BOTH_WAYS, CHARGE_POINT_INITIATED
from simulator.answers import answers_for
from tests.support.independent_server import IndependentServer
from tests.support.payloads import full, minimal
from tests.support.simulated import POINT, PROTOCOLS, booted, one, running, statuses

FOLDERS = {"ocpp1.6": "v16", "ocpp2.0.1": "v201", "ocpp2.1": "v21"}
"""Where the package keeps the schemas of a protocol."""


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_remote_session_runs_and_stops(protocol: str) -> None:
    """Started by the server, a session is metered with a growing register, and stopped by the server it ends as Remote."""
    async with running(one(protocol)) as (server, network):
        await booted(server)
        if protocol == "ocpp1.6":
            answer = await server.call(POINT, "RemoteStartTransaction", {"connectorId": 2, "idTag": "DRIVER"})
        else:
            body = {"evseId": 2, "remoteStartId": 11, "idToken": {"idToken": "DRIVER", "type": "Central"}}
            answer = await server.call(POINT, "RequestStartTransaction", body)
        assert answer == {"status": "Accepted"}
        await server.until(lambda: len(registers(server)) >= 4)
        assert registers(server) == sorted(registers(server))
        assert registers(server)[-1] > registers(server)[0]
        (session,) = [plug.session for plug in network.charge_points[0].plugs.values() if plug.session]
        if protocol == "ocpp1.6":
            answer = await server.call(POINT, "RemoteStopTransaction", {"transactionId": session.number})
        else:
            answer = await server.call(POINT, "RequestStopTransaction", {"transactionId": session.transaction_id})
        assert answer == {"status": "Accepted"}
        await server.until(lambda: stop_reasons(server) == ["Remote"])
        if protocol != "ocpp1.6":
            events = server.said(POINT, "TransactionEvent")
            assert [event["seqNo"] for event in events] == list(range(len(events)))
            assert events[0]["transactionInfo"]["remoteStartId"] == 11


def registers(server: IndependentServer) -> list[float]:
    values = []
    for _, _, payload in server.calls:
        for meter_value in payload.get("meterValue", ()):
            for sampled in meter_value["sampledValue"]:
                if sampled["measurand"] == "Energy.Active.Import.Register":
                    values.append(float(sampled["value"]))
    return values


def stop_reasons(server: IndependentServer, charge_point_id: str = POINT) -> list[str]:
    plain = [payload["reason"] for payload in server.said(charge_point_id, "StopTransaction")]
    ended = [payload for payload in server.said(charge_point_id, "TransactionEvent") if payload["eventType"] == "Ended"]
    return plain + [payload["transactionInfo"]["stoppedReason"] for payload in ended]


@pytest.mark.parametrize(
    ("protocol", "body"), [("ocpp1.6", {"type": "Hard"}), ("ocpp2.0.1", {"type": "Immediate"}), ("ocpp2.1", {"type": "OnIdle"})]
)
async def test_a_reset_ends_the_connection_and_boots(protocol: str, body: dict[str, Any]) -> None:
    """After a reset, the charge point goes away, comes back and sends a boot notification."""
    async with running(one(protocol)) as (server, network):
        await booted(server)
        assert await server.call(POINT, "Reset", body) == {"status": "Accepted"}
        await server.until(lambda: len(server.said(POINT, "BootNotification")) == 2)
        assert network.statistics.connects == 2
        if protocol != "ocpp1.6":
            assert server.said(POINT, "BootNotification")[1]["reason"] in ("RemoteReset", "ScheduledReset")


async def test_triggers_and_availability() -> None:
    """1.6: asked for a message the charge point sends it; taken out of service, its connector is Unavailable."""
    async with running(one()) as (server, _):
        await booted(server)
        for message in ("BootNotification", "MeterValues", "FirmwareStatusNotification", "DiagnosticsStatusNotification"):
            before = len(server.said(POINT, message))
            body = {"requestedMessage": message, **({"connectorId": 1} if message == "MeterValues" else {})}
            assert await server.call(POINT, "TriggerMessage", body) == {"status": "Accepted"}
            await server.until(lambda message=message, before=before: len(server.said(POINT, message)) == before + 1)  # type: ignore[misc]
        assert await server.call(POINT, "ChangeAvailability", {"connectorId": 2, "type": "Inoperative"}) == {"status": "Accepted"}
        await server.until(lambda: statuses(server)[-1] == (2, "Unavailable"))
        refused = await server.call(POINT, "RemoteStartTransaction", {"connectorId": 2, "idTag": "DRIVER"})
        assert refused == {"status": "Rejected"}
        assert await server.call(POINT, "ChangeAvailability", {"connectorId": 0, "type": "Operative"}) == {"status": "Accepted"}
        await server.until(lambda: statuses(server)[-1] == (2, "Available"))


async def test_configuration_is_read_and_written() -> None:
    """1.6: keys can be read and written, a password is never given away, unknown ones are named, and an interval takes effect."""
    async with running(one()) as (server, network):
        await booted(server)
        answer = await server.call(POINT, "GetConfiguration", {})
        values = {row["key"]: row.get("value") for row in answer["configurationKey"]}
        assert values["NumberOfConnectors"] == "2"
        assert values["AuthorizationKey"] is None
        assert (await server.call(POINT, "GetConfiguration", {"key": ["Nonsense"]}))["unknownKey"] == ["Nonsense"]
        for key, value, status in (("HeartbeatInterval", "1", "Accepted"), ("HeartbeatInterval", "soon", "Rejected"),
                                   ("NumberOfConnectors", "9", "Rejected"), ("Nonsense", "1", "NotSupported"),
                                   ("AuthorizationKey", "0123456789abcdef", "Accepted")):  # fmt: skip
            assert await server.call(POINT, "ChangeConfiguration", {"key": key, "value": value}) == {"status": status}
        assert network.charge_points[0].heartbeat_s == 1.0
        await server.until(lambda: len(server.said(POINT, "Heartbeat")) >= 2)


@pytest.mark.parametrize("protocol", ["ocpp2.0.1", "ocpp2.1"])
async def test_variables_are_read_written_and_reported(protocol: str) -> None:
    """2.x: variables can be read and written one by one, and a base report has all of them."""
    async with running(one(protocol)) as (server, _):
        await booted(server)

        def named(component: str, variable: str, **more: str) -> dict[str, Any]:
            return {"component": {"name": component}, "variable": {"name": variable}, **more}

        wanted = [
            named("OCPPCommCtrlr", "HeartbeatInterval", attributeValue="30"),
            named("SecurityCtrlr", "BasicAuthPassword", attributeValue="0123456789abcdef"),
            named("ChargingStation", "Model", attributeValue="x"),
        ]
        answer = await server.call(POINT, "SetVariables", {"setVariableData": wanted})
        assert [row["attributeStatus"] for row in answer["setVariableResult"]] == ["Accepted", "Accepted", "Rejected"]
        asked = [named("OCPPCommCtrlr", "HeartbeatInterval"), named("SecurityCtrlr", "BasicAuthPassword"), named("No", "Such")]
        answer = await server.call(POINT, "GetVariables", {"getVariableData": asked})
        assert [(row["attributeStatus"], row.get("attributeValue")) for row in answer["getVariableResult"]] == [
            ("Accepted", "30"), ("Rejected", None), ("UnknownVariable", None),
        ]  # fmt: skip
        await server.call(POINT, "GetBaseReport", {"requestId": 5, "reportBase": "FullInventory"})
        await server.until(lambda: any(not report["tbc"] for report in server.said(POINT, "NotifyReport")))
        report = server.said(POINT, "NotifyReport")[0]
        assert report["requestId"] == 5
        assert {"ChargingStation", "OCPPCommCtrlr"} <= {row["component"]["name"] for row in report["reportData"]}


@asynccontextmanager
async def files_server() -> AsyncIterator[tuple[int, dict[str, bytes]]]:
    """A tiny HTTP server that keeps what is PUT and serves a firmware image."""
    kept: dict[str, bytes] = {}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        lengths = [int(line.split(":")[1]) for line in head if line.lower().startswith("content-length:")]
        body, status = b"image" * 100, b"200 OK"
        if method == "PUT":
            kept[path] = await reader.readexactly(lengths[0])
            body = b""
        elif "missing" in path:
            body, status = b"", b"404 Not Found"
        writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (status, len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], kept


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_log_is_uploaded(protocol: str) -> None:
    """The charge point PUTs its log to the address it was given, and says so before and after; an unreachable one fails."""
    async with files_server() as (port, kept), running(one(protocol)) as (server, network):
        await booted(server)
        for path, last in ((f"http://127.0.0.1:{port}/up/token1", "Uploaded"), ("ftp://127.0.0.1/x", "UploadFailure")):
            body = {"logType": "DiagnosticsLog", "requestId": 3, "log": {"remoteLocation": path}}
            answer = await server.call(POINT, "GetLog", body)
            assert answer["status"] == "Accepted"
            await server.until(lambda last=last: [p["status"] for p in server.said(POINT, "LogStatusNotification")][-1:] == [last])  # type: ignore[misc]
        assert network.statistics.uploads == 1
        assert b"Alfen Eve" in kept["/up/token1"]
        said = [payload["status"] for payload in server.said(POINT, "LogStatusNotification")]
        assert said == ["Uploading", "Uploaded", "Uploading", "UploadFailure"]
        if protocol == "ocpp1.6":
            answer = await server.call(POINT, "GetDiagnostics", {"location": f"http://127.0.0.1:{port}/up/token2"})
            assert answer["fileName"].endswith(".log")
            await server.until(
                lambda: [p["status"] for p in server.said(POINT, "DiagnosticsStatusNotification")] == ["Uploading", "Uploaded"]
            )
            assert "/up/token2" in kept


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_firmware_is_fetched_installed_and_booted(protocol: str) -> None:
    """An update ends with a boot notification of the version in the image's name; a missing image fails and changes nothing."""
    async with files_server() as (port, _), running(one(protocol)) as (server, _):
        await booted(server)

        async def update(name: str, last: str) -> None:
            location, at = f"http://127.0.0.1:{port}/{name}", "2026-01-01T00:00:00Z"
            if protocol == "ocpp1.6":
                assert await server.call(POINT, "UpdateFirmware", {"location": location, "retrieveDate": at}) == {}
            else:
                body = {"requestId": 9, "firmware": {"location": location, "retrieveDateTime": at}}
                assert await server.call(POINT, "UpdateFirmware", body) == {"status": "Accepted"}
            await server.until(lambda: firmware_statuses(server)[-1:] == [last])

        await update("missing-1.5.0.bin", "DownloadFailed")
        await update("eve-2.0.7.bin", "Installed")
        failed, done = ["Downloading", "DownloadFailed"], ["Downloading", "Downloaded", "Installing", "Installed"]
        assert firmware_statuses(server) == failed + done
        boots = server.said(POINT, "BootNotification")
        versions = [boot.get("firmwareVersion") or boot.get("chargingStation", {}).get("firmwareVersion") for boot in boots]
        assert versions == ["1.0.0", "2.0.7"]


def firmware_statuses(server: IndependentServer) -> list[str]:
    both = ("FirmwareStatusNotification", "SignedFirmwareStatusNotification")
    return [payload["status"] for _, action, payload in server.calls if action in both]


async def test_a_signed_update_says_so() -> None:
    """1.6 with the security whitepaper: the signed form has its own notifications and request id; a certificate must be one."""
    async with files_server() as (port, _), running(one()) as (server, _):
        await booted(server)
        firmware = {
            "location": f"http://127.0.0.1:{port}/eve-3.1.0.bin", "retrieveDateTime": "2026-01-01T00:00:00Z",
            "signingCertificate": "none", "signature": "c2ln",
        }  # fmt: skip
        answer = await server.call(POINT, "SignedUpdateFirmware", {"requestId": 4, "firmware": firmware})
        assert answer == {"status": "InvalidCertificate"}
        firmware["signingCertificate"] = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
        answer = await server.call(POINT, "SignedUpdateFirmware", {"requestId": 4, "firmware": firmware})
        assert answer == {"status": "Accepted"}
        await server.until(lambda: firmware_statuses(server)[-1:] == ["Installed"])
        assert "SignatureVerified" in firmware_statuses(server)
        assert {payload["requestId"] for payload in server.said(POINT, "SignedFirmwareStatusNotification")} == {4}


def schema(protocol: str, action: str) -> dict[str, Any]:
    """The package's schema of a call."""
    folder = FOLDERS[protocol]
    name = action if protocol == "ocpp1.6" else f"{action}Request"
    found: dict[str, Any] = json.loads(files("ocpp").joinpath(folder, "schemas", f"{name}.json").read_text(encoding="utf-8-sig"))
    return found


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_every_call_of_a_server_gets_a_valid_answer(protocol: str) -> None:
    """Each action that a server can send, with the least and with everything in it, is answered as its schema wants."""
    away = {"Reset", "UpdateFirmware", "SignedUpdateFirmware"}
    async with running(one(protocol)) as (server, network):
        await booted(server)
        for action in sorted(set(answers_for(protocol)) - away):
            for make in (minimal, full):
                answer = await server.call(POINT, action, make(schema(protocol, action)))
                assert "error" not in answer, (action, answer)
        answer = await server.call(POINT, "Reset", minimal(schema(protocol, "Reset")))
        assert answer["status"] in ("Accepted", "Scheduled")
        assert network.statistics.calls_refused == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_call_of_a_server_is_left_out(protocol: str) -> None:
    """A charge point answers exactly the actions of the package's schemas that are not its own to call."""
    folder = files("ocpp").joinpath(FOLDERS[protocol], "schemas")
    names = {entry.name.removesuffix(".json") for entry in folder.iterdir() if not entry.name.endswith("Response.json")}
    own = CHARGE_POINT_INITIATED[Protocol(protocol)] - BOTH_WAYS
    assert set(answers_for(protocol)) == {name.removesuffix("Request") for name in names} - own


async def test_a_call_that_it_does_not_know_is_refused() -> None:
    """An action of another protocol gets NotImplemented, and one without what it needs a FormationViolation."""
    async with running(one()) as (server, network):
        await booted(server)
        socket = server.connected[POINT]
        for message_id, action, code in (("a", "GetBaseReport", "NotImplemented"), ("b", "Reset", "FormationViolation")):
            future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
            server._waiting[message_id] = (action, future)
            await socket.send(json.dumps([2, message_id, action, {}]))
            assert await asyncio.wait_for(future, 5) == {"error": code}
        assert network.statistics.calls_refused == 2
