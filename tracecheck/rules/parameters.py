"""The timing parameters of a bus: what bounds each can have, the values of UM10204's modes and of SMBus, and their why.

UM10204 (I2C-bus specification), table 10 for Standard-mode, Fast-mode and Fast-mode Plus; System Management Bus
specification for the time-outs and the slowest clock. High-speed mode is not here: its analyzers are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from tracecheck.rules.quantity import Quantity, parse_frequency, parse_quantity
from tracecheck.words import PARAMETERS

Side = Literal["min", "max"]
Line = Literal["scl", "sda"]
Limits = Mapping[str, Mapping[Side, Quantity]]
"""Parameter to its bounds. Those of fSCL are frequencies, here and in files."""

FREQUENCY: Final = "fSCL"
ONLY_MAX: Final = ("tVD;DAT", "tVD;ACK", "tSP", "tTIMEOUT", "tLOW:SEXT", "tLOW:MEXT")
"""Late data, spikes and a held clock can be too much, never too little."""

MODES: Final = ("standard", "fast", "fast-plus", "smbus")
AUTO: Final = "auto"
SPEEDS: Final = ("standard", "fast", "fast-plus")
"""The modes that "auto" chooses from, by the fastest clock of each."""


def _table(**rows: tuple[str | None, str | None]) -> Limits:
    names = {name.replace(";", "_").replace(":", "_"): name for name in PARAMETERS}
    found: dict[str, Mapping[Side, Quantity]] = {}
    for key, (low, high) in rows.items():
        parse = parse_frequency if key == FREQUENCY else parse_quantity
        bounds: dict[Side, Quantity] = {}
        if low is not None:
            bounds["min"] = parse(low)
        if high is not None:
            bounds["max"] = parse(high)
        found[names[key]] = MappingProxyType(bounds)
    return MappingProxyType(found)


LIMITS: Final[Mapping[str, Limits]] = MappingProxyType(
    {
        "standard": _table(
            fSCL=(None, "100kHz"),
            tHD_STA=("4us", None),
            tLOW=("4.7us", None),
            tHIGH=("4us", None),
            tSU_STA=("4.7us", None),
            tHD_DAT=("0us", None),
            tSU_DAT=("250ns", None),
            tSU_STO=("4us", None),
            tBUF=("4.7us", None),
            tVD_DAT=(None, "3.45us"),
            tVD_ACK=(None, "3.45us"),
        ),
        "fast": _table(
            fSCL=(None, "400kHz"),
            tHD_STA=("600ns", None),
            tLOW=("1.3us", None),
            tHIGH=("600ns", None),
            tSU_STA=("600ns", None),
            tHD_DAT=("0us", None),
            tSU_DAT=("100ns", None),
            tSU_STO=("600ns", None),
            tBUF=("1.3us", None),
            tVD_DAT=(None, "900ns"),
            tVD_ACK=(None, "900ns"),
            tSP=(None, "50ns"),
        ),
        "fast-plus": _table(
            fSCL=(None, "1MHz"),
            tHD_STA=("260ns", None),
            tLOW=("500ns", None),
            tHIGH=("260ns", None),
            tSU_STA=("260ns", None),
            tHD_DAT=("0us", None),
            tSU_DAT=("50ns", None),
            tSU_STO=("260ns", None),
            tBUF=("500ns", None),
            tVD_DAT=(None, "450ns"),
            tVD_ACK=(None, "450ns"),
            tSP=(None, "50ns"),
        ),
        "smbus": _table(
            fSCL=("10kHz", None),
            tTIMEOUT=(None, "25ms"),
            tLOW_SEXT=(None, "25ms"),
            tLOW_MEXT=(None, "10ms"),
        ),
    }
)

WHY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "fSCL": "The clock is outside what devices of this mode must follow: set another bus frequency.",
        "tHD;STA": "The clock falls too soon after START: a device that is busy may miss the START.",
        "tLOW": "SCL is low too shortly for slow devices to put out their next bit.",
        "tHIGH": "SCL is high too shortly for slow devices to take the bit; slow rise times make it worse.",
        "tSU;STA": "The repeated START follows too soon on SCL's rise: a device may miss it or take it for data.",
        "tHD;DAT": "SDA must not change before SCL has fallen: devices would take it for START or STOP.",
        "tSU;DAT": "SDA changes too shortly before SCL rises: receivers may take the old bit.",
        "tSU;STO": "The STOP follows too soon on SCL's rise: a device may miss it and wait for more.",
        "tBUF": "The next START follows too soon on STOP: a device may not have let go of the last transfer.",
        "tVD;DAT": "The target puts out its data too late after SCL's fall for a controller at full speed.",
        "tVD;ACK": "The target acknowledges too late after SCL's fall for a controller at full speed.",
        "tSP": "A spike that is wider than what devices must suppress may count as a clock or a bit.",
        "tTIMEOUT": "SMBus devices may reset when SCL is low for 25 ms and must by 35 ms: others on the bus may have.",
        "tLOW:SEXT": "The target holds the clock for longer in one transfer than SMBus lets it.",
        "tLOW:MEXT": "The controller holds the clock for longer within one byte than SMBus lets it.",
    }
)
"""What a failure means, where the rule does not say."""

TOLERANCE: Final = 10
"""Per cent by which a clock may exceed a mode's and still be meant for it, when the mode is found by the clock."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Which rising edges bound a parameter.

    A rise is seen where the analyzer's one threshold lies, the specification means 30 % or 70 % of VDD. `longer`: the
    lines whose rise makes what is seen longer than what is meant, by up to their rise time; `shorter`: likewise.
    """

    longer: tuple[Line, ...] = ()
    shorter: tuple[Line, ...] = ()


RISES: Final[Mapping[str, Edges]] = MappingProxyType(
    {
        "tLOW": Edges(("scl",)),  # ends when SCL reaches 30 %
        "tHIGH": Edges(("scl",)),  # begins when SCL reaches 70 %
        "tSU;STA": Edges(("scl",)),
        "tHD;DAT": Edges(("sda",)),  # a bit begins to change at 30 %
        "tSU;DAT": Edges(("scl", "sda")),  # from where SDA is valid (70 %) to where SCL begins to rise (30 %)
        "tSU;STO": Edges(("scl", "sda")),
        "tBUF": Edges(("sda",)),
        "tVD;DAT": Edges((), ("sda",)),  # valid at 70 %, seen before
        "tVD;ACK": Edges(),  # an ACK is a fall
        "tTIMEOUT": Edges(("scl",)),
    }
)
