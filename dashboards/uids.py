"""The uids of the boards. Fixed: links in alerts, runbooks and bookmarks stay true."""

from __future__ import annotations

NETWORK = "chargewatch-network"
SITE = "chargewatch-site"
CHARGE_POINT = "chargewatch-charge-point"
CONNECTOR = "chargewatch-connector"
CASES = "chargewatch-cases"
SESSIONS = "chargewatch-sessions"
FLEET = "chargewatch-fleet"
ROLLOUT = "chargewatch-rollout"
TRAFFIC = "chargewatch-traffic"
ENERGY = "chargewatch-energy"
AVAILABILITY = "chargewatch-availability"
BILLING = "chargewatch-billing"
PLATFORM = "chargewatch-platform"
ALERTS = "chargewatch-alerts"
