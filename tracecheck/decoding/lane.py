"""A lane: one bus, its markers, and what happened on them, in order.

Rules are judged lane by lane. A lane takes decoded rows as they come and releases `Window`s: stretches of time whose
exchanges have all closed, so that whatever is judged in a window never depends on how the input was cut. Rules that
span exchanges carry what they need from window to window.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracecheck import words
from tracecheck.decoding.derived import Derived
from tracecheck.decoding.exchanges import FOREVER, VOID, Exchanges, Samples, closing
from tracecheck.decoding.markers import MarkerRows
from tracecheck.decoding.rows import LAYOUT, TIMINGS, Columns, concatenate
from tracecheck.decoding.window import ANOMALY_CODE, WIRE, Codes, Window

MAX_HELD = 1 << 22
"""Events held back for one open exchange; beyond it the exchange is judged inconclusive, so memory stays bounded."""

WAKE, READY = 40, 41
MARKER_CODE = 64
BUS_CODES = {name: code for code, name in enumerate(words.BUS_EVENTS)}
START, RESTART, STOP = BUS_CODES["start"], BUS_CODES["restart"], BUS_CODES["stop"]
_BEGINS_INSIDE, _ENDS_INSIDE = (words.ANOMALIES.index(name) for name in ("begins-inside", "ends-inside"))

_NO_CODES = np.empty(0, np.int16)
_EVENTS: dict[str, type] = {"at": np.int64, "code": np.int16, "own": np.int64}


@dataclass(frozen=True, slots=True)
class LaneMarker:
    """A marker as a lane sees it: `role` is irq, pending, run or None; `initially_active` as its decoder found it."""

    name: str
    role: str | None = None
    initially_active: bool = False
    point: bool = False
    """A pulse-count code: an instant rather than an interval for the rules."""


@dataclass(slots=True)
class _Abandoned:
    """The latest exchange that was given up for its size: what is on the lane from `start` on is its, until `close`."""

    transfer: int
    start: int
    close: int = FOREVER


@dataclass(slots=True)
class Lane:
    """Collects rows of one bus and its markers; releases windows. `settle` in samples."""

    bus: str | None
    markers: tuple[LaneMarker, ...]
    settle: int
    codes: dict[str, int] = field(init=False)
    _bus: list[Columns] = field(init=False, default_factory=list)
    """Events of the bus that are held back, in order."""
    _others: list[Columns] = field(init=False, default_factory=list)
    """Anomalies, markers and derived events that are held back."""
    _transfers: list[Columns] = field(init=False, default_factory=list)
    _stretches: list[Columns] = field(init=False, default_factory=list)
    _anomalies: list[Columns] = field(init=False, default_factory=list)
    _timings: list[Columns] | None = field(init=False, default=None)
    _released: int = field(init=False, default=0)
    _derived: Derived = field(init=False)
    _last_transfer: int = field(init=False, default=-1)
    _last_outcome: int = field(init=False, default=-1)
    _given_up: set[int] = field(init=False, default_factory=set)
    _abandoned: _Abandoned | None = field(init=False, default=None)
    _cut: dict[int, int] = field(init=False, default_factory=dict)
    _adrift: int = field(init=False, default=-1)
    _aligned: int = field(init=False, default=FOREVER)

    def __post_init__(self) -> None:
        self.codes = {}
        if self.bus is not None:
            self.codes |= BUS_CODES | {"wire": WIRE}
            self.codes |= {name: ANOMALY_CODE + i for i, name in enumerate(words.ANOMALIES)}
        for i, marker in enumerate(self.markers):
            begin, end = MARKER_CODE + 2 * i, MARKER_CODE + 2 * i + 1
            for name in {marker.name, marker.role or marker.name}:
                self.codes |= {name: begin, f"{name}.begin": begin}
                if not marker.point or marker.role == "pending":  # a pulse count is an instant, without an end
                    self.codes[f"{name}.end"] = end
        roles = {m.role for m in self.markers}
        if {"irq", "run"} <= roles:
            self.codes["wake"] = WAKE
        if {"irq", "pending"} <= roles:
            self.codes["ready"] = READY
        active = {m.role: m.initially_active for m in self.markers}.get("pending", False)
        self._derived = Derived(self.codes, WAKE, READY, pending_active=active)

    @property
    def names(self) -> dict[int, str]:
        """Name of each code, for reports: a marker under its own name."""
        names = {code: name for name, code in self.codes.items()}
        for i, marker in enumerate(self.markers):
            names[MARKER_CODE + 2 * i] = marker.name if marker.point else f"{marker.name}.begin"
            names[MARKER_CODE + 2 * i + 1] = f"{marker.name}.end"
        return names

    def feed(
        self,
        rows: dict[str, Columns] | None,
        markers: dict[str, MarkerRows],
        watermark: int,
        *,
        synced: int,
        end: int | None = None,
        final: bool = False,
        timings: Columns | None = None,
    ) -> Window | None:
        """Take new rows; every event before sample `watermark` has been fed by now. A window, if one closed.

        At the final call `watermark` is where the lane's knowledge ends, which is before the capture's own `end` when
        a pulse-count marker could not be told to the last.
        """
        if rows is not None:
            self._take_bus(rows)
        if timings is not None:
            self._timings = [*(self._timings or []), timings]
        for i, marker in enumerate(self.markers):
            if (new := markers.get(marker.name)) is not None:
                for at, code in ((new.begins, MARKER_CODE + 2 * i), (new.ends, MARKER_CODE + 2 * i + 1)):
                    self._hold(at, code)
                    self._derived.take(at, code)
        for at, code in self._derived.before(FOREVER if final else watermark):
            self._hold(at, code)
        return self._release(watermark, synced, final=final, cut_short=final and end is not None and watermark < end)

    def _take_bus(self, rows: dict[str, Columns]) -> None:
        events, anomalies = rows["events"], rows["anomalies"]
        if len(events["at"]):
            self._bus.append({"at": events["at"], "code": events["kind"].astype(np.int16), "own": events["transfer"]})
        if len(anomalies["at"]):
            code = anomalies["kind"].astype(np.int16) + np.int16(ANOMALY_CODE)
            self._others.append({"at": anomalies["at"], "code": code, "own": anomalies["transfer"]})
            self._anomalies.append(anomalies)
            for kind in (_BEGINS_INSIDE, _ENDS_INSIDE):
                for transfer in anomalies["transfer"][anomalies["kind"] == kind].tolist():
                    self._cut[kind] = transfer
            # No clock was seen before: SDA was low in the first sample, by a START or by a bit of any byte.
            assumed = (anomalies["kind"] == _BEGINS_INSIDE) & (anomalies["arg"] == 0)
            self._adrift = max(self._adrift, *anomalies["transfer"][assumed].tolist(), -1)
        if len(rows["transfers"]["start"]):
            self._transfers.append(rows["transfers"])
            self._last_transfer = int(rows["transfers"]["transfer"][-1])
        if len(rows["stretches"]["begin"]):
            self._stretches.append(rows["stretches"])

    def _hold(self, at: Samples, code: int) -> None:
        if len(at):
            n = len(at)
            self._others.append({"at": at, "code": np.full(n, code, np.int16), "own": np.full(n, -1, np.int64)})

    def _release(self, watermark: int, synced: int, *, final: bool, cut_short: bool) -> Window | None:
        transfers = concatenate(self._transfers, LAYOUT["transfers"])
        self._transfers = [transfers] if len(transfers["start"]) else []
        horizon = FOREVER if final else self._horizon(transfers, watermark)
        if horizon <= self._released:
            if sum(len(part["at"]) for part in (*self._bus, *self._others)) <= MAX_HELD or watermark <= self._released:
                return None
            horizon = watermark
            self._give_up(watermark)
        now = transfers["start"] < horizon
        released = {name: column[now] for name, column in transfers.items()}
        released["after"] = self._outcomes_before(released)
        self._transfers = [{name: column[~now] for name, column in transfers.items()}] if not now.all() else []
        following = transfers["start"][~now & (transfers["outcome"] != VOID)]
        exchanges = Exchanges(released, self.settle, int(following[0]) if len(following) else FOREVER)
        at, code, own, ahead = self._ordered(horizon, watermark)
        transfer, owner = self._owners(at, code, own, released, exchanges)
        if self._adrift >= 0 and self._aligned == FOREVER:
            restarts = at[(code == RESTART) & (own == self._adrift)]
            self._aligned = int(restarts[0]) if len(restarts) else FOREVER
        window = Window(
            begin=self._released,
            end=watermark if final else horizon,
            at=at,
            code=code,
            own=own,
            transfer=transfer,
            owner=owner,
            transfers=released,
            exchanges=exchanges,
            stretches=self._split(self._stretches, "stretches", "begin", horizon),
            anomalies=self._split(self._anomalies, "anomalies", "at", horizon),
            final=final,
            synced=synced,
            ahead=ahead,
            cut_begin=self._cut.get(_BEGINS_INSIDE, -1),
            cut_end=self._cut.get(_ENDS_INSIDE, -1),
            adrift=-1 if self._adrift < 0 else self._aligned,
            cut_short=cut_short,
            overflow=frozenset(self._given_up),
            timings=self._timings_of(released["transfer"]),
        )
        self._released = horizon
        return window

    def _outcomes_before(self, transfers: Columns) -> NDArray[np.int16]:
        """The outcome of the transfer before each; voids are passed over; -1 where there is none, or none is known."""
        opens = np.flatnonzero(transfers["outcome"] != VOID)
        before = np.searchsorted(opens, np.arange(len(transfers["outcome"]))) - 1
        outcome = transfers["outcome"][opens].astype(np.int16)
        outcome[transfers["transfer"][opens] == self._cut.get(_BEGINS_INSIDE, -1)] = -1
        known = np.append(outcome, self._last_outcome)
        if len(opens):
            self._last_outcome = int(outcome[-1])
        return known[before]

    def _horizon(self, transfers: Columns, watermark: int) -> int:
        """Up to where every exchange has closed, and never inside a transfer."""
        limit = min(watermark, self._open_start())
        start, end = transfers["start"], transfers["end"]
        kept = ~np.isin(transfers["transfer"], list(self._given_up))
        under_way = kept & (start < limit) & (end >= limit)
        if under_way.any():
            limit = int(start[under_way][0])
        opens = np.flatnonzero(kept & (start < limit) & (transfers["outcome"] != VOID))
        if not len(opens):
            return limit
        last = opens[-1:]
        # The last exchange is closed by time alone; all before it are closed by its START.
        return limit if int(closing(end[last], self.settle)[0]) <= limit else int(start[last][0])

    def _open_start(self) -> int:
        """START of the earliest transfer whose row has not come yet."""
        earliest = FOREVER
        for part in self._bus:
            later = (part["code"] == START) & (part["own"] > self._last_transfer)
            if later.any():
                earliest = min(earliest, int(part["at"][later][0]))
        return earliest

    def _give_up(self, watermark: int) -> None:
        """Release what is held although its exchange is open: from now on that exchange is inconclusive."""
        void = [part["transfer"][part["outcome"] == VOID] for part in self._transfers]
        none = np.concatenate([np.empty(0, np.int64), *void])
        for part in self._bus:
            opens = (part["code"] == START) & (part["at"] < watermark) & ~np.isin(part["own"], none)
            if opens.any():
                start, transfer = int(part["at"][opens][-1]), int(part["own"][opens][-1])
                if self._abandoned is None or start > self._abandoned.start:
                    self._abandoned = _Abandoned(transfer, start)
                    self._given_up.add(transfer)

    def _ordered(self, horizon: int, watermark: int) -> tuple[Samples, Codes, Samples, Codes]:
        """Events before `horizon` in order, and the codes of what is no transfer's own in the very sample of it."""
        bus, others = concatenate(self._bus, _EVENTS), concatenate(self._others, _EVENTS)
        if (bus["at"][1:] <= bus["at"][:-1]).any():
            bus = _picked(bus, np.lexsort((bus["code"], bus["at"])))
        first = int(np.searchsorted(bus["at"], horizon))
        now = others["at"] < horizon
        mine = others["code"][(others["at"] == horizon) & (others["own"] < 0)] if horizon < watermark else _NO_CODES
        self._bus = [_picked(bus, slice(first, None))] if first < len(bus["at"]) else []
        self._others = [_picked(others, ~now)] if not now.all() else []
        between = _picked(others, now)
        between = _picked(between, np.lexsort((between["code"], between["at"])))
        merged = _merged(_picked(bus, slice(0, first)), between)
        return merged["at"], merged["code"], merged["own"], np.sort(mine)

    def _owners(
        self, at: Samples, code: Codes, own: Samples, transfers: Columns, exchanges: Exchanges
    ) -> tuple[Samples, Samples]:
        """The transfer to name for each event, and the one whose exchange holds it."""
        free = own < 0
        void = transfers["transfer"][transfers["outcome"] == VOID]
        owner = own.copy()
        if len(void):
            of_void = np.isin(own, void)
            owner[of_void] = -1
            free |= of_void & (code >= ANOMALY_CODE)
        owner[free] = self._exchange_of(at[free], transfers, exchanges)
        return np.where((own < 0) & (code >= WAKE), owner, own), owner

    def _exchange_of(self, at: Samples, transfers: Columns, exchanges: Exchanges) -> Samples:
        owner = exchanges.owner(at)
        if (gone := self._abandoned) is not None:
            row = np.flatnonzero(transfers["transfer"] == gone.transfer)
            if len(row):
                gone.close = int(closing(transfers["end"][row], self.settle)[0])
            later = exchanges.start[exchanges.start > gone.start]
            until = min(gone.close, int(later[0]) if len(later) else FOREVER)
            owner = np.where((owner < 0) & (at >= gone.start) & (at < until), gone.transfer, owner)
            if len(later):
                self._abandoned = None
        return owner

    def _timings_of(self, transfers: Samples) -> Columns | None:
        """What was measured of these transfers, the next ones in order; the rest is kept."""
        if self._timings is None:
            return None
        rows = concatenate(self._timings, TIMINGS)
        now = int(np.searchsorted(rows["transfer"], transfers[-1], "right")) if len(transfers) else 0
        self._timings = [{name: column[now:] for name, column in rows.items()}]
        return {name: column[:now] for name, column in rows.items()}

    @staticmethod
    def _split(parts: list[Columns], table: str, key: str, horizon: int) -> Columns:
        rows = concatenate(parts, LAYOUT[table])
        now = rows[key] < horizon
        parts[:] = [{name: column[~now] for name, column in rows.items()}] if not now.all() else []
        return {name: column[now] for name, column in rows.items()}


def _picked(rows: Columns, which: NDArray[Any] | slice) -> Columns:
    return {name: column[which] for name, column in rows.items()}


def _merged(bus: Columns, others: Columns) -> Columns:
    """Both by sample; in one sample the bus's own come first, as their codes are the lowest."""
    if not len(others["at"]):
        return bus
    place = np.searchsorted(bus["at"], others["at"], side="right") + np.arange(len(others["at"]))
    free = np.ones(len(bus["at"]) + len(place), np.bool_)
    free[place] = False
    whole = {}
    for name, column in bus.items():
        whole[name] = np.empty(len(free), column.dtype)
        whole[name][free], whole[name][place] = column, others[name]
    return whole
