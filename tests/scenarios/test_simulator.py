"""Simulated charge points against a server that shares nothing with the collector: every frame valid, every call heeded.

The server checks each frame in both directions by the PyPI `ocpp` package's schemas.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

import pytest

from chargenet.clock import SystemClock
from chargenet.errors import SettingsError
from simulator.answers import answers_for
from simulator.network import Network
from simulator.scenario import Model, Outage, Scenario, Site, demo
from tests.support.independent_server import IndependentServer, independent_server
from tests.support.payloads import full, minimal

SPEED = 60.0
POINT = "SIM-0001"
PROTOCOLS = ("ocpp1.6", "ocpp2.0.1", "ocpp2.1")


def one(protocol: str = "ocpp1.6", *, busy: float = 0.0, outages: tuple[Outage, ...] = (), count: int = 1) -> Scenario:
    """One quiet charge point: nobody comes by himself, unless a car is there already."""
    model = {"vendor": "Alfen", "name": "Eve", "connectors": 2, "power_kw": 22.0, "firmware": "1.0.0", "protocol": protocol}
    return Scenario(
        charge_points=count,
        sites=(Site(name="A", outages=outages),),
        models=(Model(**model),),  # type: ignore[arg-type]  # one dictionary of several types
        sessions_per_connector_hour=0.001,
        busy_share=busy,
        faults_per_charge_point_day=0.0,
        dwell_after_full_s=5.0,
    )


@asynccontextmanager
async def running(
    scenario: Scenario, *, password: str | None = None, given: str | None = None, speed: float = SPEED
) -> AsyncIterator[tuple[IndependentServer, Network]]:
    """The network, alive against the server; at the end, no frame may have been wrong."""
    async with independent_server(password=password) as server:
        network = Network(scenario, f"ws://127.0.0.1:{server.port}/ocpp", 7, speed, SystemClock(), password=given)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(network.run())
            try:
                yield server, network
            finally:
                task.cancel()
        assert server.faults == []


async def booted(server: IndependentServer) -> None:
    await server.until(lambda: server.said(POINT, "BootNotification") and len(statuses(server)) >= 2)


def statuses(server: IndependentServer, charge_point_id: str = POINT) -> list[tuple[int, str]]:
    """(connector, status) as reported, in order, in whatever way the protocol has."""
    said = []
    for who, action, payload in server.calls:
        if who != charge_point_id:
            continue
        if action == "StatusNotification":
            said.append((payload.get("evseId") or payload["connectorId"], payload.get("status") or payload["connectorStatus"]))
        for data in payload.get("eventData", ()):
            if data["variable"]["name"] == "AvailabilityState" and "evse" in data["component"]:
                said.append((data["component"]["evse"]["id"], data["actualValue"]))
    return [(connector, status) for connector, status in said if connector]


async def test_a_network_lives() -> None:
    """Mixed charge points of three protocols boot, report, charge and stop; every frame is valid and none is refused."""
    async with running(demo(14), speed=120.0) as (server, network):
        await server.until(lambda: len(server.protocols) == 3 and network.statistics.connected >= 12)
        await server.until(lambda: network.statistics.sessions_stopped >= 3, timeout_s=60)
        await server.until(lambda: any(action == "MeterValues" for _, action, _ in server.calls))
        assert network.statistics.call_errors == network.statistics.timeouts == network.statistics.connect_failures == 0
        assert network.statistics.energy_wh > 0
        assert "/14 connected" in network.statistics.line()


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
    folder = {"ocpp1.6": "v16", "ocpp2.0.1": "v201", "ocpp2.1": "v21"}[protocol]
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


async def test_the_password_is_sent() -> None:
    """With the right password a charge point gets in; with another it is refused, tries again, and counts that as an error."""
    async with running(one(), password="right", given="right") as (server, _):
        await booted(server)
        assert server.refused == 0
    async with running(one(), password="right", given="wrong") as (server, network):
        await server.until(lambda: server.refused >= 2)
        assert network.statistics.connect_failures >= 1
        assert server.calls == []
        assert "wrong" not in repr(network.statistics.problems)


async def test_an_outage_is_told_about_afterwards() -> None:
    """A session goes on while its site is dark; its readings come late, flagged as offline, in order and without a gap."""
    scenario = one("ocpp2.0.1", busy=1.0, outages=(Outage(after_s=240.0, for_s=240.0),))
    async with running(scenario) as (server, network):
        await server.until(lambda: any(event.get("offline") for event in server.said(POINT, "TransactionEvent")))
        await server.until(lambda: network.charge_points[0].waiting == 0 and network.statistics.connects == 2)
        by_transaction: dict[str, list[int]] = {}
        for event in server.said(POINT, "TransactionEvent"):
            by_transaction.setdefault(event["transactionInfo"]["transactionId"], []).append(event["seqNo"])
        assert all(numbers == list(range(len(numbers))) for numbers in by_transaction.values())
        assert len(server.said(POINT, "BootNotification")) == 1


async def test_a_refused_driver_does_not_charge() -> None:
    """A token that the server blocks starts no transaction, and the connector is free again."""
    async with independent_server() as server:
        server.token_status = "Blocked"
        network = Network(one(busy=1.0), f"ws://127.0.0.1:{server.port}/ocpp", 7, SPEED, SystemClock())
        async with asyncio.TaskGroup() as group:
            task = group.create_task(network.run())
            await server.until(lambda: len(server.said(POINT, "Authorize")) == 2)
            await server.until(lambda: dict(statuses(server)) == {1: "Available", 2: "Available"})
            task.cancel()
        assert server.said(POINT, "StartTransaction") == []
        assert network.statistics.sessions_started == 0
        assert server.faults == []


async def test_a_charge_point_survives_the_loss_of_its_server() -> None:
    """When the server drops the connection, the charge point is back by itself without a boot, and tells its statuses again."""
    async with running(one()) as (server, network):
        await booted(server)
        before = len(statuses(server))
        server.connected[POINT].transport.abort()
        await server.until(lambda: network.statistics.connects == 2 and len(statuses(server)) >= before + 2)
        assert len(server.said(POINT, "BootNotification")) == 1


def test_a_wrong_address_is_named() -> None:
    """An address that is none for WebSockets is refused at once, with what it should look like."""
    with pytest.raises(SettingsError, match="ws://"):
        Network(one(), "http://127.0.0.1", 1, 1.0, SystemClock())
