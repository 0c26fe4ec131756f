"""Plots of reports, by matplotlib's object interface: no global state, so that threads may draw at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from billing_reports.render import theme

WIDTH_IN = 7.1
_HEAT = LinearSegmentedColormap.from_list("chargewatch", ["#f4f7f9", "#99d2dc", "#0b7285", "#053b45"])
_FONT = "DejaVu Sans"


def figure(height: float) -> tuple[Figure, Axes]:
    """An empty plot; `height` in parts of its width."""
    made = Figure(figsize=(WIDTH_IN, WIDTH_IN * height), layout="constrained")
    axes = made.add_subplot()
    _quiet(axes)
    return made, axes


def _quiet(axes: Axes) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(theme.FAINT)
    axes.tick_params(colors=theme.MUTED, labelsize=7, length=0)
    axes.set_axisbelow(True)


def heat_map(shares: Sequence[Sequence[float | None]], weekdays: Sequence[str], label: str, hour_label: str) -> Figure:
    """7 rows of 24 hours; hours in which nothing was open stay blank."""
    made, axes = figure(0.34)
    values = np.array([[np.nan if each is None else each * 100 for each in row] for row in shares])
    most = max(float(np.nanmax(values)) if not np.isnan(values).all() else 0.0, 1e-9)
    image = axes.pcolormesh(np.arange(25), np.arange(8), values, cmap=_HEAT, vmin=0, vmax=most, edgecolors="white", linewidth=1.2)
    axes.invert_yaxis()
    axes.set_yticks(np.arange(7) + 0.5, weekdays, fontfamily=_FONT)
    axes.set_xticks(np.arange(0, 25, 3), [f"{hour:02}" for hour in range(0, 25, 3)])
    axes.set_xlabel(hour_label, fontsize=7, color=theme.MUTED)
    axes.spines["bottom"].set_visible(False)
    bar = made.colorbar(image, ax=axes, pad=0.012, fraction=0.025, aspect=18)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=theme.MUTED, labelsize=7, length=0)
    bar.set_label(label, fontsize=7, color=theme.MUTED)
    return made


def months(labels: Sequence[str], energy_mwh: Sequence[float], occupied: Sequence[float | None], names: tuple[str, str]) -> Figure:
    """Energy as bars, occupied utilization as a line above them."""
    made, axes = figure(0.36)
    at = np.arange(len(labels))
    axes.bar(at, energy_mwh, width=0.72, color=theme.ACCENT_SOFT, label=names[0], linewidth=0)
    axes.yaxis.grid(True, color=theme.FAINT, linewidth=0.6)
    axes.set_ylabel(names[0], fontsize=7, color=theme.MUTED)
    _thin_labels(axes, at, labels)
    line = axes.twinx()
    _quiet(line)
    percent = [np.nan if share is None else share * 100 for share in occupied]
    line.plot(at, percent, color=theme.ACCENT, linewidth=1.8, marker="o", markersize=3, label=names[1])
    line.set_ylim(0, max([each for each in percent if not np.isnan(each)], default=1) * 1.25 or 1)
    line.set_ylabel(names[1], fontsize=7, color=theme.ACCENT)
    line.tick_params(axis="y", colors=theme.ACCENT)
    handles = [*axes.get_legend_handles_labels()[0], *line.get_legend_handles_labels()[0]]
    line.legend(
        handles, list(names), fontsize=7, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, labelcolor=theme.INK
    )
    return made


def _thin_labels(axes: Axes, at: Sequence[int] | np.ndarray, labels: Sequence[str]) -> None:
    step = max(1, -(-len(labels) // 13))
    axes.set_xticks(list(at)[::step], list(labels)[::step])
    axes.set_xlim(-0.6, len(labels) - 0.4)


def ranking(shares: Mapping[str, float], label: str, most: int = 20) -> Figure:
    """Horizontal bars, highest on top; the lowest of many are left to the table."""
    shown = dict(list(shares.items())[:most])
    made, axes = figure(0.07 + 0.031 * max(len(shown), 3))
    at = np.arange(len(shown))[::-1]
    values = [share * 100 for share in shown.values()]
    axes.barh(at, values, height=0.68, color=theme.ACCENT, linewidth=0)
    axes.set_yticks(at, list(shown), fontsize=6.5)
    for place, value in zip(at, values, strict=True):
        axes.text(value, place, f" {value:.1f} %", va="center", fontsize=6.5, color=theme.MUTED)
    axes.set_xlim(0, max(values, default=1) * 1.12 or 1)
    axes.set_xlabel(label, fontsize=7, color=theme.MUTED)
    axes.xaxis.grid(True, color=theme.FAINT, linewidth=0.6)
    return made


def histogram(values: Sequence[float], edges: Sequence[float], label: str, count_label: str) -> Figure:
    """How often; what lies above the last edge counts to the last bar."""
    made, axes = figure(0.26)
    clipped = np.clip(np.array(values, dtype=float), edges[0], edges[-1] - 1e-9) if values else np.array([])
    counts, bounds = np.histogram(clipped, bins=np.array(edges))
    axes.bar(bounds[:-1], counts, width=np.diff(bounds) * 0.92, align="edge", color=theme.ACCENT_SOFT, linewidth=0)
    axes.yaxis.grid(True, color=theme.FAINT, linewidth=0.6)
    axes.set_xlabel(label, fontsize=7, color=theme.MUTED)
    axes.set_ylabel(count_label, fontsize=7, color=theme.MUTED)
    axes.set_xlim(edges[0], edges[-1])
    return made


FEW_BARS, FEW_PORTS = 8, 3
"""Room that fewer bars leave empty: a single one across the page says nothing."""


def uptime_bars(names: Sequence[str], shares: Sequence[float | None], required: float, label: str) -> Figure:
    """One bar per port, red below what is required; a gap where nothing is known."""
    made, axes = figure(0.08 + 0.03 * max(len(names), 3))
    at = np.arange(len(names))[::-1]
    values = [0.0 if share is None else share * 100 for share in shares]
    colours = [theme.BAD if share is None or share <= required else theme.GOOD for share in shares]
    axes.barh(at, values, height=0.66, color=colours, linewidth=0)
    axes.axvline(required * 100, color=theme.INK, linewidth=1, linestyle=(0, (3, 3)))
    axes.set_yticks(at, list(names), fontsize=6.5)
    axes.set_ylim(len(names) - 0.5 - max(len(names), FEW_PORTS), len(names) - 0.5)
    low = min([value for value in values if value], default=0)
    axes.set_xlim(max(0, min(90, low - 5)), 100)
    axes.set_xlabel(label, fontsize=7, color=theme.MUTED)
    axes.xaxis.grid(True, color=theme.FAINT, linewidth=0.6)
    return made


def stacked(labels: Sequence[str], parts: Mapping[str, Sequence[float]], colours: Mapping[str, str], unit: str) -> Figure:
    """Bars of several parts, e.g. outage hours by cause and month."""
    made, axes = figure(0.32)
    at, base = np.arange(len(labels)), np.zeros(len(labels))
    for (name, values), code in zip(parts.items(), colours.values(), strict=True):
        axes.bar(at, values, bottom=base, width=0.7, color=code, label=name, linewidth=0)
        base += np.array(values, dtype=float)
    axes.yaxis.grid(True, color=theme.FAINT, linewidth=0.6)
    axes.set_ylabel(unit, fontsize=7, color=theme.MUTED)
    axes.set_ylim(0, max(float(base.max(initial=0.0)) * 1.2, 1e-6))
    _thin_labels(axes, at, labels)
    room = max(len(labels), FEW_BARS) / 2
    axes.set_xlim((len(labels) - 1) / 2 - room, (len(labels) - 1) / 2 + room)
    axes.legend(fontsize=7, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=5, labelcolor=theme.INK)
    return made
