"""The signals: what counts as an event of each, during which time it can happen, and what it weighs. Decided here: the table.

A signal's event is counted once; then the charge point (and for `SITE_QUIET_S` its whole site) is not at risk of that signal for a
while, so that one broken charge point or one tripped fuse is one event. Time at risk is known *before* the event, which is what
makes the bets of mixture.py exact; that is why signals of attempts and sessions are weighed by time and each charge point's own
rate, and not by a number of attempts that is known only afterwards.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

DAY_US = 86_400_000_000
QUIET_S = 86_400
"""After an event a charge point is not at risk of the same signal for so long, doubled with each further one."""
QUIET_DOUBLINGS = 4
SITE_QUIET_S = 900


class Signal(StrEnum):
    """What the gate looks at."""

    OFFLINE = "offline"
    BOOTS = "boots"
    FAULTS = "faults"
    FAILED_STARTS = "failed_starts"
    NO_ENERGY = "no_energy"
    METER_GAPS = "meter_gaps"
    PROTOCOL_ERRORS = "protocol_errors"
    ANY = "any"
    INSTALLS = "installs"
    LOST = "lost"


class AtRisk(StrEnum):
    """During which time an event of a signal can happen to a charge point. Masked time (its own installation, planned
    maintenance, an incident that the control group sees too) is never at risk."""

    CONNECTED = "connected"
    """Connected, or disconnected for less than what counts as offline."""
    CHARGING = "charging"
    """Connected with a transaction open."""
    INSTALL = "install"
    """Not time: each finished installation counts once."""


class SignalRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table. `weight`: its share of the bet, before those of signals that are only observed are shared out."""

    signal: Signal
    label: str
    """In a sentence: "4 in 9 canary days"."""
    event: str
    at_risk: AtRisk
    weight: float
    composite: bool = True
    """Does an event of it count for `any`?"""


TABLE: dict[Signal, SignalRow] = {
    row.signal: row
    for row in (
        SignalRow(
            signal=Signal.OFFLINE,
            label="offline episodes",
            event="disconnected for longer than 10 minutes, once per episode",
            at_risk=AtRisk.CONNECTED,
            weight=0.20,
        ),
        SignalRow(
            signal=Signal.BOOTS,
            label="unplanned boots",
            event="BootNotification that neither we nor an update asked for",
            at_risk=AtRisk.CONNECTED,
            weight=0.15,
        ),
        SignalRow(
            signal=Signal.FAULTS,
            label="faults",
            event="Faulted, an error code other than NoError, or a 2.x device event of severity ≤ 3; once until it is over",
            at_risk=AtRisk.CONNECTED,
            weight=0.15,
        ),
        SignalRow(
            signal=Signal.FAILED_STARTS,
            label="failed starts",
            event="an accepted authorisation or remote start and no transaction within 5 minutes, "
            "or one that ended within 2 minutes with less than 0.1 kWh",
            at_risk=AtRisk.CONNECTED,
            weight=0.15,
        ),
        SignalRow(
            signal=Signal.NO_ENERGY,
            label="sessions without energy",
            event="a transaction of more than 5 minutes with less than 0.1 kWh",
            at_risk=AtRisk.CONNECTED,
            weight=0.025,
        ),
        SignalRow(
            signal=Signal.METER_GAPS,
            label="meter gaps",
            event="no meter value for 15 minutes while a transaction is open, or a register that ran backwards",
            at_risk=AtRisk.CHARGING,
            weight=0.025,
        ),
        SignalRow(
            signal=Signal.PROTOCOL_ERRORS,
            label="protocol errors",
            event="a call of ours answered with an error or not at all, a frame that broke its schema or could not be read",
            at_risk=AtRisk.CONNECTED,
            weight=0.05,
        ),
        SignalRow(
            signal=Signal.ANY,
            label="troubles of any kind",
            event="an event of any signal above that is not only observed",
            at_risk=AtRisk.CONNECTED,
            weight=0.10,
            composite=False,
        ),
        SignalRow(
            signal=Signal.INSTALLS,
            label="failed installations",
            event="an installation that failed, timed out, went back to the old version, ended in a third one, or was lost",
            at_risk=AtRisk.INSTALL,
            weight=0.10,
            composite=False,
        ),
        SignalRow(
            signal=Signal.LOST,
            label="lost charge points",
            event="a charge point that did not come back from its installation",
            at_risk=AtRisk.INSTALL,
            weight=0.05,
            composite=False,
        ),
    )
}
RATES: tuple[Signal, ...] = tuple(signal for signal, row in TABLE.items() if row.at_risk is not AtRisk.INSTALL)
"""Signals that are compared with the control group."""
PARTS: tuple[Signal, ...] = tuple(signal for signal, row in TABLE.items() if row.composite)
"""Signals whose events count for `any`."""
INSTALL_SIGNALS: tuple[Signal, ...] = tuple(signal for signal, row in TABLE.items() if row.at_risk is AtRisk.INSTALL)
