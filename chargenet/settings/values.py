"""Values that settings have and Python lacks: addresses and secrets."""

from __future__ import annotations

import ipaddress


class Address(str):
    """HOST:PORT, with IPv6 hosts in brackets. Port 0 lets the system choose."""

    __slots__ = ()

    def __new__(cls, text: str) -> Address:
        host, colon, port = text.rpartition(":")
        inner = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        if not (colon and inner and port.isascii() and port.isdigit() and int(port) <= 65535) or (":" in inner and inner == host):
            raise ValueError("HOST:PORT, for example 127.0.0.1:9000 or [::1]:9000")
        return super().__new__(cls, text)

    @property
    def host(self) -> str:
        return self.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.rpartition(":")[2])

    @property
    def is_loopback(self) -> bool:
        """True where only this machine can connect."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class Secret:
    """A value that never shows itself: `reveal()` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not isinstance(value, str) or not value:
            raise ValueError("a text that is not empty")
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)
