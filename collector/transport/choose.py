"""Which transport: by its name in the settings. The default is the fastest that passes the whole contract suite."""

from __future__ import annotations

from chargenet.errors import SettingsError
from collector.transport import picows, websockets
from collector.transport.port import Serve

DEFAULT = "picows"
TRANSPORTS: dict[str, Serve] = {"picows": picows.serve, "websockets": websockets.serve}


def choose(name: str = DEFAULT) -> Serve:
    """The `serve` of the transport `name`. Raises SettingsError for a name that is none."""
    if name not in TRANSPORTS:
        raise SettingsError("settings", "collector.transport", f"{name!r} is not a transport: choose {' or '.join(TRANSPORTS)}")
    return TRANSPORTS[name]
