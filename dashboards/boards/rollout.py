"""Board 8, a firmware rollout: how far is it, what speaks against the new firmware, and what for it?"""

from __future__ import annotations

from chargenet.observe import names as n
from dashboards import uids
from dashboards.boards.common import BLUE, GREEN, GREY, MARKS, ORANGE, RED, UP, UP_WORDS, bars, graph, stat, table
from dashboards.spec import Board, Column, Query, Row, Unit, Variable

ROLLOUT = Variable(name="rollout", label="Rollout", query=f"label_values({n.ROLLOUT_STATE.name}, rollout)")
HERE = 'rollout="$rollout"'
NOT_YET = "the gate has not judged a wave yet"
JUST_BEGUN = "no charge point has the new firmware yet"


def ratio(family: n.Family, limit: n.Family) -> str:
    """How far of the way to its limit, on a scale of doublings: 1 is there. An e-value below 1 says nothing."""
    return f"ln(clamp_min(max({family.name}{{{HERE}}}), 1)) / ln(max({limit.name}{{{HERE}}}))"


STATES = (
    ("queued", GREY), ("sent", "super-light-blue"), ("downloading", "light-blue"), ("installing", BLUE), ("rebooting", "dark-blue"),
    ("retrying", ORANGE), ("verified", "light-purple"), ("healthy", GREEN), ("failed", RED),
)  # fmt: skip

ROWS = (
    Row((
        table(
            1, "State", "How the rollout stands, and why.",
            (f"max by (version, state, reason) ({n.ROLLOUT_STATE.name}{{{HERE}}})",),
            (Column(field="version", title="Version"), Column(field="state", title="State"), Column(field="reason", title="Why")),
            width=8, height=4,
        ),
        table(
            2, "The gate says", "PASS, FAIL, INCONCLUSIVE or ERROR of the wave that is judged now, with its first reason.",
            (f"max by (wave, verdict, reason) ({n.ROLLOUT_VERDICT.name}{{{HERE}}})",),
            (
                Column(field="wave", title="Wave", width=80),
                Column(field="verdict", title="Verdict"),
                Column(field="reason", title="Why"),
            ),
            width=8, height=4, nothing="not judged yet", may_be_empty=NOT_YET,
        ),
        stat(
            3, "Against: way to a halt",
            "The evidence that the new firmware is worse, as share of what halts the rollout (doublings).",
            ratio(n.ROLLOUT_EVIDENCE, n.ROLLOUT_EVIDENCE_LIMIT), unit=Unit.RATIO, decimals=0, nothing="not judged yet",
            colours=((None, GREEN), (0.5, ORANGE), (1, RED)), may_be_empty=NOT_YET,
        ),
        stat(
            4, "For: way to a pass", "The evidence that it is not too much worse, as share of what the wave needs (doublings).",
            ratio(n.ROLLOUT_PROOF, n.ROLLOUT_PROOF_LIMIT), unit=Unit.RATIO, decimals=0, nothing="not judged yet",
            colours=((None, BLUE), (1, GREEN)), may_be_empty=NOT_YET,
        ),
    )),
    Row((
        table(
            5, "Waves", "Each wave, its state, and its charge points by the state of their update; `holdout` stays as it is.",
            (
                f"max by (wave, state) ({n.ROLLOUT_WAVE_STATE.name}{{{HERE}}})",
                f"sum by (wave) ({n.ROLLOUT_UPDATES.name}{{{HERE}}})",
            ),
            (
                Column(field="wave", title="Wave", width=90),
                Column(field="state", title="State"),
                Column(field="Value #B", title="Charge points", width=120),
            ),
            sort=("Wave", False),
        ),
        graph(
            6, "Updates by state", "Charge points of all waves by the state of their update.",
            Query(f'sum by (state) ({n.ROLLOUT_UPDATES.name}{{{HERE}, wave!="holdout"}})', "{{state}}"),
            stacked=True, stepped=True, line_colours=STATES,
        ),
        bars(
            7, "Installations that ended", "Of the whole rollout so far; what failed or was lost counts against it.",
            f"max by (outcome) ({n.ROLLOUT_INSTALLS.name}{{{HERE}}})", "{{outcome}}", colours=((None, BLUE),),
            may_be_empty=NOT_YET,
        ),
    )),
    Row((
        graph(
            8, "Evidence against",
            "The e-value against the new firmware, and where it halts. A bet that would win this often by chance.",
            Query(f"max({n.ROLLOUT_EVIDENCE.name}{{{HERE}}})", "evidence"),
            Query(f"max({n.ROLLOUT_EVIDENCE_LIMIT.name}{{{HERE}}})", "halt"),
            line_colours=(("evidence", ORANGE), ("halt", RED)), filled=0, may_be_empty=NOT_YET,
        ),
        graph(
            9, "Evidence for", "The e-value that it is not too much worse, and where the wave may pass.",
            Query(f"max({n.ROLLOUT_PROOF.name}{{{HERE}}})", "proof"),
            Query(f"max({n.ROLLOUT_PROOF_LIMIT.name}{{{HERE}}})", "pass"),
            line_colours=(("proof", BLUE), ("pass", GREEN)), filled=0, may_be_empty=NOT_YET,
        ),
        graph(
            10, "Who is compared", "Charge points that the gate compares: settled on the new firmware, and the control group.",
            Query(f"max by (group) ({n.ROLLOUT_JUDGED.name}{{{HERE}}})", "{{group}}"),
            line_colours=(("new", BLUE), ("control", GREY)), may_be_empty=NOT_YET,
        ),
    )),
    Row((
        table(
            11, "Signal by signal",
            "Events on the new firmware and in the control group, their ratio (1 is no difference), the evidence "
            "of each signal alone, the same on first events only, and its share of the bet.",
            (
                f'max by (signal) ({n.ROLLOUT_SIGNAL_EVENTS.name}{{{HERE}, group="new"}})',
                f'max by (signal) ({n.ROLLOUT_SIGNAL_EVENTS.name}{{{HERE}, group="control"}})',
                f"max by (signal) ({n.ROLLOUT_SIGNAL_RATIO.name}{{{HERE}}})",
                f"max by (signal) ({n.ROLLOUT_SIGNAL_EVIDENCE.name}{{{HERE}}})",
                f"max by (signal) ({n.ROLLOUT_SIGNAL_FIRST.name}{{{HERE}}})",
                f"max by (signal) ({n.ROLLOUT_SIGNAL_SHARE.name}{{{HERE}}})",
            ),
            (
                Column(field="signal", title="Signal"),
                Column(field="Value #A", title="New", decimals=0),
                Column(field="Value #B", title="Control", decimals=0),
                Column(field="Value #C", title="Ratio", decimals=2, colours=((None, GREEN), (1.5, ORANGE), (3, RED))),
                Column(field="Value #D", title="Evidence", decimals=2),
                Column(field="Value #E", title="On first events", decimals=2),
                Column(field="Value #F", title="Share of the bet", unit=Unit.RATIO, decimals=0),
            ),
            sort=("Ratio", True), may_be_empty=NOT_YET, width=16, height=9,
        ),
        table(
            12, "Exposure", "Days at risk so far, of all charge points of a group together: little exposure proves little.",
            (
                f'max by (signal) ({n.ROLLOUT_SIGNAL_EXPOSURE.name}{{{HERE}, group="new"}})',
                f'max by (signal) ({n.ROLLOUT_SIGNAL_EXPOSURE.name}{{{HERE}, group="control"}})',
            ),
            (
                Column(field="signal", title="Signal"),
                Column(field="Value #A", title="New", unit=Unit.SECONDS),
                Column(field="Value #B", title="Control", unit=Unit.SECONDS),
            ),
            sort=("Signal", False), may_be_empty=JUST_BEGUN, width=8, height=9,
        ),
    )),
    Row((
        stat(
            13, "Evidence is complete up to", "Age of what the gate has not seen yet.",
            f"time() - max({n.ROLLOUT_EVIDENCE_AT.name}{{{HERE}}})", unit=Unit.SECONDS, decimals=0,
            colours=((None, GREEN), (600, ORANGE), (3600, RED)), may_be_empty=NOT_YET,
        ),
        stat(
            14, "How much worse must be ruled out",
            "Before this wave has passed, it must be clear that it is not so many times worse.",
            f"max({n.ROLLOUT_RULE_OUT.name}{{{HERE}}})", decimals=1, colours=((None, BLUE),), may_be_empty=NOT_YET,
        ),
        stat(
            15, "Program works",
            "Whether rollouts are judged and stored.", f"min({n.FIRMWARE_WORKING.name})", colours=UP, words=UP_WORDS
        ),
        stat(
            16, "Records behind", "Records that the rollouts have not seen yet.", f"max({n.FIRMWARE_BEHIND.name})",
            colours=((None, GREEN), (1000, ORANGE)),
        ),
        stat(
            17, "Time of the last look", "At all rollouts.", f"max({n.FIRMWARE_TICK.name})", unit=Unit.SECONDS,
            colours=((None, GREEN), (5, ORANGE)),
        ),
        stat(
            18, "Damaged files", "Firmware files whose bytes are not those that were added; they are served to nobody.",
            f"max({n.FIRMWARE_DAMAGED.name})", colours=((None, GREEN), (1, RED)),
        ),
    )),
)  # fmt: skip

BOARD = Board(
    uid=uids.ROLLOUT,
    title="8 · Firmware rollout",
    question="How far is the rollout, what speaks against the new firmware, and what for it?",
    variables=(ROLLOUT,),
    rows=ROWS,
    annotations=MARKS,
)
