"""Every report is schema-valid in every protocol that has words for it."""

from __future__ import annotations

from typing import Literal

import pytest
from ocpp.messages import Call, _validate_payload

from simulator import reports as r
from simulator.dialects.common import Dialect, Identity
from simulator.dialects.v2x import Dialect2x
from simulator.dialects.v16 import Dialect16
from simulator.physics import Electrical
from simulator.plug import FAULTS
from simulator.scenario import Model
from tests.support.exposition import START

SESSION = r.Session(2, "5a6f", "04A0B1C2", 1000, 77)
VOLTS, AMPERES = (("L1", 230.1), ("L2", 229.8), ("L3", 230.4)), (("L1", 16.0), ("L2", 15.9), ("L3", 16.1))
AC = Electrical(power_w=11_000.0, volts=VOLTS, amperes=AMPERES)
IDENTITY = Identity(Model(vendor="Alfen", name="Eve"), "ALF1", "1.2.3")
SAMPLE = r.Sample(at=START, context="Sample.Periodic", register_wh=1234.5, electrical=AC, soc_percent=51.5, temperature_c=33.3)
STATUSES = ("Available", "Preparing", "Charging", "SuspendedEV", "Finishing", "Unavailable", "Faulted")
REASONS = ("Local", "Remote", "EVDisconnected", "HardReset", "SoftReset", "Reboot", "Other", "DeAuthorized", "UnlockCommand")
REPORTS: list[r.Report] = [
    *(r.Boot(reason=reason) for reason in ("PowerUp", "RemoteReset", "FirmwareUpdate", "ScheduledReset", "Triggered")),
    r.Heartbeat(),
    r.Asked(token="04A0B1C2"),
    r.Status(plug=0, status="Available", at=START),
    *(r.Status(plug=2, status=status, at=START) for status in STATUSES),
    *(
        r.Status(plug=1, status="Faulted", at=START, error_code=fault.code, vendor_code=fault.vendor_code, info=fault.text)
        for fault in FAULTS
    ),
    r.Problem(plug=1, at=START, active=True, code="CX002", text="residual current"),
    r.Problem(plug=1, at=START, active=False, code="CX002", text="residual current"),
    r.Started(session=SESSION, sample=SAMPLE, seq_no=0),
    r.Metered(session=SESSION, sample=SAMPLE, seq_no=1, offline=True),
    r.Metered(session=SESSION, sample=SAMPLE, seq_no=2, trigger="Trigger", charging_state="SuspendedEV"),
    *(r.Stopped(session=SESSION, sample=SAMPLE, seq_no=3, reason=reason) for reason in REASONS),
    r.Clocked(plug=1, sample=SAMPLE),
    r.LogStatus(status="Uploading", request_id=4),
    r.Security(type="StartupOfTheDevice", at=START, info="power"),
]
PROTOCOLS = {"ocpp1.6": "1.6", "ocpp2.0.1": "2.0.1", "ocpp2.1": "2.1"}


def dialect(protocol: str) -> Dialect:
    version: Literal["ocpp2.0.1", "ocpp2.1"] = "ocpp2.1" if protocol == "ocpp2.1" else "ocpp2.0.1"
    return Dialect16() if protocol == "ocpp1.6" else Dialect2x(version)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("report", REPORTS, ids=lambda report: f"{type(report).__name__}")
def test_reports_are_schema_valid(protocol: str, report: r.Report) -> None:
    """The package's own schemas accept each payload; only 1.6 has no words for problems apart from a status."""
    message = dialect(protocol).encode(report, IDENTITY)
    if message is None:
        assert protocol == "ocpp1.6"
        assert isinstance(report, r.Problem)
        return
    _validate_payload(Call(unique_id="1", action=message[0], payload=message[1]), PROTOCOLS[protocol])


@pytest.mark.parametrize(
    ("protocol", "action"), [("ocpp1.6", "StatusNotification"), ("ocpp2.0.1", "StatusNotification"), ("ocpp2.1", "NotifyEvent")]
)
def test_each_protocol_says_a_status_its_own_way(protocol: str, action: str) -> None:
    """2.1 charge points report the status of a connector by NotifyEvent."""
    message = dialect(protocol).encode(r.Status(plug=1, status="Charging", at=START), IDENTITY)
    assert message is not None
    assert message[0] == action


def test_a_start_without_an_answer_has_no_transaction_id() -> None:
    """A 1.6 stop of a transaction whose id the server never told carries −1, as charge points do it."""
    stopped = r.Stopped(session=SESSION, sample=SAMPLE, seq_no=1, reason="Local")
    message = Dialect16().encode(stopped, IDENTITY)
    assert message is not None
    assert message[1]["transactionId"] == -1
