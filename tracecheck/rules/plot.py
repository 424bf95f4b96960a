"""Draws how what a rule measured is spread, with its bounds and percentiles, by matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from tracecheck.plots import BUS_COLOUR, ODD_COLOUR, axes
from tracecheck.rules.measured import Measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BARS: Final = 64
_LOGARITHMIC: Final = 25
"""Values that differ by more than this factor have a logarithmic axis."""
_DRAWN: Final = {"p50": "-", "p99": "-."}


def distribution(measured: Measured, title: str, ax: Axes | None = None) -> Axes:
    """A histogram of all instances; times in us, else samples or counts.

    Bounds that differ from one transfer to the next (those in SCL periods) are not drawn.
    """
    ax = axes(ax, 9.0, 3.6)
    scale = 1.0 if measured.scale is None else measured.scale / 1000
    values = measured.values * scale
    bounds = [(n, b) for n, b in (("at least", measured.lower), ("at most", measured.upper)) if b is not None]
    ends = [*(b * scale for _, b in bounds), values[0], values[-1]]
    low, high = min(ends), max(ends)
    logarithmic = low > 0 and high / low > _LOGARITHMIC
    if measured.unit == "count":
        ax.locator_params(axis="x", integer=True)
        ax.bar(values, measured.counts, width=0.8, color=BUS_COLOUR, alpha=0.6)
    else:
        room = (high - low or abs(high) or 1.0) * 0.02
        near, far = (low / 1.05, high * 1.05) if logarithmic else (low - room, high + room)
        edges = (np.geomspace if logarithmic else np.linspace)(near, far, _BARS + 1)
        ax.hist(values, bins=edges.tolist(), weights=measured.counts, color=BUS_COLOUR, alpha=0.6)
    if logarithmic:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter("{x:g}")
    for name, share in (("p50", 50_000), ("p99", 99_000)):
        value = measured.ranked(share)
        ax.axvline(value * scale, color="0.3", linestyle=_DRAWN[name], label=f"{name} {measured.text(value)}")
    for name, bound in bounds:
        ax.axvline(bound * scale, color=ODD_COLOUR, linestyle="--", label=f"{name} {measured.text(bound)}")
    ax.locator_params(axis="y", integer=True)
    ax.set_xlabel({"ns": "us", "samples": "samples", "count": "count"}[measured.unit])
    ax.set_ylabel("instances")
    ax.set_title(title, loc="left", parse_math=False)
    ax.spines[["right", "top"]].set_visible(False)
    ax.legend(frameon=False)
    return ax
