"""Faults between controller and task: interrupts late, lost or added, a busy executor, a cold flash cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import isinf

from tracecheck.pico.bus import Bus
from tracecheck.pico.clock import Clock
from tracecheck.pico.faults.spec import FaultLog, FaultSpec
from tracecheck.pico.interrupt_line import InterruptLine
from tracecheck.pico.stall import Stall
from tracecheck.pico.xip import XipCache

_FIRST_INTERRUPT = 16


def miss_cycles(specs: Sequence[FaultSpec], cycle_ns: float) -> int | None:
    """The cycles a miss of the flash cache costs, None where no fault empties it."""
    cold = [spec for spec in specs if spec.kind == "xip-cold"]
    return round(max(spec.options["miss"] for spec in cold) / cycle_ns) if cold else None


class CpuFaults:
    """The faults of one bus that strike at its interrupts."""

    def __init__(
        self,
        specs: Sequence[FaultSpec],
        bus: Bus,
        line: InterruptLine,
        clock: Clock,
        stall: Stall,
        cache: XipCache | None,
        log: FaultLog,
    ) -> None:
        self._specs = [spec for spec in specs if spec.bus == bus.name]
        self._bus, self._line, self._clock = bus, line, clock
        self._stall, self._cache, self._log = stall, cache, log
        self._risen = 0
        self._served = -1
        self._again = 0  # how often a storm still pends the interrupt
        self._pended = self._repeats = False  # by the storm: the next one, the one being served
        bus.on_start.append(self._start)
        bus.on_stop.append(self._stop)
        line.risen = self._hold_back

    def entered(self, exception: int) -> None:
        """The core has entered an exception's handler."""
        if exception == _FIRST_INTERRUPT + self._line.irq:
            self._repeats, self._pended = self._pended, False
            self._served += not self._repeats
            self._line.cleared()

    def left(self, exception: int) -> None:
        """The core has left an exception's handler."""
        if exception != _FIRST_INTERRUPT + self._line.irq:
            return
        for spec in () if self._repeats else self._striking("storm", "hog-executor"):
            if spec.options["interrupt"] != self._served:
                continue
            if spec.kind == "storm":
                self._again = int(spec.options["times"])
                self._note(spec, f"the interrupt is pended again, {self._again} times")
            else:
                self._stall.until_ns = self._clock.now_ns + spec.options["duration"]
                self._note(spec, f"another task runs for {_us(spec.options['duration'])}")
        if self._again:
            self._again, self._pended = self._again - 1, True
            self._line.pulse()

    def _striking(self, *kinds: str) -> list[FaultSpec]:
        transfer = self._bus.transfers - 1
        if transfer < 0:
            return []  # the controller's line rises once as it is set up, before any transfer there could be a fault of
        return [spec for spec in self._specs if spec.kind in kinds and spec.strikes(transfer)]

    def _note(self, spec: FaultSpec, detail: str) -> None:
        self._log.note(spec, self._bus.transfers - 1, self._clock.now_ns, detail)

    def _start(self, transfer: int, now_ns: float) -> None:
        self._risen, self._served = 0, -1
        for spec in self._striking("stray-interrupt"):
            self._later(spec.options["after"], self._pulse(spec, transfer))
        for spec in self._striking("xip-cold"):
            if self._cache is not None:
                self._cache.flush()
                self._note(spec, f"the flash cache is empty, a miss costs {_us(spec.options['miss'])}")

    def _stop(self, transfer: int, now_ns: float) -> None:
        for spec in self._striking("extra-interrupt"):
            self._later(spec.options["after"], self._pulse(spec, transfer))

    def _pulse(self, spec: FaultSpec, transfer: int) -> Callable[[], None]:
        def pulse() -> None:
            self._log.note(spec, transfer, self._clock.now_ns, "an interrupt is pended that nothing asked for")
            self._line.pulse()

        return pulse

    def _hold_back(self) -> bool:
        number, self._risen = self._risen, self._risen + 1
        for spec in self._striking("late-interrupt", "lost-interrupt"):
            if spec.options["interrupt"] != number:
                continue
            hold = spec.options["delay" if spec.kind == "late-interrupt" else "hold"]
            if isinf(hold):
                self._note(spec, f"interrupt {number} is not delivered")
            else:
                self._note(spec, f"interrupt {number} is held back for {_us(hold)}")
                self._later(hold, partial(self._line.open, self._line.holds + 1))
            return True
        return False

    def _later(self, delay_ns: float, do: Callable[[], None]) -> None:
        self._clock.alarm(do).schedule(delay_ns)


def _us(ns: float) -> str:
    return f"{ns / 1000:g} us"
