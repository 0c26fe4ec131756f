"""One text for each variable of the OCPP 2.x device model. Decided here: how such a name is written and read back.

    Component[evse.connector](instance).Variable[instance]#Attribute

Only component and variable are always there: `OCPPCommCtrlr.HeartbeatInterval`, `Connector[1.2].AvailabilityState`,
`TokenReader(left).Enabled`, `SmartChargingCtrlr.Entries[ChargingProfiles]`, `EVSE[1].Power#MaxSet` (Actual is not written). The
characters `.[]()#%` inside a part are percent-encoded, so that every name reads back as what it was written from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

_Kind = TypeVar("_Kind", str, int)

ATTRIBUTES = ("Actual", "Target", "MinSet", "MaxSet")

_NAME = re.compile(
    r"(?P<component>[^.\[\]()#]+)(?:\[(?P<evse>\d+)(?:\.(?P<connector>\d+))?\])?(?:\((?P<component_instance>[^.\[\]()#]*)\))?"
    r"\.(?P<variable>[^.\[\]()#]+)(?:\[(?P<instance>[^.\[\]()#]*)\])?(?:#(?P<attribute>[A-Za-z]+))?"
)
_SPECIAL = re.compile(r"[.\[\]()#%]")
_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})")


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """A variable of the device model, as ComponentType, VariableType and AttributeEnumType describe it."""

    component: str
    variable: str
    component_instance: str | None = None
    instance: str | None = None
    evse_id: int | None = None
    connector_id: int | None = None
    attribute: str = "Actual"

    @property
    def name(self) -> str:
        """The text for it; `parse` is its inverse."""
        parts = [_encode(self.component)]
        if self.evse_id is not None:
            parts.append(f"[{self.evse_id}]" if self.connector_id is None else f"[{self.evse_id}.{self.connector_id}]")
        if self.component_instance is not None:
            parts.append(f"({_encode(self.component_instance)})")
        parts.append(f".{_encode(self.variable)}")
        if self.instance is not None:
            parts.append(f"[{_encode(self.instance)}]")
        if self.attribute != "Actual":
            parts.append(f"#{self.attribute}")
        return "".join(parts)


def parse(name: str) -> Variable:
    """Read a name. Raises ValueError with a sentence that says how a name looks."""
    match = _NAME.fullmatch(name)
    attribute = (match["attribute"] or "Actual") if match else ""
    if match is None or attribute not in ATTRIBUTES:
        raise ValueError(
            f"{name!r} does not name a variable: write Component[evse.connector](instance).Variable[instance]#Attribute"
        )
    return Variable(
        component=_decode(match["component"]),
        variable=_decode(match["variable"]),
        component_instance=None if match["component_instance"] is None else _decode(match["component_instance"]),
        instance=None if match["instance"] is None else _decode(match["instance"]),
        evse_id=None if match["evse"] is None else int(match["evse"]),
        connector_id=None if match["connector"] is None else int(match["connector"]),
        attribute=attribute,
    )


def from_mappings(component: Mapping[str, Any], variable: Mapping[str, Any], attribute: object = None) -> Variable:
    """The variable that a call result names with ComponentType and VariableType; whatever is not there reads as absent."""
    evse = component.get("evse")
    evse = evse if isinstance(evse, Mapping) else {}
    return Variable(
        component=_as(str, component.get("name")) or "?",
        variable=_as(str, variable.get("name")) or "?",
        component_instance=_as(str, component.get("instance")),
        instance=_as(str, variable.get("instance")),
        evse_id=_as(int, evse.get("id")),
        connector_id=_as(int, evse.get("connectorId")),
        attribute=_as(str, attribute) or "Actual",
    )


def _as(kind: type[_Kind], value: object) -> _Kind | None:
    return value if isinstance(value, kind) else None


def _encode(text: str) -> str:
    return _SPECIAL.sub(lambda special: f"%{ord(special[0]):02X}", text)


def _decode(text: str) -> str:
    return _ENCODED.sub(lambda encoded: chr(int(encoded[1], 16)), text)
