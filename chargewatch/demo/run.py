"""Runs the demonstration: a temporary folder, the platform, a simulated network against it, and the view, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path

import msgspec
from rich.console import Console
from rich.live import Live

from alerts.case import Case
from chargenet.clock import SystemClock
from chargenet.model.station import ChargePointRegistration, Site
from chargenet.model.words import Registration
from chargenet.settings import Settings, load
from chargewatch.app import serve
from chargewatch.demo.images import program
from chargewatch.demo.view import NetworkView, case_end, case_line
from chargewatch.demo_billing import SETTINGS as BILLING_SETTINGS
from chargewatch.demo_billing import seed_billing
from chargewatch.demo_documents import end_the_day
from chargewatch.platform import RunningPlatform
from simulator.network import Network
from simulator.scenario import demo

LINE_EVERY_S = 5.0
FRAMES_PER_S = 4
OCPP_PORT, HTTP_PORT = 9000, 8080
HEARTBEAT_S = 300.0


class DemoOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What can be chosen about it. `minutes` None: until Ctrl-C."""

    charge_points: int = 60
    minutes: float | None = None
    port_base: int | None = None
    speed: float = 1.0
    seed: int = 1


async def run_demo(options: DemoOptions, console: Console) -> None:
    """Raises SettingsError when the chosen ports are taken."""
    with tempfile.TemporaryDirectory(prefix="chargewatch-demo-") as folder:
        settings = demo_settings(Path(folder) / "data", options.port_base, options.speed)
        lines: list[str] = []
        show = Demo(options, console, lines)
        say = lines.append if console.is_terminal else _printer(console, lines)
        await serve(settings, say, show.run)
    console.print("The demo has ended; its temporary data folder is gone.")


def demo_settings(folder: Path, port_base: int | None, speed: float = 1.0) -> Settings:
    """Loopback ports: P and P+1, or the usual ones where they are free and any others where they are not.

    Detection and heartbeats keep pace with a network that lives `speed` times faster than a real one.
    """
    if port_base is not None:
        ocpp, http = port_base, port_base + 1
    else:
        ocpp, http = (port if _is_free(port) else 0 for port in (OCPP_PORT, HTTP_PORT))
    overrides = {
        "data_dir": folder,
        "collector.ocpp": f"127.0.0.1:{ocpp}",
        "http.listen": f"127.0.0.1:{http}",
        "collector.heartbeat_interval_s": max(10, round(HEARTBEAT_S / max(1.0, speed))),
        "alerts.network_speed": max(1.0, speed),
        **BILLING_SETTINGS,
    }
    return load(None, None, overrides)


class Demo:
    """One demonstration on a running platform."""

    def __init__(self, options: DemoOptions, console: Console, lines: list[str]) -> None:
        self._options, self._console, self._lines = options, console, lines
        self._clock = SystemClock()

    async def run(self, platform: RunningPlatform) -> None:
        """Until the minutes are over, or for ever."""
        url = next(match[1] for line in self._lines if (match := re.search(r"(ws://[^<]*)/<", line)))
        network = Network(demo(self._options.charge_points), url, self._options.seed, self._options.speed, self._clock)
        await _register(platform, network)
        drivers = [f"{0x04A0_0000 + number:08X}" for number in range(network.scenario.drivers)]
        await seed_billing(platform.billing, drivers, platform.clock.now())
        names = {site.site_id: site.name for site in (await platform.stores.sites.page(limit=1000)).items}
        view = NetworkView(lambda charge_point_id: names.get(platform.site_of(charge_point_id), ""), platform.alerts.open_cases)
        ended_at = platform.clock.now()
        try:
            async with asyncio.TaskGroup() as tasks:
                background = [tasks.create_task(network.run()), tasks.create_task(_follow(platform, view))]
                try:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(None if self._options.minutes is None else self._options.minutes * 60):
                            await (self._draw(platform, view) if self._console.is_terminal else self._print(platform, view))
                finally:
                    ended_at = platform.clock.now()
                for task in background:
                    task.cancel()
        finally:  # also after Ctrl-C: the day ends with its documents
            await end_the_day(platform, ended_at, self._line)

    def _line(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, highlight=False, markup=False)

    def _minutes(self, began: float) -> float:
        return (self._clock.monotonic() - began) / 60

    async def _draw(self, platform: RunningPlatform, view: NetworkView) -> None:
        urls = links(platform, self._lines, self._options.speed)
        began = self._clock.monotonic()
        console = self._console
        with Live(view.draw(urls, 0.0, *console.size), console=console, screen=True, auto_refresh=False) as live:
            while True:
                live.update(view.draw(urls, self._minutes(began), *console.size), refresh=True)
                await asyncio.sleep(1 / FRAMES_PER_S)

    async def _print(self, platform: RunningPlatform, view: NetworkView) -> None:
        """What can be typed, then the totals every few seconds, and each case as it opens and ends."""
        for name, text in links(platform, self._lines, self._options.speed):
            self._line(f"{name}: {text}")
        began, shown = self._clock.monotonic(), dict[int, Case]()
        while True:
            await asyncio.sleep(LINE_EVERY_S)
            now_open = {case.case_id: case for case in platform.alerts.open_cases()}
            lines = [f"case {number} opened: {case_line(case)}" for number, case in now_open.items() if number not in shown]
            ended = {case.case_id: case for case in platform.alerts.caseload.by_key.values() if not case.is_open}
            lines += [case_end(ended.get(number, case)) for number, case in shown.items() if number not in now_open]
            shown = now_open
            for line in (*lines, view.line(self._minutes(began))):
                self._line(line)


def links(platform: RunningPlatform, lines: list[str], speed: float) -> list[tuple[str, str]]:
    """What to open or type, for the foot of the screen and the head of the plain lines."""
    web, data, typed = f"http://{platform.web_address}", platform.settings.data_dir, program()
    key = next((line.removeprefix("admin key: ") for line in lines if line.startswith("admin key: ")), "")
    return [
        ("API", f"{web}/docs   (key: {key})"),
        ("metrics", f"{web}/metrics"),
        ("message log", f"{typed} frames SIM-0001 --follow --data {data}"),
        ("a command", f"""{typed} call SIM-0001 TriggerMessage '{{"requestedMessage": "Heartbeat"}}' --data {data}"""),
        ("a firmware rollout", f"{typed} firmware demo-images demo-firmware --speed {max(1.0, speed):g} --data {data}"),
    ]


async def _register(platform: RunningPlatform, network: Network) -> None:
    """The network's sites, and which charge point stands where: what an operator would have entered."""
    now = platform.clock.now()
    for site in network.scenario.sites:
        row = Site(site_id=_slug(site.name), name=site.name, latitude=site.latitude, longitude=site.longitude)
        await platform.stores.sites.put(row)
    for plan in network.plans:
        registration = ChargePointRegistration(
            charge_point_id=plan.charge_point_id,
            registration=Registration.ACCEPTED,
            site_id=_slug(plan.site.name),
            created_at=now,
            updated_at=now,
        )
        await platform.opened.directory.put(registration)


async def _follow(platform: RunningPlatform, view: NetworkView) -> None:
    position = 0
    while True:
        facts = await platform.feed.next(position)
        for fact in facts:
            view.apply(fact)
        position = facts[-1].sequence
        await asyncio.sleep(0.05)


def _printer(console: Console, lines: list[str]) -> Callable[[str], None]:
    def say(line: str) -> None:
        lines.append(line)
        console.print(line, soft_wrap=True, highlight=False, markup=False)

    return say


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
