"""Which actions a charge point may call, per OCPP version: a literal table from action to route."""

from __future__ import annotations

from collections.abc import Mapping

from chargenet.model.words import Protocol
from collector.context import Routes
from collector.handlers.v16.routes import ROUTES as V16
from collector.handlers.v21.routes import ROUTES as V21
from collector.handlers.v201.routes import ROUTES as V201

ROUTES: Mapping[Protocol, Routes] = {
    Protocol.OCPP16: V16,
    Protocol.OCPP201: V201,
    Protocol.OCPP21: V21,
}
