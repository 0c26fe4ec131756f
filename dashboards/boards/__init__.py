"""The boards, in the order of their numbers. Decided here: which there are."""

from __future__ import annotations

from dashboards.boards import charge_point, connector, network, platform, site, traffic
from dashboards.spec import Board

BOARDS: tuple[Board, ...] = (
    network.BOARD,
    site.BOARD,
    charge_point.BOARD,
    connector.BOARD,
    traffic.BOARD,
    platform.BOARD,
)
