"""The boards, in the order of their numbers. Decided here: which there are."""

from __future__ import annotations

from dashboards.boards import (
    alerts,
    availability,
    billing,
    cases,
    charge_point,
    connector,
    energy,
    fleet,
    network,
    platform,
    rollout,
    sessions,
    site,
    traffic,
)
from dashboards.spec import Board

BOARDS: tuple[Board, ...] = (
    network.BOARD,
    site.BOARD,
    charge_point.BOARD,
    connector.BOARD,
    cases.BOARD,
    sessions.BOARD,
    fleet.BOARD,
    rollout.BOARD,
    traffic.BOARD,
    energy.BOARD,
    availability.BOARD,
    billing.BOARD,
    platform.BOARD,
    alerts.BOARD,
)
