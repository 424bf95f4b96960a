"""What all checkers share: the lane they judge, and how an instance becomes a sentence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from tracecheck.decoding.exchanges import Samples
from tracecheck.decoding.lane import ANNOTATION_CODE, READY, WAKE
from tracecheck.decoding.rows import Columns, distinct
from tracecheck.decoding.window import ANOMALY_CODE, Mask, Window
from tracecheck.rules.bounds import CUT, FAIL, Bounds
from tracecheck.rules.checks.instances import Instances
from tracecheck.rules.limit import Rise
from tracecheck.rules.model import Rule
from tracecheck.rules.quantity import Quantity
from tracecheck.rules.select import chosen
from tracecheck.rules.selector import Selector
from tracecheck.rules.statistic import Statistic

R = TypeVar("R", bound=Rule)
Limits = tuple[NDArray[np.float64], NDArray[np.float64]]
TOO_MANY = 255
"""The reason of instances in an exchange that was given up for its size."""
ADRIFT = 254
"""The reason of instances that hang on the bytes of a transfer whose beginning the capture does not hold."""
ADRIFT_TEXT = "the capture begins inside this transfer: what its bytes say, and of which sort it is, is not known"
OF_BYTES = frozenset({"partial-byte", "ack-interrupted", "extra-clock", "void"})
"""Anomalies that are told by where bytes begin."""
_BYTE_EVENTS = OF_BYTES | {"address", "data", "ack", "nack", "wire"}
TOO_MANY_TEXT = "more events in one exchange than are held: it was given up, and what it would have shown is not known"


@dataclass(frozen=True, slots=True)
class LaneInfo:
    """What a checker knows of the lane it judges. `codes`: event name -> code; `names`: code -> name.

    `marker_where`: the selectors of the lane's markers by role and name; transfers outside are not judged against
    that marker. `rise`: rise times of the bus's lines.
    """

    bus: str | None
    codes: dict[str, int]
    names: dict[int, str]
    rate_hz: int | None
    timebase_ppm: int
    initially_active: dict[str, bool]
    marker_where: dict[str, Selector]
    rise: Rise = field(default_factory=Rise)
    _latest: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    _numbers: dict[tuple[Selector, ...], int] = field(default_factory=dict, repr=False, compare=False)

    def number_of(self, selectors: tuple[Selector, ...]) -> int:
        """A number for what is asked of a window: the same selectors have the same, and it takes no time to compare."""
        return self._numbers.setdefault(selectors, len(self._numbers))

    def chosen(self, selector: Selector, transfers: Columns) -> Mask:
        """Which of these transfers a selector chooses, found out once: many rules have the same. Not to be changed."""
        if self._latest.get("of") is not transfers:
            self._latest.clear()
            self._latest.update({"of": transfers, "answers": {}})
        answers: dict[Selector, Mask] = self._latest["answers"]
        if selector not in answers:
            answers[selector] = chosen(selector, transfers, self.bus, self.rate_hz)
        return answers[selector]


@dataclass(frozen=True, slots=True)
class Expectation:
    """Where an order went wrong: after which event, what could have come, and what came.

    `after`, `after_at`  the last event that fitted and its sample; None: there was none
    `nth`                which of its name that was in the scope, from 1; None where it was not counted (scope capture)
    `expected`           the events with which a match was still possible, in the order of the pattern's alphabet
    `end`                whether the scope could have ended there
    `came`               the event that came, at the instance's sample; None: the scope ended
    """

    after: str | None
    after_at: int | None
    nth: int | None
    expected: tuple[str, ...]
    end: bool
    came: str | None


_NOBODY = np.empty(0, np.int64)


class Checker(ABC, Generic[R]):
    """One rule on one lane. `feed` windows in order; each call returns the instances that could be decided."""

    measures: ClassVar[str] = "time"
    """What `value` is: "time" (samples), "count", or "" when nothing is measured."""

    def __init__(self, rule: R, lane: LaneInfo) -> None:
        self.rule, self.lane = rule, lane
        codes = [lane.codes[event] for event in rule.events]
        self._hears_decoders = any(code >= ANNOTATION_CODE for code in codes)
        self._sees_markers = any(WAKE <= code < ANNOTATION_CODE for code in codes)
        # What chooses the transfers that are judged: the rule's own, and those of the markers that it looks at.
        self._where = tuple(s for s in (rule.where, *self._marker_selectors()) if not s.is_everything)
        self.chooses = lane.number_of(self._where)
        """The same for rules of a lane that judge the same transfers."""

    def decided(self, window: Window) -> Instances:
        """`feed`, and cut what a transfer that began before the capture cannot answer.

        Its row says nothing of the bytes that are missing, so no selector can be sure of it. Where even its START is
        assumed (SDA low and SCL high in the first sample), its bytes may be read from any bit on, until a repeated
        START.
        """
        found = self.feed(window)
        if window.cut_begin < 0 or not len(found):
            return found
        mine = found.transfer == window.cut_begin
        if mine.any() and not self.selects_by_bytes:
            mine &= self.adrift(found) & (found.at <= window.adrift)
        if self.rule.scope == "capture" and self.rule.kind in ("order", "occurrence"):
            # One instance of all events, those that were misread among them.
            doubtful = self.adrift(found) & (window.adrift >= 0) | self.selects_by_bytes
            mine |= (found.verdict == FAIL) & doubtful
        if not mine.any():
            return found
        return replace(
            found,
            verdict=np.where(mine, CUT, found.verdict).astype(np.uint8),
            value=np.where(mine, -1, found.value),
            reason=np.where(mine, ADRIFT, found.reason).astype(np.uint8),
        )

    @property
    def selects_by_bytes(self) -> bool:
        """Whether what a transfer's bytes say decides if, or how, it is judged."""
        return any(selector.reads_bytes for selector in self._where) or getattr(self.rule, "model", None) is not None

    def adrift(self, found: Instances) -> Mask:
        """Which of these hang on where the bytes of their transfer begin."""
        return np.full(len(found), not _BYTE_EVENTS.isdisjoint(self.rule.events), np.bool_)

    @abstractmethod
    def feed(self, window: Window) -> Instances:
        """Instances decided by this window; at the final one, all that are left."""

    @property
    def waiting(self) -> Samples:
        """Transfers of instances that are not decided yet."""
        return _NOBODY

    @abstractmethod
    def sentence(self, found: Instances, i: int, time: Callable[[int], str]) -> str:
        """What instance `i` found, for a person; `time` formats a distance in samples."""

    def said(self, found: Instances, i: int, time: Callable[[int], str]) -> str:
        """The sentence of instance `i`, whatever became of it."""
        told = {TOO_MANY: TOO_MANY_TEXT, ADRIFT: ADRIFT_TEXT}.get(int(found.reason[i]))
        return told or self.sentence(found, i, time)

    def expectation(self, found: Instances, i: int) -> Expectation | None:
        """Of a failed order: what was expected, and what came."""
        return None

    def lower_upper(self, period: int) -> tuple[float | None, float | None]:
        """The bounds in samples (or counts), for reading."""
        return None, None

    def limits(self, found: Instances) -> Limits:
        """The lower and the upper bound of each instance, in samples (or counts), for reading; nan where there is none.

        Checkers whose bounds depend on more than the SCL period have their own.
        """
        low, high = np.full(len(found), np.nan), np.full(len(found), np.nan)
        for period in distinct(found.period).tolist():
            mine = found.period == period
            lower, upper = self.lower_upper(period)
            low[mine] = np.nan if lower is None else lower
            high[mine] = np.nan if upper is None else upper
        return low, high

    @property
    def same_limits(self) -> tuple[float, float] | None:
        """The bounds as in `limits` where all instances have the same, None where they may differ."""
        return None

    def doubt(self, found: Instances) -> Samples:
        """How close, in samples, the true value of each instance lies to the one measured: two edges, one sample."""
        return np.ones(len(found), np.int64)

    def note(self, found: Instances) -> None:
        """Takes into account, for `statistics`, instances that were decided; called once with each."""

    def statistics(self, at: int) -> tuple[Statistic, ...]:
        """What all instances noted so far say together; `at`: the sample from which on they were judged."""
        return ()

    def code(self, event: str) -> int:
        return self.lane.codes[event]

    def surely_first(self, first: str, second: str) -> bool:
        """Whether, in one sample, the order is known all the same: ready comes at or after its interrupt, and what a
        decoder says of the bus after what the bus does.
        """
        if self.code(second) >= ANNOTATION_CODE:
            return self.code(first) < ANOMALY_CODE
        return self.code(second) == READY and self.code(first) == self.code("irq.begin")

    def bounds(self, lower: Quantity | None, upper: Quantity | None) -> Bounds:
        return Bounds(lower, upper, self.lane.rate_hz, self.lane.timebase_ppm)

    @property
    def selects(self) -> bool:
        """Whether some transfers are not judged."""
        return bool(self._where)

    @property
    def sees_markers(self) -> bool:
        """Whether it looks at a marker, or at something derived from one."""
        return self._sees_markers

    def told_to(self, window: Window) -> int | None:
        """The sample from which on what the rule looks at cannot be told, None where all of it can.

        Pulse counts end with the lane's knowledge. What a decoder says of a transfer it says at its STOP: of one that
        the capture's end cuts, nothing is known.
        """
        limits = [window.end] if window.cut_short and self.sees_markers else []
        if self._hears_decoders:
            cut = window.transfers["start"][window.transfers["transfer"] == window.cut_end]
            limits += cut[:1].tolist()
        return min(limits, default=None)

    def on_bus(self, event: str) -> bool:
        """Whether an event is the bus's own, or said of it: it lies in its transfer whatever shares its sample."""
        return not ANOMALY_CODE <= self.code(event) < ANNOTATION_CODE

    def selected(self, transfers: Columns) -> Mask:
        """Which rows of `transfers` the rule judges."""
        mask = np.ones(len(transfers["start"]), np.bool_)
        for selector in self._where:
            mask &= self.lane.chosen(selector, transfers)
        return mask

    def judges_none(self, window: Window) -> bool:
        """Whether it surely judges no transfer of a window, nor can one of those be that were given up."""
        if not self.selects or window.overflow:
            return False
        return window.once(("none", self.chooses), lambda: not self.selected(window.transfers).any())

    def chosen_events(self, window: Window, at: Samples, transfer: Samples) -> tuple[Mask, Samples, Mask]:
        """Which events are instances (the bus was synced, their transfer is selected, and there where the scope asks
        for one), each one's row or -1, and which belong to an exchange that was given up so that nobody can say.

        Found out once for rules that ask the same. Not to be changed.
        """
        question = ("chosen events", id(at), id(transfer), self.rule.scope != "capture", self.chooses)
        # The arrays are kept beside the answer, so that no others can take their identities.
        return window.once(question, lambda: (self._chosen_events(window, at, transfer), at, transfer))[0]

    def _chosen_events(self, window: Window, at: Samples, transfer: Samples) -> tuple[Mask, Samples, Mask]:
        row = window.rows_of(transfer)
        judged = window.judged_at(at)
        known = judged.copy()
        scoped = self.rule.scope != "capture"
        if self.selects:
            known &= np.append(self.selected(window.transfers), False).take(row, mode="wrap")
        if scoped:
            known &= row >= 0
        lost = judged & window.gave_up(transfer) if scoped or self.selects else np.zeros(len(at), np.bool_)
        lost &= known | (row < 0)
        return known | lost, row, lost

    @staticmethod
    def periods(window: Window, row: Samples) -> Samples:
        """SCL period of each row, 0 where there is none. Not to be changed."""
        every = window.once("periods", lambda: np.append(window.transfers["period"], 0))
        return window.once(("periods", id(row)), lambda: (every.take(row, mode="wrap"), row))[0]

    def _marker_selectors(self) -> list[Selector]:
        if not self.lane.marker_where:
            return []
        names = {name.partition(".")[0] for name in self.rule.events}
        for derived, roles in (("wake", ("irq", "run")), ("ready", ("irq", "pending"))):
            if derived in names:
                names |= set(roles)
        return [self.lane.marker_where[name] for name in sorted(names) if name in self.lane.marker_where]
