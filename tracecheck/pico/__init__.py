"""The emulated Pico: runs a firmware's own driver and executor on a model of the chip, and records its pins.

`emulate.emulate` is the way in. The chip is the package rp2040py's (the extra `tracecheck[pico]`), loaded when a
recording is made; the I2C controllers, the bus, its devices and what goes wrong on it are modelled here.
"""
