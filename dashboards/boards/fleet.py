"""Board 7, fleet and firmware: what do we run, and does one version serve drivers worse than another?"""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import uids
from dashboards.boards.common import BLUE, GREEN, MARKS, ORANGE, RED, ZERO_IS_BEST, bars, graph, stat, table
from dashboards.spec import Board, Column, Query, Row, Unit, Variable

VENDOR = Variable(name="vendor", label="Vendor", query=f"label_values({n.MODEL_POINTS.name}, vendor)", many=True)
MODEL = Variable(name="model", label="Model", query=f'label_values({n.MODEL_POINTS.name}{{vendor=~"$vendor"}}, model)', many=True)
CHOSEN = 'vendor=~"$vendor", model=~"$model"'
WHICH = "vendor, model, firmware"
NAMED = "{{vendor}} {{model}} {{firmware}}"
UNUSABLE = ((None, GREEN), (0.03, ORANGE), (0.1, RED))

ROWS = (
    Row((
        stat(
            1, "Charge points",
            "Charge points of the chosen models.", f"sum({n.MODEL_POINTS.name}{{{CHOSEN}}})", colours=((None, BLUE),)
        ),
        stat(
            2, "Offline", "Charge points of the chosen models that are not connected now.",
            f"sum({n.MODEL_POINTS.name}{{{CHOSEN}}}) - sum({n.MODEL_CONNECTED.name}{{{CHOSEN}}})", colours=ZERO_IS_BEST, spark=True,
        ),
        stat(
            3, "Models",
            "Vendors and models among the chosen.", f"count({n.MODEL_POINTS.name}{{{CHOSEN}}})", colours=((None, BLUE),)
        ),
        stat(
            4, "Firmware versions", "Versions that run now. Each of them is one more to watch.",
            f"count({n.FIRMWARE_POINTS.name}{{{CHOSEN}}})", colours=((None, BLUE),),
        ),
        stat(
            5, "Transactions running", "On the chosen models.", f"sum({n.MODEL_TRANSACTIONS.name}{{{CHOSEN}}})",
            colours=((None, BLUE),), spark=True,
        ),
        stat(
            6, "Power delivered", "Through the chosen models.", f"sum({n.MODEL_POWER.name}{{{CHOSEN}}})",
            unit=Unit.WATT, decimals=1, colours=((None, BLUE),), spark=True,
        ),
    )),
    Row((
        table(
            7, "Versions compared",
            "Every version that runs: how many charge points, how many of them connected, how many of their "
            "connectors can serve nobody, what they deliver.",
            (
                f"sum by ({WHICH}) ({n.FIRMWARE_POINTS.name}{{{CHOSEN}}})",
                f"sum by ({WHICH}) ({n.FIRMWARE_CONNECTED.name}{{{CHOSEN}}})"
                f" / sum by ({WHICH}) ({n.FIRMWARE_POINTS.name}{{{CHOSEN}}})",
                f"max by ({WHICH}) (firmware:chargewatch_unusable:ratio{{{CHOSEN}}})",
                f"sum by ({WHICH}) ({n.FIRMWARE_TRANSACTIONS.name}{{{CHOSEN}}})",
                f"sum by ({WHICH}) ({n.FIRMWARE_POWER.name}{{{CHOSEN}}})",
            ),
            (
                Column(field="vendor", title="Vendor"),
                Column(field="model", title="Model"),
                Column(field="firmware", title="Firmware"),
                Column(field="Value #A", title="Charge points", width=120),
                Column(
                    field="Value #B", title="Connected", unit=Unit.RATIO, decimals=1, colours=((None, RED), (0.9, ORANGE),
                    (0.97, GREEN))
                ),
                Column(field="Value #C", title="Unusable", unit=Unit.RATIO, decimals=1, colours=UNUSABLE),
                Column(field="Value #D", title="Transactions", width=120),
                Column(field="Value #E", title="Power", unit=Unit.WATT, decimals=1),
            ),
            sort=("Charge points", True), width=24, height=10,
        ),
    )),
    Row((
        bars(
            8, "Charge points by version", "How many run each version.",
            f"topk(20, sum by ({WHICH}) ({n.FIRMWARE_POINTS.name}{{{CHOSEN}}}))", NAMED, colours=((None, BLUE),), height=11,
        ),
        graph(
            9, "Versions over time", "Charge points by version: how a rollout, or a vendor on its own, moves them.",
            Query(f"topk(20, sum by ({WHICH}) ({n.FIRMWARE_POINTS.name}{{{CHOSEN}}}))", NAMED), stacked=True, height=11,
        ),
        graph(
            10, "Faulted by model", "Share of the connectors of each model that are faulted.",
            Query(
                f'sum by (vendor, model) ({n.MODEL_CONNECTORS.name}{{{CHOSEN}, status="Faulted"}})'
                f" / sum by (vendor, model) ({n.MODEL_CONNECTORS.name}{{{CHOSEN}}})",
                "{{vendor}} {{model}}",
            ),
            unit=Unit.RATIO, height=11, may_be_empty="no connector is faulted",
        ),
    )),
    Row((
        graph(
            11, "Connectors that serve nobody", "Connectors that can serve nobody, by version.",
            Query(
                f'sum by ({WHICH}) ({n.FIRMWARE_CONNECTORS.name}{{{CHOSEN}, status=~"Faulted|Unavailable|Unknown"}})', NAMED,
            ),
            width=12, may_be_empty="all connectors are usable",
        ),
        graph(
            12, "Power by version", "Power drawn through each version.",
            Query(
                f"topk(20, sum by ({WHICH}) ({n.FIRMWARE_POWER.name}{{{CHOSEN}}}))", NAMED
            ),
            unit=Unit.WATT, stacked=True, width=12,
        ),
    )),
)  # fmt: skip

BOARD = Board(
    uid=uids.FLEET,
    title="7 · Fleet and firmware",
    question="What do we run, and does one version serve drivers worse than another?",
    variables=(VENDOR, MODEL),
    rows=ROWS,
    annotations=MARKS,
)
