"""A lane: one bus, its markers, and what happened on them, in order.

Rules are judged lane by lane. A lane takes decoded rows as they come and releases `Window`s: stretches of time whose
exchanges have all closed, so that whatever is judged in a window never depends on how the input was cut. Rules that
span exchanges carry what they need from window to window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tracecheck import words
from tracecheck.decoding.derived import Derived
from tracecheck.decoding.exchanges import FOREVER, VOID, Exchanges, Samples, closing
from tracecheck.decoding.markers import MarkerRows
from tracecheck.decoding.merge import EVENTS, interleaved, kept, owned, picked
from tracecheck.decoding.rows import LAYOUT, TIMINGS, Columns, concatenate
from tracecheck.decoding.window import ANOMALY_CODE, DERIVED_CODE, WIRE, Codes, Window
from tracecheck.decoding.wiring import MarkerWire

MAX_HELD = 1 << 22
"""Events held back for one open exchange; beyond it the exchange is judged inconclusive, so memory stays bounded."""

WAKE, READY = DERIVED_CODE, DERIVED_CODE + 1
MARKER_CODE = 64
ANNOTATION_CODE = 1 << 13
"""The first of what sigrok's decoders say of the bus. In one sample it comes after what the bus itself does."""
BUS_CODES = {name: code for code, name in enumerate(words.BUS_EVENTS)}
START, RESTART, STOP = BUS_CODES["start"], BUS_CODES["restart"], BUS_CODES["stop"]
_BEGINS_INSIDE, _ENDS_INSIDE = (words.ANOMALIES.index(name) for name in ("begins-inside", "ends-inside"))

_NO_CODES = np.empty(0, np.int16)


@dataclass(frozen=True, slots=True)
class LaneMarker:
    """A marker as a lane sees it: `role` is irq, pending, run or None; `initially_active` as its decoder found it."""

    name: str
    role: str | None = None
    initially_active: bool = False
    point: bool = False
    """A pulse-count code: an instant rather than an interval for the rules."""


def lane_markers(wires: Sequence[MarkerWire], active: Mapping[str, bool]) -> tuple[LaneMarker, ...]:
    """Markers as a lane sees them; `active`: by name, whether they begin so."""
    return tuple(LaneMarker(m.name, m.role, active.get(m.name, False), m.coding == "pulse-count") for m in wires)


@dataclass(slots=True)
class _Abandoned:
    """The latest exchange that was given up for its size: what is on the lane from `start` on is its, until `close`."""

    transfer: int
    start: int
    close: int = FOREVER


@dataclass(slots=True)
class Lane:
    """Collects rows of one bus and its markers; releases windows. `settle` in samples.

    `said`: events that decoders found beforehand in all of the capture, each with its samples, ascending. `max_held`:
    in place of `MAX_HELD`.
    """

    bus: str | None
    markers: tuple[LaneMarker, ...]
    settle: int
    said: Mapping[str, Samples] = field(default_factory=dict)
    max_held: int | None = None
    codes: dict[str, int] = field(init=False)
    _bus: list[Columns] = field(init=False, default_factory=list)
    """Events of the bus that are held back, in order."""
    _others: list[Columns] = field(init=False, default_factory=list)
    """Anomalies, markers and derived events that are held back; each part in order."""
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
    _told: int = field(init=False, default=0)
    """Up to this sample what decoders said is held, or was released."""

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
        self.codes |= {event: ANNOTATION_CODE + i for i, event in enumerate(self.said)}
        roles = {m.role for m in self.markers}
        if {"irq", "run"} <= roles:
            self.codes["wake"] = WAKE
        if {"irq", "pending"} <= roles:
            self.codes["ready"] = READY
        active = {m.role: m.initially_active for m in self.markers}.get("pending", False)
        self._derived = Derived(self.codes, WAKE, READY, pending_active=active)

    @property
    def held_from(self) -> int:
        """The transfers from this sample on have not been in a window yet."""
        held = (int(part["start"].min()) for part in self._transfers if len(part["start"]))
        return min([self._released, *held])

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
        self._take_said(FOREVER if final else watermark)
        return self._release(watermark, synced, final=final, cut_short=final and end is not None and watermark < end)

    def _take_bus(self, rows: dict[str, Columns]) -> None:
        events, anomalies = rows["events"], rows["anomalies"]
        if len(events["at"]):
            self._bus.append({"at": events["at"], "code": events["kind"].astype(np.int16), "own": events["transfer"]})
        if len(anomalies["at"]):
            code = anomalies["kind"].astype(np.int16) + np.int16(ANOMALY_CODE)
            found = {"at": anomalies["at"], "code": code, "own": anomalies["transfer"]}
            self._others.append(picked(found, np.lexsort((code, anomalies["at"]))))
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

    def _take_said(self, until: int) -> None:
        """What decoders said of the samples before `until`."""
        for event, at in self.said.items():
            first, last = np.searchsorted(at, (self._told, until))
            self._hold(at[first:last], self.codes[event])
        self._told = max(self._told, until)

    def _hold(self, at: Samples, code: int) -> None:
        if len(at):
            n = len(at)
            self._others.append({"at": at, "code": np.full(n, code, np.int16), "own": np.full(n, -1, np.int64)})

    def _release(self, watermark: int, synced: int, *, final: bool, cut_short: bool) -> Window | None:
        transfers = concatenate(self._transfers, LAYOUT["transfers"])
        self._transfers = [transfers] if len(transfers["start"]) else []
        horizon = FOREVER if final else self._horizon(transfers, watermark)
        if horizon <= self._released:
            most = MAX_HELD if self.max_held is None else self.max_held
            if sum(len(part["at"]) for part in (*self._bus, *self._others)) <= most or watermark <= self._released:
                return None
            horizon = watermark
            self._give_up(watermark)
        now = transfers["start"] < horizon
        released = {name: column[now] for name, column in transfers.items()}
        released["after"] = self._outcomes_before(released)
        self._transfers = [{name: column[~now] for name, column in transfers.items()}] if not now.all() else []
        following = transfers["start"][~now & (transfers["outcome"] != VOID)]
        exchanges = Exchanges(released, self.settle, int(following[0]) if len(following) else FOREVER)
        events, ahead = self._ordered(horizon, watermark, released, exchanges)
        if self._adrift >= 0 and self._aligned == FOREVER:
            restarts = events["at"][(events["code"] == RESTART) & (events["own"] == self._adrift)]
            self._aligned = int(restarts[0]) if len(restarts) else FOREVER
        window = Window(
            begin=self._released,
            end=watermark if final else horizon,
            at=events["at"],
            code=events["code"],
            own=events["own"],
            owner=events["owner"],
            own_row=events["own_row"],
            owner_row=events["owner_row"],
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
        kept = np.ones(len(start), np.bool_)
        if self._given_up:
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
            later = np.flatnonzero(part["own"] > self._last_transfer)
            opens = later[part["code"][later] == START]
            if len(opens):
                earliest = min(earliest, int(part["at"][opens[0]]))
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

    def _ordered(self, horizon: int, watermark: int, transfers: Columns, exchanges: Exchanges) -> tuple[Columns, Codes]:
        """Columns of the events before `horizon`, and the codes of what is no transfer's own in its sample."""
        bus = concatenate(self._bus, EVENTS)
        if (bus["at"][1:] <= bus["at"][:-1]).any():
            bus = picked(bus, np.lexsort((bus["code"], bus["at"])))
        first = int(np.searchsorted(bus["at"], horizon))
        self._bus = [kept(bus, first)] if first < len(bus["at"]) else []
        cuts = [np.searchsorted(part["at"], (horizon, horizon + (horizon < FOREVER))).tolist() for part in self._others]
        here = [picked(part, slice(*cut)) for part, cut in zip(self._others, cuts, strict=True)]
        # What is said in the sample of a START is said after it.
        free = [part["code"][(part["own"] < 0) & (part["code"] < ANNOTATION_CODE)] for part in here]
        ahead = free if horizon < watermark else []
        between = interleaved([picked(part, slice(0, cut)) for part, (cut, _) in zip(self._others, cuts, strict=True)])
        later = [kept(part, cut) for part, (cut, _) in zip(self._others, cuts, strict=True)]
        self._others = [part for part in (interleaved(later),) if len(part["at"])]
        if self.said:
            between["own"] = _told_of(between, transfers)
        events = owned(picked(bus, slice(0, first)), between, transfers, exchanges)
        if self._abandoned is not None:
            self._adopt(self._abandoned, events, transfers, exchanges)
        return events, np.sort(np.concatenate([_NO_CODES, *ahead]))

    def _adopt(self, gone: _Abandoned, events: Columns, transfers: Columns, exchanges: Exchanges) -> None:
        """What no exchange holds is the abandoned one's, as long as it lasts."""
        row = np.flatnonzero(transfers["transfer"] == gone.transfer)
        if len(row):
            gone.close = int(closing(transfers["end"][row], self.settle)[0])
        later = exchanges.start[exchanges.start > gone.start]
        until = min(gone.close, int(later[0]) if len(later) else FOREVER)
        free = (events["own"] < 0) | (events["code"] >= ANOMALY_CODE)
        mine = (events["owner"] < 0) & free & (events["at"] >= gone.start) & (events["at"] < until)
        events["owner"][mine], events["owner_row"][mine] = gone.transfer, row[0] if len(row) else -1
        if len(later):
            self._abandoned = None

    def _timings_of(self, transfers: Samples) -> Columns | None:
        """What was measured of these transfers, the next ones in order; the rest is kept."""
        if self._timings is None:
            return None
        rows = concatenate(self._timings, TIMINGS)
        now = int(np.searchsorted(rows["transfer"], transfers[-1], "right")) if len(transfers) else 0
        self._timings = [kept(rows, now)]
        return {name: column[:now] for name, column in rows.items()}

    @staticmethod
    def _split(parts: list[Columns], table: str, key: str, horizon: int) -> Columns:
        rows = concatenate(parts, LAYOUT[table])
        now = rows[key] < horizon
        parts[:] = [{name: column[~now] for name, column in rows.items()}] if not now.all() else []
        return {name: column[now] for name, column in rows.items()}


def _told_of(events: Columns, transfers: Columns) -> Samples:
    """`own` with the transfer that each annotation lies in: what is said of one is part of it."""
    real = transfers["outcome"] != VOID
    start, end, ids = (transfers[name][real] for name in ("start", "end", "transfer"))
    at, code = events["at"], events["code"]
    row = np.searchsorted(start, at, "right") - 1
    inside = (code >= ANNOTATION_CODE) & (row >= 0) & (at <= np.append(end, -1)[row])
    return np.where(inside, np.append(ids, -1)[row], events["own"])
