"""Derived events: `wake` and `ready`, found from the edges of the markers with the roles irq, run and pending.

wake: the first begin of `run` at or after an interrupt; several interrupts before it share that one. ready: the first
moment at or after an interrupt at which `pending` is high, which is the interrupt's own sample when it is high
already. An end of `pending` in the very sample of an interrupt counts as before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tracecheck.decoding.exchanges import Samples
from tracecheck.decoding.window import places_in

_EMPTY = np.empty(0, np.int64)


@dataclass(slots=True)
class Derived:
    """Takes edges as they come, hands out the derived events of a stretch of time that is complete.

    `codes`: event name -> code of the lane; `wake`, `ready`: codes of the derived events.
    """

    codes: dict[str, int]
    wake: int
    ready: int
    pending_active: bool
    _edges: dict[int, list[Samples]] = field(init=False)
    _armed: bool = field(init=False, default=False)
    _waiting: bool = field(init=False, default=False)
    _level: int = field(init=False)

    def __post_init__(self) -> None:
        names = {"irq.begin"} if {"wake", "ready"} & self.codes.keys() else set()
        names |= {"run.begin"} if "wake" in self.codes else set()
        names |= {"pending.begin", "pending.end"} if "ready" in self.codes else set()
        self._edges = {self.codes[name]: [] for name in names}
        self._level = int(self.pending_active)

    def take(self, at: Samples, code: int) -> None:
        """Remember the edges of one code, if anything is derived from them."""
        if code in self._edges and len(at):
            self._edges[code].append(at)

    def before(self, limit: int) -> list[tuple[Samples, int]]:
        """(samples, code) of the derived events before sample `limit`; all edges before it have been taken."""
        found: list[tuple[Samples, int]] = []
        if not self._edges:
            return found
        now = {code: self._until(code, limit) for code in self._edges}
        irqs = now[self.codes["irq.begin"]]
        if "wake" in self.codes:
            wakes, self._armed = first_after(irqs, now[self.codes["run.begin"]], armed=self._armed)
            found.append((wakes, self.wake))
        if "ready" in self.codes:
            readies = self._readies(irqs, now[self.codes["pending.begin"]], now[self.codes["pending.end"]])
            found.append((readies, self.ready))
        return found

    def _until(self, code: int, limit: int) -> Samples:
        parts = self._edges[code]
        edges = np.concatenate(parts) if parts else _EMPTY
        n = int(np.searchsorted(edges, limit))
        self._edges[code] = [edges[n:]] if n < len(edges) else []
        return edges[:n]

    def _readies(self, irqs: Samples, begins: Samples, ends: Samples) -> Samples:
        level = places_in(begins, irqs, "right") - places_in(ends, irqs, "right") + self._level
        self._level += len(begins) - len(ends)
        later, self._waiting = first_after(irqs[level <= 0], begins, armed=self._waiting)
        return _once(np.sort(np.concatenate([later, irqs[level > 0]]), kind="stable"))


def first_after(causes: Samples, effects: Samples, *, armed: bool) -> tuple[Samples, bool]:
    """The first effect at or after each cause, each once; `armed`: a cause is still waiting from before."""
    index = places_in(effects, causes, "left")
    if armed:
        index = np.concatenate([[0], index])
    answered = _once(index[: np.searchsorted(index, len(effects))])
    return effects[answered], bool(len(index) and index[-1] == len(effects))


def _once(ascending: Samples) -> Samples:
    """Each value of an ascending array once."""
    return ascending[np.diff(ascending, prepend=-1) > 0]
