"""What a simulated network is made of, as typed values read from TOML or built in. Decided here: the words of a scenario file and
their bounds. Nothing here is random and nothing is done.

All durations and energies are those of real life. `--speed X` makes people and faults X times quicker and car batteries X times
smaller, so that power, energy and the instants in the frames always agree with each other.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chargenet.errors import SettingsError

Positive = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0, le=100_000)]
Word = Annotated[str, Meta(min_length=1, max_length=40)]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all parts of a scenario: an unknown key is a mistake, not a comment."""


class Model(Part, frozen=True, kw_only=True):
    """A product of a vendor. `weight`: its share of the network. `power_kw` per connector."""

    vendor: Annotated[str, Meta(min_length=1, max_length=20)]
    name: Annotated[str, Meta(min_length=1, max_length=20)]
    protocol: Literal["ocpp1.6", "ocpp2.0.1", "ocpp2.1"] = "ocpp1.6"
    current: Literal["AC", "DC"] = "AC"
    connectors: Annotated[int, Meta(ge=1, le=8)] = 1
    power_kw: Positive = 11.0
    phases: Literal[1, 3] = 3
    firmware: Word = "1.0.0"
    meter_interval_s: Annotated[float, Meta(ge=1)] = 60.0
    updates: Literal["both", "plain", "signed", "none"] = "both"
    """OCPP 1.6: the forms of the order to update its firmware that it takes; the other is answered with NotSupported."""
    weight: Share = 1.0


class Outage(Part, frozen=True, kw_only=True):
    """A site loses its link `after_s` after the start, for `for_s`. Sessions go on; what they say comes late."""

    after_s: Annotated[float, Meta(ge=0)]
    for_s: Positive


class Site(Part, frozen=True, kw_only=True):
    """A place. `weight`: its share of the charge points."""

    name: Word
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    weight: Share = 1.0
    outages: tuple[Outage, ...] = ()


class Oddities(Part, frozen=True, kw_only=True):
    """How many charge points are odd in each way; no charge point is odd in two."""

    flapping: Count = 0
    """A connector that goes in and out of a fault all the time."""
    silent: Count = 0
    """Looks available, starts sessions, delivers nothing."""
    drifting: Count = 0
    """Its clock is wrong and gets worse; it ignores the time that it is told."""
    backlog: Count = 0
    """Comes with the transactions of the last day, which it could not deliver."""


class Updates(Part, frozen=True, kw_only=True):
    """How many charge points are odd when they are told to update their firmware; no charge point is odd in two of these ways."""

    lying: Count = 0
    """Says Installed, and boots with the version it had."""
    reverting: Count = 0
    """Boots with the new version, and soon with the one it had before."""
    rejecting: Count = 0
    """Refuses the order; in 1.6 plain, where it cannot, it does nothing."""
    failing: Count = 0
    """Does not get the image."""
    distrusting: Count = 0
    """Finds the signature invalid, where there is one."""
    lost: Count = 0
    """Goes away to install, and does not come back."""
    mute: Count = 0
    """Installs, and says nothing of it."""


class Scenario(Part, frozen=True, kw_only=True):
    """A network."""

    name: Word = "demo"
    charge_points: Annotated[int, Meta(ge=1, le=100_000)] = 50
    prefix: Annotated[str, Meta(min_length=1, max_length=20, pattern="^[A-Za-z0-9_-]+$")] = "SIM"
    sites: Annotated[tuple[Site, ...], Meta(min_length=1)]
    models: Annotated[tuple[Model, ...], Meta(min_length=1)]
    oddities: Oddities = Oddities()
    updates: Updates = Updates()
    sessions_per_connector_hour: Positive = 1.0
    busy_share: Annotated[float, Meta(ge=0, le=1)] = 0.4
    """Connectors that find a car plugged in when the network starts."""
    dwell_after_full_s: Share = 300.0
    """Mean time for which a charged car stays plugged in."""
    faults_per_charge_point_day: Share = 1.0
    fault_s: Positive = 600.0
    drivers: Annotated[int, Meta(ge=1, le=1_000_000)] = 500
    connects_per_second: Positive = 200.0


def read(path: Path) -> Scenario:
    """A scenario file. Raises SettingsError with a sentence that names the key."""
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise SettingsError(str(path), "", error.strerror or "cannot be read") from error


def parse(text: str, source: str) -> Scenario:
    """TOML text → scenario; `source` is named in errors."""
    try:
        scenario = msgspec.convert(tomllib.loads(text), Scenario)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(source, "", f"is not TOML: {error}") from error
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at `$")
        raise SettingsError(source, place.strip("`.") if place else "", problem) from error
    for key, parts in (("sites", scenario.sites), ("models", scenario.models)):
        if not sum(part.weight for part in parts):
            raise SettingsError(source, key, "at least one weight must be above 0")
    return scenario


def demo(charge_points: int = 50) -> Scenario:
    """The built-in network: seven models in three protocols, at six sites, with some of everything that goes wrong."""
    odd = max(1, charge_points // 25)
    return Scenario(
        charge_points=charge_points,
        sites=_DEMO_SITES,
        models=_DEMO_MODELS,
        oddities=Oddities(flapping=1, silent=odd, drifting=1, backlog=1) if charge_points >= 8 else Oddities(),
        sessions_per_connector_hour=4.0,
        faults_per_charge_point_day=6.0,
        dwell_after_full_s=120.0,
        fault_s=300.0,
    )


_DEMO_SITES = (
    Site(name="Mainz Hauptbahnhof", latitude=50.0012, longitude=8.2585, weight=3),
    Site(name="Utrecht Jaarbeurs", latitude=52.0870, longitude=5.1030, weight=3),
    Site(name="Lyon Part-Dieu", latitude=45.7606, longitude=4.8597, weight=2),
    Site(name="Malmö Hyllie", latitude=55.5631, longitude=12.9756, weight=2),
    Site(name="Dundee Greenmarket", latitude=56.4566, longitude=-2.9781, weight=1),
    Site(
        name="Bern Wankdorf", latitude=46.9661, longitude=7.4652, weight=1,
        outages=(Outage(after_s=60, for_s=60), Outage(after_s=600, for_s=120)),
    ),
)  # fmt: skip
_DEMO_MODELS = (
    Model(vendor="Alfen", name="Eve Double Pro", connectors=2, power_kw=22, firmware="6.4.0", meter_interval_s=30, weight=3),
    Model(vendor="Wallbox", name="Pulsar Plus", power_kw=7.4, phases=1, firmware="5.17.59", meter_interval_s=60, weight=2),
    Model(vendor="ABB", name="Terra 184", current="DC", connectors=2, power_kw=180, firmware="1.6.2",
          meter_interval_s=15, weight=2),
    Model(vendor="ABB", name="Terra AC", protocol="ocpp2.0.1", power_kw=22, firmware="2.1.0", meter_interval_s=30, weight=2),
    Model(vendor="Kempower", name="Satellite", protocol="ocpp2.0.1", current="DC", connectors=2, power_kw=240, firmware="3.3.1",
          meter_interval_s=15, weight=2),
    Model(vendor="Alpitronic", name="HYC400", protocol="ocpp2.1", current="DC", connectors=2, power_kw=400, firmware="2.5.3",
          meter_interval_s=15, weight=1),
    Model(vendor="Alpitronic", name="HYC50", protocol="ocpp2.1", current="DC", connectors=2, power_kw=50, firmware="2.5.3",
          meter_interval_s=30, weight=1),
)  # fmt: skip
