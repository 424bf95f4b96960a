"""Tells a firmware that crashed and stands still from one that is busy: panic-halt's endless loop looks like work.

Importing this module needs rp2040py; `emulate` does it when a recording is asked for.
"""

from __future__ import annotations

import re
from typing import Final

from tracecheck.pico.chip import Chip, Halt
from tracecheck.pico.core import FIRST_INTERRUPT

_PANICS: Final = re.compile(r"rust_begin_unwind|core::panicking::|panic_impl|(^|::)panic$")
_HARD_FAULT: Final = 3


def check(chip: Chip) -> None:
    """The core has branched to where it was. Raises Halt unless an interrupt may get it out of there."""
    check_function(chip)
    number = chip.core.ipsr
    if number == _HARD_FAULT:
        raise Halt("an endless loop in the handler of HardFault")
    if number >= FIRST_INTERRUPT:
        raise Halt(
            f"an endless loop in the handler of interrupt {number - FIRST_INTERRUPT}: was it enabled without a handler "
            "of its own?"
        )
    if number == 0 and chip.core.pm:
        raise Halt("an endless loop with interrupts disabled")


def check_function(chip: Chip) -> None:
    """Raises Halt where the core is in a panic handler."""
    name = chip.firmware.function_at(chip.core.pc)
    if name is not None and _PANICS.search(name):
        raise Halt("it panicked: this is its panic handler, which never returns")
