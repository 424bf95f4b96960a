"""The picture: samples a second by kind of capture, and what a process makes of longer captures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from .session import SIGROK, Figures
from .targets import spell

SHOWN = {
    SIGROK: ("sigrok-cli", "#9aa0a6"),
    "zlib": ("zlib, inflate alone", "#e8b04b"),
    "libdeflate": ("libdeflate, inflate alone", "#c77d2e"),
    "tables": ("tracecheck, all tables", "#1f77b4"),
    "analyze": ("tracecheck, judged", "#0b3d66"),
}
LONGER = {
    SIGROK: ("sigrok-cli", "#9aa0a6"),
    "decode process": ("tracecheck decode", "#1f77b4"),
    "analyze process": ("tracecheck analyze", "#0b3d66"),
}
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "tracecheck",  # the same figures give the same file
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw(captures: Sequence[Figures], path: Path) -> None:
    """Both panels as one SVG."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.2, 5.6), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        _kinds(left, _widest(captures))
        _lengths(right, captures)
        for axes in (left, right):
            axes.grid(axis="x" if axes is left else "both", color="#dddddd", linewidth=0.6)
            axes.set_axisbelow(True)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None}, facecolor="white")


def _widest(captures: Sequence[Figures]) -> Sequence[Figures]:
    """Those of the length that has most kinds, and of such the longest."""
    by_length: dict[int, list[Figures]] = {}
    for figures in captures:
        by_length.setdefault(figures.samples, []).append(figures)
    return max(by_length.values(), key=lambda these: (len(these), these[0].samples))


def _kinds(axes: Axes, these: Sequence[Figures]) -> None:
    shown = {name: look for name, look in SHOWN.items() if any(name in f.cpu for f in these)}
    height = 0.8 / len(shown)
    drawn: list[list[float]] = []
    for i, (name, (label, colour)) in enumerate(shown.items()):
        at = [row + (i - (len(shown) - 1) / 2) * height for row, f in enumerate(these) if name in f.cpu]
        drawn.append([f.samples / f.cpu[name] / 1e6 for f in these if name in f.cpu])
        axes.barh(at, drawn[-1], height, color=colour, label=label)
    axes.set_yticks(range(len(these)), [f.kind for f in these])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("million samples a second of CPU time")
    axes.set_title(f"In process, {spell(these[0].samples)} samples", loc="left")
    axes.legend(fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2)


def _lengths(axes: Axes, captures: Sequence[Figures]) -> None:
    """One kind, the one measured at most lengths."""
    kinds: dict[str, list[Figures]] = {}
    for figures in captures:
        kinds.setdefault(figures.kind, []).append(figures)
    kind, these = max(kinds.items(), key=lambda item: (len(item[1]), item[0] == "b400k30"))
    for name, (label, colour) in LONGER.items():
        points = [(f.samples, f.cpu[name]) for f in these if name in f.cpu]
        if points:
            axes.plot(*zip(*points, strict=True), "o-", color=colour, label=label, markersize=4)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks([f.samples for f in these], [spell(f.samples) for f in these])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("samples")
    axes.set_ylabel("CPU seconds")
    axes.set_title(f"Whole processes, {kind}", loc="left")
    axes.legend(fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.1))
