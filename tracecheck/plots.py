"""Pictures of traces for notebooks and papers, by matplotlib, which is an extra: imported when one is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from tracecheck import words
from tracecheck.errors import ExtraError
from tracecheck.exchange import Exchange, Mark, Wave
from tracecheck.timebase import NS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BUS_COLOUR: Final = "tab:blue"
MARKER_COLOUR: Final = "tab:green"
ODD_COLOUR: Final = "tab:red"
_HIGH: Final = 0.62
"""Height of a wave, of the row it has."""
_BYTE: Final = 0.24
"""Width that a byte should have, in inches; a picture gets no wider than 24."""
_CHARACTER: Final = 0.085
"""Width of a character of a byte's label, in inches."""
_EDGED: Final = frozenset({"S", "Sr", "P"})


def axes(ax: Axes | None, width: float, height: float) -> Axes:
    """`ax`, or new Axes of this size in inches. Raises ExtraError where matplotlib is missing."""
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot as plt  # noqa: PLC0415  (heavy, and an extra)
    except ImportError:
        raise ExtraError("plots need matplotlib", "plot") from None
    made: Axes = plt.subplots(figsize=(width, height), layout="constrained")[1]
    return made


def waves(exchange: Exchange, ax: Axes | None = None) -> Axes:
    """One exchange to scale, a row a line: decoded bytes on top, then SCL, SDA and the markers.

    Time counts from START: in us, or in samples where no rate is known. Bytes too narrow for their text are
    boxes only.
    """
    rows = len(exchange.waves)
    spans = [mark.end - mark.begin for mark in exchange.marks if mark.end > mark.begin]
    wanted = _BYTE * (exchange.end - exchange.begin) / np.median(spans) if spans else 0.0
    width = float(min(max(9.0, wanted), 24.0))
    ax = axes(ax, width, 0.5 * (rows + 1) + 1.0)
    scale = NS / 1000 / exchange.rate_hz if exchange.rate_hz else 1.0
    start = exchange.facts.start

    def x(sample: int) -> float:
        return (sample - start) * scale

    inches = ax.get_figure(root=True).get_size_inches()[0] * 0.85 / max(x(exchange.end) - x(exchange.begin), 1e-9)  # type: ignore[union-attr]
    for row, wave in enumerate(exchange.waves):
        _wave(ax, wave, exchange, rows - 1 - row, scale)
    for mark in exchange.marks:
        _mark(ax, mark, x(mark.begin), x(mark.end), rows, inches)
    for at, name in exchange.events:
        if name in words.ANOMALIES:
            ax.axvline(x(at), color=ODD_COLOUR, linestyle=":", linewidth=1)
            ax.annotate(name, (x(at), 0), xycoords=("data", "axes fraction"), color=ODD_COLOUR, fontsize=8)
    ax.set_xlim(x(exchange.begin), x(exchange.end))
    ax.set_ylim(-0.25, rows + 1.0)
    ax.set_yticks(
        [rows - 1 - row + _HIGH / 2 for row in range(rows)] + [rows + _HIGH / 2],
        [wave.name for wave in exchange.waves] + [exchange.facts.bus],
        parse_math=False,
    )
    ax.tick_params(axis="y", length=0)
    ax.spines[["left", "right", "top"]].set_visible(False)
    ax.set_xlabel("us from START" if exchange.rate_hz else "samples from START")
    later = "; later edges left out" if exchange.cut_tail else ""
    ax.set_title(f"transfer {exchange.facts.transfer}: {exchange.facts.summary}{later}", loc="left", parse_math=False)
    return ax


def _wave(ax: Axes, wave: Wave, exchange: Exchange, floor: int, scale: float) -> None:
    at = np.concatenate([[exchange.begin], wave.edges, [exchange.end]])
    levels = (wave.initial + np.arange(len(wave.edges) + 1)) % 2
    y = floor + _HIGH * np.append(levels, levels[-1])
    times = (at - exchange.facts.start) * scale
    colour = BUS_COLOUR if wave.bus else MARKER_COLOUR
    ax.plot(times, y, drawstyle="steps-post", color=colour, linewidth=1.2)
    if not wave.bus:
        ax.fill_between(times, floor, y, step="post", color=colour, alpha=0.25, linewidth=0)


def _mark(ax: Axes, mark: Mark, begin: float, end: float, floor: int, inches: float) -> None:
    """START and STOP as lines through the bus, bytes as boxes, what was not acknowledged as N behind them."""
    middle = floor + _HIGH / 2
    if mark.text in _EDGED:
        ax.plot([begin, begin], [floor - 2, floor + _HIGH], color="0.5", linestyle="--", linewidth=0.8, zorder=0)
        ax.text(begin, floor + _HIGH, mark.text, ha="center", va="bottom", fontsize=8)
        return
    room = (end - begin) * inches
    if mark.begin == mark.end:
        if mark.text == "N":
            ax.text(begin, middle, "N", ha="center", va="center", fontsize=8, color=ODD_COLOUR)
        return
    ax.broken_barh([(begin, end - begin)], (floor, _HIGH), facecolor="tab:blue", alpha=0.2, edgecolor=BUS_COLOUR)
    if room >= _CHARACTER * len(mark.text):
        ax.text((begin + end) / 2, middle, mark.text, ha="center", va="center", fontsize=8)
    elif room >= 0.12:
        ax.text((begin + end) / 2, middle, mark.text, ha="center", va="center", fontsize=7, rotation=90)
