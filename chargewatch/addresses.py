"""Addresses to listen on. Decided here: how one that cannot be had is told, before anything is imported or made for a start."""

from __future__ import annotations

import errno
import os
import socket

from chargenet.errors import SettingsError
from chargenet.settings import Address, Settings


def refuse_busy(settings: Settings) -> None:
    """Raises SettingsError for the first address that is in use: a start that cannot succeed leaves nothing behind."""
    for key, address, flag in (
        ("collector.ocpp", settings.collector.ocpp, "--ocpp"),
        ("http.listen", settings.http.listen, "--http"),
    ):
        if not address.port:
            continue
        try:
            for family, kind, _, _, where in socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM):
                with socket.socket(family, kind) as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(where)
        except OSError as error:
            raise busy(key, address, flag, error) from error


def busy(key: str, address: Address, flag: str, error: OSError) -> SettingsError:
    """The sentence: whose fault it is, and the flag to choose another address with."""
    in_use = error.errno == errno.EADDRINUSE
    problem = f"{address} is in use: stop what listens there" if in_use else f"{address}: {os.strerror(error.errno or 0)}"
    return SettingsError("cannot listen", key, f"{problem}, or choose another address with {flag} HOST:PORT")
