"""The HTTP API, version 1: one module per resource. `create_app(platform)` makes the application."""

from chargewatch.api.app import create_app
from chargewatch.api.platform import HealthCheck, Platform, ReceivedUpload

__all__ = ["HealthCheck", "Platform", "ReceivedUpload", "create_app"]
