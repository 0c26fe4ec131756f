"""A good firmware reaches sixty charge points of four kinds, whatever some of them do. Over real sockets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.rollout_network import RolloutNetwork, brief, rollout_network

SPEC = """\
name: good
artifact: eve-2.0.0
target: {all: true}
offline: wait
waves: {sizes: ["8", "rest"], holdout: "10", seed: 7}
soak: {at_least: 5m, at_most: 5d}
gate: {good_sessions: 0, settle_minutes: 1, network_speed: 120, beta: 0.3, rule_out: [10]}
caps: {overall: 60, per_site: "3"}
patience: {answer: 10s, boot: 5s, verify: 60s, lost: 60s, install: 60s}
"""
STRANGE = ("lying", "reverting", "mute", "busy", "late")


def choose(world: RolloutNetwork, status: dict[str, Any]) -> dict[str, str]:
    """One charge point of the second wave for each way of being strange; all of 1.6 or 2.x with a signed order."""
    wave = [each["charge_point_id"] for each in status["updates"] if each["wave"] == 1]
    signed = [name for name in wave if world.points[name].model.updates != "plain"]
    chosen = dict(zip(STRANGE, signed, strict=False))
    for conduct in ("lying", "reverting", "mute"):
        world.behave(chosen[conduct], conduct)
    world.points[chosen["late"]].go_offline()
    assert world.points[chosen["busy"]].plugs[1].start_remotely("04A00001", 1)
    return chosen


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_good_image_finishes(tmp_path: Path) -> None:
    """Verified by the version they boot with: a lying one is MISMATCH, a reverting one REVERTED; busy and offline ones wait."""
    async with rollout_network(tmp_path, faults_per_day=6) as world:
        await world.add_firmware("2.0.0", 2)
        chosen = choose(world, await world.create(SPEC))
        await world.api("POST", "rollouts/good/start")
        waiting = {chosen["busy"]: "busy", chosen["late"]: "offline"}
        status = await world.until("good", lambda status: codes(status, waiting) == waiting)
        assert status["waves"][0]["state"] == "passed", brief(status)
        world.points[chosen["late"]].come_back()
        assert world.points[chosen["busy"]].plugs[1].stop("Local")
        status = await world.until("good", lambda status: status["state"] == "finished")
        states = {each["charge_point_id"]: (each["state"], each["reason"]) for each in status["updates"]}
        assert states[chosen["lying"]][0] == "mismatch" and states[chosen["reverting"]][0] == "reverted", brief(status)
        others = {name: state for name, (state, _) in states.items() if name not in (*chosen.values(), *holdout(status))}
        assert set(others.values()) <= {"verified", "healthy"} and len(others) == 45, brief(status)
        assert all(states[chosen[name]][0] in ("verified", "healthy") for name in ("mute", "busy", "late")), brief(status)
        await check_orders(world)
        assert (await world.news("RolloutFinished"))["severity"] == "info"


def codes(status: dict[str, Any], names: dict[str, str]) -> dict[str, str]:
    """Why each of them waits."""
    return {each["charge_point_id"]: each["code"] for each in status["updates"] if each["charge_point_id"] in names}


def holdout(status: dict[str, Any]) -> list[str]:
    return [each["charge_point_id"] for each in status["updates"] if each["wave"] == -1]


async def check_orders(world: RolloutNetwork) -> None:
    """Nobody was sent the order twice, but for those that knew only its plain form; the holdout was sent nothing."""
    orders: dict[str, list[str]] = {}
    for each in await world.history("good"):
        if each["after"] == "sending":
            orders.setdefault(each["charge_point_id"], []).append(each["sentence"])
    for name, sentences in orders.items():
        plain = world.points[name].model.updates == "plain"
        assert len(sentences) == 1 + plain, (name, sentences)
        assert sentences[-1].endswith("plain form" if plain else "signed form"), (name, sentences)
    assert len(orders) == 50, "everybody but the holdout"
    versions = [world.points[name].firmware for name in holdout(await world.status("good"))]
    assert versions == ["1.0.0"] * 10
