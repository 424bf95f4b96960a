"""The wire from an I2C controller to the NVIC, where interrupts can be held back or added."""

from __future__ import annotations

from collections.abc import Callable


class InterruptLine:
    """Carries a controller's level to the NVIC.

    As at the NVIC, an interrupt once seen stays pending until its handler begins, even if the level falls before that.
    `risen` is asked whenever the level rises, with the gate open; where it answers True the gate closes: the NVIC sees
    the line low until `open`, or until the controller lets the line fall.
    """

    def __init__(self, irq: int, pend: Callable[[int, bool], None]) -> None:
        """`pend(irq, level)` sets the level of interrupt `irq` at the NVIC."""
        self.irq, self._pend = irq, pend
        self.level = False
        self.held = False
        self.holds = 0
        """Levels held back so far."""
        self._entered = True
        self.risen: Callable[[], bool] | None = None

    def set(self, level: bool) -> None:
        """The controller's level."""
        if level == self.level:
            return
        self.level = level
        if not level:
            self.held = False
            if self._entered:
                self._pend(self.irq, False)
        elif self.risen is not None and self.risen():
            self.held = True
            self.holds += 1
        else:
            self._raise()

    def _raise(self) -> None:
        self._entered = False
        self._pend(self.irq, True)

    def open(self, hold: int) -> None:
        """Let the NVIC see the level that was the `hold`th to be held back, if it still is."""
        if self.held and self.holds == hold:
            self.held = False
            self._raise()

    def pulse(self) -> None:
        """Pend the interrupt once, whatever the controller's level."""
        self._raise()

    def cleared(self) -> None:
        """The handler has begun, or the processor cleared it: what was pending is used up, a level stays."""
        self._entered = True
        self._pend(self.irq, self.level and not self.held)
