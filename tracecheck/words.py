"""The words of the field, each set once: what tables, rules and command line call things.

Order matters: the compiled core numbers its codes in this order.
"""

from __future__ import annotations

from typing import Final

ORIGINS: Final = ("real-hardware", "emulated", "synthetic")
"""Where a capture may say it comes from."""
BYTE_KINDS: Final = ("address", "address-low", "data")
DIRECTIONS: Final = ("write", "read")
TRANSFER_DIRECTIONS: Final = ("none", "write", "read", "write-read", "mixed")
OUTCOMES: Final = ("acked", "address-nack", "data-nack", "void", "unfinished")
ADDRESS_KINDS: Final = (
    "normal",
    "general-call",
    "start-byte",
    "cbus",
    "reserved",
    "hs-controller",
    "ten-bit",
    "device-id",
)
ANOMALIES: Final = (
    "glitch",
    "simultaneous",
    "partial-byte",
    "ack-interrupted",
    "void",
    "stray-stop",
    "stray-clocks",
    "bus-recovery",
    "missing-stop",
    "begins-inside",
    "ends-inside",
    "stuck-low",
    "extra-clock",
)
FRAMING_ANOMALIES: Final = frozenset({"partial-byte", "ack-interrupted", "stray-stop", "stray-clocks", "missing-stop"})
"""The anomalies that say the bits do not add up to bytes and transfers."""
HELD_BY: Final = ("unknown", "target", "controller")
PARAMETERS: Final = (
    "fSCL",
    "tHD;STA",
    "tLOW",
    "tHIGH",
    "tSU;STA",
    "tHD;DAT",
    "tSU;DAT",
    "tSU;STO",
    "tBUF",
    "tVD;DAT",
    "tVD;ACK",
    "tSP",
    "tTIMEOUT",
    "tLOW:SEXT",
    "tLOW:MEXT",
)
"""Bus timing: the names of UM10204's timing table, then those of SMBus."""
BUS_EVENTS: Final = ("start", "restart", "stop", "address", "data", "ack", "nack")
VERDICTS: Final = ("pass", "fail", "inconclusive", "cut", "measured")
SEVERITIES: Final = ("error", "warning", "note")
TABLES: Final = ("bytes", "messages", "transfers", "markers", "anomalies", "stretches", "timings", "timeline")
"""The tables of a trace."""
TABLE_FORMATS: Final = ("csv", "jsonl", "parquet", "arrow")
BINARY_FORMATS: Final = frozenset({"parquet", "arrow"})
"""Those of them that no terminal should be sent."""
