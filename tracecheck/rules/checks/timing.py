"""timing: what UM10204 and SMBus ask of the bus's edges, parameter by parameter.

One instance per parameter, bound and transfer: the shortest, or longest, that the transfer shows of it, between the
edges that define it. `mode` is "standard", "fast", "fast-plus", "smbus", or "auto" (the default): for each transfer the
slowest of the first three whose clock is not more than 10 % slower than its own. `limits` bounds parameters one by one,
beside a mode or without any. `parameters` and `without` choose among a mode's. Each parameter is a rule of its own in
the report, `ID.PARAMETER`. What no capture of this samplerate can decide of a mode's parameters is told in a note and
counts for nothing; a parameter that the rule names must be decided like that of any other rule.

    [[rule]]
    id = "bus-timing"
    kind = "timing"
    mode = "fast"
    limits = { tLOW = { min = "1.5us" }, "tSU;DAT" = { min = "250ns" } }
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np

from tracecheck import _bounds, words
from tracecheck.decoding.exchanges import Samples
from tracecheck.decoding.rows import Columns
from tracecheck.decoding.window import Mask, Window, grouped
from tracecheck.rules.bounds import CUT, FAIL, INCONCLUSIVE, PASS, Verdicts
from tracecheck.rules.checks.base import Checker, LaneInfo, Limits
from tracecheck.rules.checks.instances import NONE, Instances, Reasons, instances
from tracecheck.rules.parameters import FREQUENCY, LIMITS, RISES, SPEEDS, TOLERANCE, Edges
from tracecheck.rules.quantity import Quantity
from tracecheck.rules.timing import ParameterRule

MEASURED, WHOSE = range(2)
_TARGET, _CONTROLLER = words.HELD_BY.index("target"), words.HELD_BY.index("controller")
_HELD: Final = {"tLOW:SEXT": _TARGET, "tLOW:MEXT": _CONTROLLER}
"""Parameters that add up low phases, and whose holding of the clock they are about."""
_OF_BYTES: Final = frozenset({"tVD;DAT", "tVD;ACK", "tLOW:MEXT"})
"""Parameters that are told by where bytes begin."""
_EACH_PARAMETER: Final = np.arange(len(words.PARAMETERS))
_SUMMED: Final = 2
"""Samples of doubt for each low phase of a sum: of its own two edges one, of the shortest, taken off it, another."""
_MOST: Final = 1 << 61
"""More samples than any capture has."""


class _Exact(NamedTuple):
    """A bound in whole samples: an interval that ends at `below` surely lies under it, from `above` on over it.

    The fastest and the slowest that the analyzer's clock may run, and rise times, are in them. `shown`: for reading.
    """

    below: int
    above: int
    shown: float


class TimingChecker(Checker[ParameterRule]):
    """One bound of one parameter, in each mode that it may be asked in. Stateless, but for what `modes` counts."""

    def __init__(self, rule: ParameterRule, lane: LaneInfo) -> None:
        super().__init__(rule, lane)
        self._parameter = words.PARAMETERS.index(rule.parameter)
        # The lower a frequency, the longer its period.
        self._at_most = (rule.side == "max") != (rule.parameter == FREQUENCY)
        self._slowest = self._at_most and rule.parameter == FREQUENCY
        self._bounds = [self._exact(bound) for bound in rule.bounds.values()] if lane.rate_hz else []
        self.modes: Counter[str] = Counter()
        """Transfers judged by each mode, where their clock said by which."""

    def _exact(self, bound: Quantity) -> _Exact:
        rate, off = self.lane.rate_hz or 0, Fraction(self.lane.timebase_ppm, 10**6)
        edges, rise = RISES.get(self.rule.parameter, Edges()), self.lane.rise
        low = (bound.amount - rise.of(edges.shorter)) * rate * (1 - off)
        high = (bound.amount + rise.of(edges.longer)) * rate * (1 + off)
        below, above = low.numerator // low.denominator, -(-high.numerator // high.denominator)
        return _Exact(max(-_MOST, min(below, _MOST)), min(above, _MOST), float(bound.amount * rate))

    def feed(self, window: Window) -> Instances:
        if window.timings is None:
            return NONE
        end = "high" if self._at_most else "low"
        rows = window.once(("timings", self._parameter, end), lambda: self._measured(window, end))
        if not len(rows["transfer"]):
            return NONE
        row = window.rows_of(rows["transfer"])
        period = window.once(("timed", self._parameter), lambda: self.periods(window, row))
        value, at = rows[end], rows[f"{end}_at"]
        if self._slowest:
            # A clock that is stretched now and then is not slow: SMBus means the one that it is so as a rule.
            value, at = period, window.transfers["start"][row]
        mode = self._mode(period)
        judged = window.judged_at(at) & (value > 0 if self._slowest else value >= 0)
        if self.rule.by_clock:
            judged &= mode >= 0
        if self.selects:
            judged &= self.selected(window.transfers)[row]
        if self.rule.by_clock:
            names = list(self.rule.bounds)
            for number, count in enumerate(np.bincount(mode[judged], minlength=len(names)).tolist()):
                self.modes[names[number]] += count
        verdict, reason = self._verdicts(window, rows, row, value, mode)
        complete = window.transfers["complete"]
        if not window.once("complete", lambda: bool(complete.all())):
            verdict = np.where((complete[row] == 0) & (verdict != FAIL), CUT, verdict).astype(np.uint8)
        found = instances(at, rows["transfer"], verdict, value=value, reason=reason, period=period, extra=rows["count"])
        return found.where(judged)

    def adrift(self, found: Instances) -> Mask:
        return np.full(len(found), self.rule.parameter in _OF_BYTES, np.bool_)

    def _measured(self, window: Window, end: str) -> Columns:
        """What was measured of the parameter, and where: its `low` or its `high` end."""
        timings = window.timings or {}
        order, offsets = window.once("by parameter", lambda: grouped(timings["parameter"], _EACH_PARAMETER))
        mine = order[offsets[self._parameter] : offsets[self._parameter + 1]]
        return {name: timings[name].take(mine) for name in ("transfer", "count", end, f"{end}_at")}

    def _mode(self, period: Samples) -> Samples:
        """Which of the rule's bounds is each transfer's, -1 for none: its mode has none, or its clock is not known."""
        if not self.rule.by_clock:
            return np.zeros(len(period), np.int64)
        names, rate = list(self.rule.bounds), self.lane.rate_hz or 0
        number = [names.index(speed) if speed in names else -1 for speed in SPEEDS]
        mode = np.full(len(period), number[-1], np.int64)
        for speed in reversed(SPEEDS[:-1]):
            fastest = LIMITS[speed][FREQUENCY]["max"].amount * 100 / (100 + TOLERANCE) * rate
            mode[period >= -(-fastest.numerator // fastest.denominator)] = number[SPEEDS.index(speed)]
        mode[period <= 0] = -1
        return mode

    def _verdicts(
        self, window: Window, rows: Columns, row: Samples, value: Samples, mode: Samples
    ) -> tuple[Verdicts, Reasons]:
        """Each value lies within `slack` samples of the true one; that of a sum, within as many as it has ends."""
        if not self._bounds:
            return np.full(len(value), INCONCLUSIVE, np.uint8), np.full(len(value), MEASURED, np.uint8)
        holder = _HELD.get(self.rule.parameter)
        if holder is None and not self.rule.by_clock:
            verdict, low, high = np.empty(len(value), np.uint8), self._bounds[0].below - 1, self._bounds[0].above + 1
            limits = (-_MOST, -_MOST, low, high) if self._at_most else (low, high, _MOST, _MOST)
            _bounds.judge(value, *limits, (PASS, FAIL, INCONCLUSIVE), verdict)
            return verdict, np.full(len(value), MEASURED, np.uint8)
        below, above = (np.array([getattr(b, name) for b in self._bounds], np.int64) for name in ("below", "above"))
        if self.rule.by_clock:
            below, above = below[mode], above[mode]
        slack: Samples | int = 1 if holder is None else _SUMMED * rows["count"]
        under, over = value + slack <= below, value - slack >= above
        reason = np.full(len(value), MEASURED, np.uint8)
        if holder is not None:
            # That the clock was held too long is one thing; a fail needs to know by whom.
            unsure = over & ~(self._held(window, row, holder) - slack >= above)
            over &= ~unsure
            reason[unsure] = WHOSE
        inside, outside = (under, over) if self._at_most else (over, under)
        return np.where(inside, PASS, np.where(outside, FAIL, INCONCLUSIVE)).astype(np.uint8), reason

    def _held(self, window: Window, row: Samples, holder: int) -> Samples:
        """How long this side of the bus surely held SCL low: in the transfer, or at once where bytes are judged."""
        stretches, n = window.stretches, len(window.transfers["start"])
        mine = stretches["held_by"] == holder
        of, excess = window.rows_of(stretches["transfer"][mine]), stretches["excess"][mine]
        total = np.zeros(n, np.int64)
        (np.add if holder == _TARGET else np.maximum).at(total, of[of >= 0], excess[of >= 0])
        return total[row]

    def doubt(self, found: Instances) -> Samples:
        if self.rule.parameter in _HELD:
            return _SUMMED * found.extra
        return super().doubt(found)

    @property
    def same_limits(self) -> tuple[float, float] | None:
        if self.rule.by_clock:
            return None
        shown = self._bounds[0].shown if self._bounds else math.nan
        return (math.nan, shown) if self._at_most else (shown, math.nan)

    def limits(self, found: Instances) -> Limits:
        none = np.broadcast_to(np.float64(np.nan), len(found))
        if not self._bounds:
            return none, none
        shown = np.broadcast_to(np.float64(self._bounds[0].shown), len(found))
        if self.rule.by_clock:
            shown = np.array([b.shown for b in self._bounds])[np.maximum(self._mode(found.period), 0)]
        return (none, shown) if self._at_most else (shown, none)

    def sentence(self, found: Instances, i: int, time: Callable[[int], str]) -> str:
        name, value, count = self.rule.parameter, int(found.value[i]), int(found.extra[i])
        if name == FREQUENCY:
            which = "on the whole" if self._slowest else f"in the shortest of {count} periods"
            rate = self.lane.rate_hz
            return f"fSCL is {_hertz(rate / value)} {which}" if rate and value else f"SCL's period is {time(value)}"
        if name in _HELD:
            whole = "in all" if name == "tLOW:SEXT" else f"within {count} clocks"
            whose = "; by whom, the lines do not tell" if int(found.reason[i]) == WHOSE else ""
            return f"SCL was held low for {time(value)} {whole}{whose}"
        of = "" if count == 1 else f", the {'longest' if self._at_most else 'shortest'} of {count}"
        judged = f" by {self.mode_of(found, i)}" if self.rule.by_clock else ""
        return f"{name} is {time(value)}{of}{', judged' * bool(judged)}{judged}"

    def mode_of(self, found: Instances, i: int) -> str:
        """The mode by which an instance is judged."""
        return list(self.rule.bounds)[max(int(self._mode(found.period[i : i + 1])[0]), 0)]


def _hertz(hz: float) -> str:
    for limit, unit in ((1e6, "MHz"), (1e3, "kHz")):
        if hz >= limit:
            return f"{hz / limit:.4g} {unit}"
    return f"{hz:.4g} Hz"
