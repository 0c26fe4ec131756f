"""What is installed beside us: pinned to the last package, and nobody under the feet of another."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from importlib.util import find_spec
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.rules import REPOSITORY


def project() -> dict[str, Any]:
    """Our part of pyproject.toml."""
    project: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    return project


def pins() -> dict[str, str]:
    """Package → version, as constraints.txt has them."""
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def needed() -> set[str]:
    """Every package that an installation for development brings, on this machine."""
    own = project()
    todo = [Requirement(line) for line in [*own["dependencies"], *own["optional-dependencies"]["dev"]]]
    seen = set()
    while todo:
        requirement = todo.pop()
        each = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if each in seen:
            continue
        seen.add(each)
        below = [Requirement(line) for line in distribution(each[0]).requires or []]
        extras = each[1] or {""}
        todo += [one for one in below if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras)]
    return {name for name, _ in seen}


def test_every_package_is_pinned() -> None:
    """Also those that come by another: what is installed tomorrow is what was tested."""
    assert needed() - set(pins()) == set()


def test_pins_are_what_is_asked_for() -> None:
    """No pin contradicts pyproject.toml, nor what a pinned package wants of another."""
    held, own = pins(), project()
    asked = {"chargewatch": [*own["dependencies"], *own["optional-dependencies"]["dev"]]}
    asked |= {name: distribution(name).requires or [] for name in needed()}
    wrong = []
    for who, lines in asked.items():
        for one in map(Requirement, lines):
            pin = held.get(canonicalize_name(one.name))
            applies = one.marker is None or one.marker.evaluate({"extra": ""})
            if applies and pin is not None and not one.specifier.contains(Version(pin), prereleases=True):
                wrong.append(f"{who} wants {one}, and {pin} is pinned")
    assert wrong == []


def test_urllib3_is_urllib3() -> None:
    """The telemetry store is asked by it. urllib3-future, which newer clients of Grafana bring, would be imported in its place."""
    assert set(packages_distributions()["urllib3"]) == {"urllib3"}
    assert find_spec("urllib3_future") is None
    assert not _installed("niquests")


def _installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
