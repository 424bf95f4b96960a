"""The RP2040's I2C controller (Synopsys DW_apb_i2c), as master: registers, FIFOs, interrupts, bits on the bus.

Source: RP2040 data sheet, 4.3. What the data sheet leaves open is decided in ASSUMPTIONS and said in every recording.
"""

from __future__ import annotations

from tracecheck.pico.controller.model import Controller
from tracecheck.pico.controller.shifter import ASSUMPTIONS

__all__ = ["ASSUMPTIONS", "Controller"]
