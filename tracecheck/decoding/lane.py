"""A lane: one bus, its markers, and what happened on them, in order.

Rules are judged lane by lane. A lane takes decoded rows as they come and releases `Window`s: stretches of time whose
exchanges have all closed, so that whatever is judged in a window never depends on how the input was cut. Rules that
span exchanges carry what they need from window to window.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tracecheck import words
from tracecheck.decoding.exchanges import FOREVER, VOID, Exchanges
from tracecheck.decoding.markers import MarkerRows
from tracecheck.decoding.rows import LAYOUT, Columns, concatenate

MAX_HELD = 1 << 22
"""Events held back for one open exchange; beyond it the exchange is judged inconclusive, so memory stays bounded."""

ANOMALY_CODE = 16
WAKE, READY = 40, 41
MARKER_CODE = 64
BUS_CODES = {name: code for code, name in enumerate(words.BUS_EVENTS)}
START, RESTART, STOP = BUS_CODES["start"], BUS_CODES["restart"], BUS_CODES["stop"]

_EVENTS = {"at": np.int64, "code": np.int16, "transfer": np.int64}


@dataclass(frozen=True, slots=True)
class LaneMarker:
    """A marker as a lane sees it: `role` is irq, pending, run or None; `initially_active` as its decoder found it."""

    name: str
    role: str | None = None
    initially_active: bool = False
    point: bool = False
    """A pulse-count code: an instant rather than an interval for the rules."""


@dataclass(frozen=True, slots=True)
class Window:
    """Events [begin, end) of a lane whose exchanges have all closed, and those exchanges.

    `at`, `code`, `transfer`: ascending by sample; `transfer` is the event's own (bus events) or the one whose exchange
    holds it (markers, derived events), -1 for none. `transfers` has every transfer that started in the window;
    `exchanges` indexes it. `cut_end`: the capture ended inside the last exchange; `overflow`: ids of exchanges that
    were given up for their size.
    """

    begin: int
    end: int
    at: NDArray[np.int64]
    code: NDArray[np.int16]
    transfer: NDArray[np.int64]
    transfers: Columns
    exchanges: Exchanges
    stretches: Columns
    anomalies: Columns
    final: bool
    synced: int
    overflow: frozenset[int] = frozenset()

    def of(self, code: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Samples and transfers of all events of one code."""
        mine = self.code == code
        return self.at[mine], self.transfer[mine]

    def rows_of(self, transfer: NDArray[np.int64]) -> NDArray[np.int64]:
        """Row in `transfers` of each transfer id, -1 where it is not of this window."""
        ids = self.transfers["transfer"]
        if not len(ids):
            return np.full(len(transfer), -1, np.int64)
        row = np.minimum(np.searchsorted(ids, transfer), len(ids) - 1)
        return np.where(ids[row] == transfer, row, -1)


@dataclass(slots=True)
class _Derived:
    """wake: the first begin of `run` after an interrupt; ready: the first moment `pending` is high after one."""

    armed: bool = False
    waiting: bool = False
    active: int = 0
    started: bool = False


@dataclass(slots=True)
class Lane:
    """Collects rows of one bus and its markers; releases windows. `settle` in samples."""

    bus: str | None
    markers: tuple[LaneMarker, ...]
    settle: int
    codes: dict[str, int] = field(init=False)
    _held: list[Columns] = field(init=False, default_factory=list)
    _transfers: list[Columns] = field(init=False, default_factory=list)
    _stretches: list[Columns] = field(init=False, default_factory=list)
    _anomalies: list[Columns] = field(init=False, default_factory=list)
    _released: int = field(init=False, default=0)
    _derived: _Derived = field(init=False, default_factory=_Derived)
    _last_transfer: int = field(init=False, default=-1)
    _given_up: set[int] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.codes = dict(BUS_CODES)
        self.codes |= {name: ANOMALY_CODE + i for i, name in enumerate(words.ANOMALIES)}
        for i, marker in enumerate(self.markers):
            begin, end = MARKER_CODE + 2 * i, MARKER_CODE + 2 * i + 1
            for name in {marker.name, marker.role or marker.name}:
                self.codes |= {name: begin, f"{name}.begin": begin, f"{name}.end": end}
        roles = {m.role for m in self.markers}
        if {"irq", "run"} <= roles:
            self.codes["wake"] = WAKE
        if {"irq", "pending"} <= roles:
            self.codes["ready"] = READY

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
        final: bool = False,
    ) -> Window | None:
        """Take new rows; every event before sample `watermark` has been fed by now. A window, if one closed."""
        if rows is not None:
            self._take_bus(rows)
        for i, marker in enumerate(self.markers):
            if (new := markers.get(marker.name)) is not None:
                self._hold(new.begins, MARKER_CODE + 2 * i)
                self._hold(new.ends, MARKER_CODE + 2 * i + 1)
        return self._release(watermark, synced, final)

    def _take_bus(self, rows: dict[str, Columns]) -> None:
        events, anomalies = rows["events"], rows["anomalies"]
        if len(events["at"]):
            self._held.append(
                {"at": events["at"], "code": events["kind"].astype(np.int16), "transfer": events["transfer"]}
            )
        if len(anomalies["at"]):
            code = anomalies["kind"].astype(np.int16) + np.int16(ANOMALY_CODE)
            self._held.append({"at": anomalies["at"], "code": code, "transfer": anomalies["transfer"]})
            self._anomalies.append(anomalies)
        if len(rows["transfers"]["start"]):
            self._transfers.append(rows["transfers"])
            self._last_transfer = int(rows["transfers"]["transfer"][-1])
        if len(rows["stretches"]["begin"]):
            self._stretches.append(rows["stretches"])

    def _hold(self, at: NDArray[np.int64], code: int) -> None:
        if len(at):
            n = len(at)
            self._held.append({"at": at, "code": np.full(n, code, np.int16), "transfer": np.full(n, -1, np.int64)})

    def _release(self, watermark: int, synced: int, final: bool) -> Window | None:
        transfers = concatenate(self._transfers, LAYOUT["transfers"])
        self._transfers = [transfers] if len(transfers["start"]) else []
        horizon = FOREVER if final else self._horizon(transfers, watermark)
        if horizon <= self._released:
            if sum(len(part["at"]) for part in self._held) <= MAX_HELD:
                return None
            horizon = watermark
            self._give_up()
        now = transfers["start"] < horizon
        released = {name: column[now] for name, column in transfers.items()}
        self._transfers = [{name: column[~now] for name, column in transfers.items()}] if not now.all() else []
        following = int(transfers["start"][~now][0]) if not now.all() else FOREVER
        exchanges = Exchanges(released, self.settle, following)
        at, code, owner = self._ordered(horizon, exchanges)
        window = Window(
            begin=self._released,
            end=watermark if final else horizon,
            at=at,
            code=code,
            transfer=owner,
            transfers=released,
            exchanges=exchanges,
            stretches=self._split(self._stretches, "stretches", "begin", horizon),
            anomalies=self._split(self._anomalies, "anomalies", "at", horizon),
            final=final,
            synced=synced,
            overflow=frozenset(self._given_up),
        )
        self._released = horizon
        return window

    def _horizon(self, transfers: Columns, watermark: int) -> int:
        """Up to where every exchange has closed."""
        limit = min(watermark, self._open_start())
        opens = np.flatnonzero((transfers["outcome"] != VOID) & (transfers["start"] < limit))
        if not len(opens):
            return limit
        last = opens[-1]
        end = int(transfers["end"][last])
        settled = FOREVER if self.settle >= FOREVER - end else end + self.settle
        # The last exchange is closed by time alone; all before it are closed by its START.
        return limit if settled <= limit else int(transfers["start"][last])

    def _open_start(self) -> int:
        """START of the earliest transfer whose row has not come yet."""
        earliest = FOREVER
        for part in self._held:
            later = (part["code"] == START) & (part["transfer"] > self._last_transfer)
            if later.any():
                earliest = min(earliest, int(part["at"][later][0]))
        return earliest

    def _give_up(self) -> None:
        """Release what is held although its exchange is open: from now on that exchange is inconclusive."""
        started = [int(p["transfer"][p["code"] == START][-1]) for p in self._held if (p["code"] == START).any()]
        self._given_up |= {max(started, default=self._last_transfer)}

    def _ordered(
        self, horizon: int, exchanges: Exchanges
    ) -> tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.int64]]:
        held = concatenate(self._held, _EVENTS)
        now = held["at"] < horizon
        self._held = [{name: column[~now] for name, column in held.items()}] if not now.all() else []
        at, code, owner = (held["at"][now], held["code"][now], held["transfer"][now].copy())
        order = np.lexsort((code, at))
        at, code, owner = at[order], code[order], owner[order]
        marked = code >= MARKER_CODE
        if marked.any():
            owner[marked] = exchanges.owner(at[marked])
            more = self._derive(at, code, exchanges)
            if len(more[0]):
                at, code, owner = (np.concatenate(pair) for pair in zip((at, code, owner), more, strict=True))
                order = np.lexsort((code, at))
                at, code, owner = at[order], code[order], owner[order]
        return at, code, owner

    def _derive(
        self, at: NDArray[np.int64], code: NDArray[np.int16], exchanges: Exchanges
    ) -> tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.int64]]:
        irqs = self._begins("irq", at, code)
        state = self._derived
        wakes, readies = np.empty(0, np.int64), np.empty(0, np.int64)
        if "wake" in self.codes:
            wakes, state.armed = _first_after(irqs, self._begins("run", at, code), state.armed)
        if "ready" in self.codes:
            begins, ends = (self._begins("pending", at, code), self._ends("pending", at, code))
            if not state.started:
                state.active = int(next(m.initially_active for m in self.markers if m.role == "pending"))
                state.started = True
            up = np.searchsorted(begins, irqs, side="right") - np.searchsorted(ends, irqs, side="right") + state.active
            readies, state.waiting = _first_after(irqs[up <= 0], begins, state.waiting)
            # Already high when the interrupt came: that is "ready" at once.
            readies = np.union1d(readies, irqs[up > 0])
            state.active += len(begins) - len(ends)
        found = np.concatenate([wakes, readies])
        codes = np.concatenate([np.full(len(wakes), WAKE, np.int16), np.full(len(readies), READY, np.int16)])
        return found, codes, exchanges.owner(found)

    def _begins(self, role: str, at: NDArray[np.int64], code: NDArray[np.int16]) -> NDArray[np.int64]:
        return at[code == self.codes[f"{role}.begin"]]

    def _ends(self, role: str, at: NDArray[np.int64], code: NDArray[np.int16]) -> NDArray[np.int64]:
        return at[code == self.codes[f"{role}.end"]]

    @staticmethod
    def _split(parts: list[Columns], table: str, key: str, horizon: int) -> Columns:
        rows = concatenate(parts, LAYOUT[table])
        now = rows[key] < horizon
        parts[:] = [{name: column[~now] for name, column in rows.items()}] if not now.all() else []
        return {name: column[now] for name, column in rows.items()}


def _first_after(causes: NDArray[np.int64], effects: NDArray[np.int64], armed: bool) -> tuple[NDArray[np.int64], bool]:
    """The first effect at or after each cause, each once; `armed`: a cause is still waiting from before."""
    index = np.searchsorted(effects, causes, side="left")
    if armed:
        index = np.concatenate([[0], index])
    answered = np.unique(index[index < len(effects)])
    return effects[answered], bool(len(index) and index[-1] == len(effects))
