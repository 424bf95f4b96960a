"""Draws one exchange with characters: decoded bytes above, the lines as waves, times below.

Each wave is two rows of box drawing, or one row where the encoding has only ASCII. What a cell can say:

    level     a line; dashed where the column lasts longer than the others
    one edge  a step
    two       a spike: up and down again, or down and up
    more      a shaded block: too many to draw
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from tracecheck.exchange import Exchange, Mark, Wave
from tracecheck.report.columns import Column, find, layout
from tracecheck.report.style import Style
from tracecheck.report.visible import visible
from tracecheck.timebase import instant_text, time_text, to_ns

# (top, bottom) of a cell by level before it and number of edges in it: 0, 1, 2, more
_BOXES = (((" ", "─"), ("┌", "┘"), ("╷", "┴"), ("▒", "▒")), (("─", " "), ("┐", "└"), ("┬", "╵"), ("▒", "▒")))
_DASHED = ((" ", "┄"), ("┄", " "))
_PLAIN = (("_", "/", "^", "#"), ("-", "\\", "v", "#"))
_PLAIN_DASHED = (".", "=")
_HOLE = "\0"
_MOST_TOLD = 12
_NAMES = {"start": "START", "stop": "STOP", "restart": "repeated START"}


def draw(exchange: Exchange, style: Style) -> str:
    """The drawing, at most `style.width` columns wide, ending with a line end."""
    gutter = max(len(visible(wave.name, line=True)) for wave in exchange.waves) + 2
    columns = layout(exchange, style.width - gutter)
    lines = [_title(exchange, style), ""]
    marks, left_out = _mark_row(exchange, columns, style)
    lines.append(f"{'':{gutter}}{marks}".rstrip())
    for wave in exchange.waves:
        rows = _wave_rows(wave, columns, style)
        name = style.paint(f"{visible(wave.name, line=True):<{gutter}}", "bold" if wave.bus else "cyan")
        lines += [f"{'':{gutter}}{row}".rstrip() for row in rows[:-1]]
        lines.append(f"{name}{rows[-1]}".rstrip())
    lines += [f"{'':{gutter}}{row}".rstrip() for row in _axis(exchange, columns)]
    lines += ["", *_told(exchange, style)]
    if left_out:
        lines.append(
            f"{left_out} byte{'' if left_out == 1 else 's'} in the middle {'is' if left_out == 1 else 'are'} not drawn."
        )
    if exchange.cut_tail:
        lines.append("Marker edges after these are not drawn.")
    return "\n".join(lines) + "\n"


def _title(exchange: Exchange, style: Style) -> str:
    facts, rate = exchange.facts, exchange.rate_hz
    when = f"sample {facts.start}" if not rate else instant_text(to_ns(facts.start, rate))
    text = style.paint(f"Transfer {facts.transfer} on {facts.bus}", "bold") + f": {facts.summary}, at {when}"
    if facts.period and rate:
        text += f", SCL {rate / facts.period / 1000:.4g} kHz"
    return text


def _wave_rows(wave: Wave, columns: list[Column], style: Style) -> list[str]:
    begins = np.array([c.begin for c in columns], np.int64)
    before = np.searchsorted(wave.edges, begins)
    after = np.searchsorted(wave.edges, np.array([c.end for c in columns], np.int64))
    top, bottom = [], []
    for column, first, last in zip(columns, before.tolist(), after.tolist(), strict=True):
        level, edges = (first + wave.initial) % 2, min(last - first, 3)
        if column.left_out:
            a, b = (" ", style.glyph("⋯", "."))
        elif style.unicode:
            a, b = _DASHED[level] if column.squeezed and not edges else _BOXES[level][edges]
        else:
            a, b = " ", _PLAIN_DASHED[level] if column.squeezed and not edges else _PLAIN[level][edges]
        top.append(a)
        bottom.append(b)
    return ["".join(top), "".join(bottom)] if style.unicode else ["".join(bottom)]


def _mark_row(exchange: Exchange, columns: list[Column], style: Style) -> tuple[str, int]:
    """The row of decoded bytes, and how many data or address bytes lie in what is left out."""
    row = [_HOLE if column.left_out else " " for column in columns]
    left_out = 0
    for mark in exchange.marks:
        first, last = find(columns, mark.begin), find(columns, mark.end)
        if first is None or last is None:
            left_out += mark.end > mark.begin
            continue
        _place(row, mark, first, last, style)
    drawn = "".join(row)
    holes = drawn.count(_HOLE)
    return drawn.replace(
        _HOLE * holes, (f"+{left_out}" if left_out else "").center(holes)
    ) if holes else drawn, left_out


def _place(row: list[str], mark: Mark, first: int, last: int, style: Style) -> None:
    """A byte's text over its columns, with a line to both ends where there is room."""
    room = last - first + 1
    text = mark.text
    if room >= len(text) + 4:
        line = style.glyph("─", "-")
        text = f" {text} ".center(room - 2, line)
        text = f"{style.glyph('╶', '<')}{text}{style.glyph('╴', '>')}"
    elif room < len(text):
        # A sign of an instant may stretch over what is free beside it; else it is dropped rather than overwrite.
        for i in (first, first - len(text) + 1):
            if i >= 0 and row[i : i + len(text)] == [" "] * len(text):
                row[i : i + len(text)] = list(text)
                return
        return
    else:
        text = text.center(room)
    row[first : last + 1] = list(text)


def _axis(exchange: Exchange, columns: list[Column]) -> list[str]:
    """Ticks and times from START, the most telling first where not all fit."""
    start, rate = exchange.facts.start, exchange.rate_hz
    wanted = [start, *([exchange.facts.stop] if exchange.facts.stop is not None else [])]
    wanted += [at for at, name in exchange.events if name == "wake"]
    wanted += [at for at, name in exchange.events if name not in ("start", "stop", "wake")]
    wanted += [m.begin for m in exchange.marks if m.begin < m.end]
    ticks, row = [" "] * len(columns), [" "] * len(columns)
    for at in wanted:
        i = find(columns, at)
        if i is None:
            continue
        text = "0" if at == start else time_text(at - start, rate)
        for offset in (0, len(text) - 1, len(text) // 2):
            first = i - offset
            if first < 0 or first + len(text) > len(row):
                continue
            around = row[max(first - 2, 0) : first + len(text) + 2]
            if all(cell == " " for cell in around):
                row[first : first + len(text)] = list(text)
                ticks[i] = "|"
                break
    return ["".join(ticks), "".join(row)]


def _told(exchange: Exchange, style: Style) -> list[str]:
    """`START -> 73.2 us -> STOP -> 792 ns -> irq`: each event with the time since the one before."""
    arrow = style.glyph("→", "->")
    events = list(exchange.events)
    if not events:
        return []
    more = len(events) - _MOST_TOLD
    words = [_NAMES.get(events[0][1], events[0][1])]
    for (before, _), (at, name) in pairwise(events[:_MOST_TOLD]):
        words.append(
            f"{arrow} {_NAMES.get(name, name.removesuffix('.begin'))} {time_text(at - before, exchange.rate_hz)}"
        )
    if more > 0:
        words.append(f"{arrow} {more} more")
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + len(word) + 1 > style.width:
            lines.append("  " + word)
        else:
            lines[-1] += f" {word}"
    return lines
