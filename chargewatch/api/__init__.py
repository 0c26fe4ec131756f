"""The HTTP API, version 1: one module per resource. `create_app(platform)` makes the application.

It is imported when it is asked for: whoever needs one small module of this package does not wait for the web server and all else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chargewatch.api.app import create_app as create_app
    from chargewatch.api.platform import HealthCheck as HealthCheck
    from chargewatch.api.platform import Platform as Platform
    from chargewatch.api.platform import ReceivedUpload as ReceivedUpload

__all__ = ["HealthCheck", "Platform", "ReceivedUpload", "create_app"]


def __getattr__(name: str) -> Any:
    """One of `__all__`, from its module."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{'app' if name == 'create_app' else 'platform'}"), name)
