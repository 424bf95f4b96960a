"""Faults as they are declared: `late-interrupt,transfer=3+7,delay=50us`."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from tracecheck.errors import UsageError, did_you_mean
from tracecheck.rules.quantity import parse_seconds

FOREVER: Final = math.inf


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A kind of fault: what it does, in a line, and its options with their defaults (times in ns)."""

    what: str
    times: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    forever: frozenset[str] = frozenset()
    """Options that may be `forever`."""


KINDS: Final[Mapping[str, FaultKind]] = MappingProxyType(
    {
        "late-interrupt": FaultKind(
            "the NVIC delivers the transfer's interrupt late, as behind a critical section",
            times={"delay": 50_000.0},
            counts={"interrupt": 0},
        ),
        "lost-interrupt": FaultKind(
            "the NVIC does not deliver the transfer's interrupt, as when its line is disabled",
            times={"hold": FOREVER},
            counts={"interrupt": 0},
            forever=frozenset({"hold"}),
        ),
        "extra-interrupt": FaultKind(
            "the interrupt is pended once more, some time after STOP, with nothing to serve", times={"after": 100_000.0}
        ),
        "stray-interrupt": FaultKind(
            "the interrupt is pended some time after START, where the driver waits for none",
            times={"after": 10_000.0},
        ),
        "storm": FaultKind(
            "the transfer's interrupt is pended again each time its handler returns, as one left unmasked",
            counts={"interrupt": 0, "times": 40},
        ),
        "hog-executor": FaultKind(
            "another task keeps the executor when the transfer's interrupt returns",
            times={"duration": 300_000.0},
            counts={"interrupt": 0},
        ),
        "xip-cold": FaultKind(
            "the flash cache is empty at START: each line of 8 bytes fetched anew stalls the core",
            times={"miss": 1_000.0},
        ),
        "stretch": FaultKind(
            "the target holds SCL low after a byte", times={"duration": 100_000.0}, counts={"byte": 0}
        ),
        "hang-sda": FaultKind(
            "the target holds SDA low after a byte, until its time is up or it has seen so many clocks (0: any number)",
            times={"duration": 1_000_000.0},
            counts={"byte": 1, "clocks": 0},
            forever=frozenset({"duration"}),
        ),
        "nack": FaultKind("the target does not acknowledge a byte (0 is the address)", counts={"byte": 0}),
    }
)


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """One declared fault.

    `kind`       a word of KINDS
    `bus`        the bus it strikes on, "i2c0" or "i2c1"
    `transfers`  the numbers of the transfers it strikes, from 0 in the order of their STARTs; None: see `chance`
    `chance`     of striking a transfer, where no numbers are given
    `seed`       of that chance; the same seed strikes the same transfers
    `options`    of the kind, times in ns
    `text`       as written
    """

    kind: str
    bus: str
    transfers: frozenset[int] | None
    chance: float
    seed: int
    options: Mapping[str, float]
    text: str

    def strikes(self, transfer: int) -> bool:
        """Whether it strikes transfer `transfer` of its bus. Asked twice it answers the same."""
        if self.transfers is not None:
            return transfer in self.transfers
        return self.chance >= 1 or random.Random(f"{self.seed}/{self.kind}/{transfer}").random() < self.chance


def parse_fault(text: str) -> FaultSpec:
    """A fault as `--fault` takes it: KIND[,key=value...]. Raises UsageError, with what would be right."""
    kind, *pairs = (part.strip() for part in text.split(","))
    if kind not in KINDS:
        raise UsageError(f'no fault "{kind}"{did_you_mean(kind, [*KINDS])} (faults: {", ".join(KINDS)})')
    given: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not value:
            raise UsageError(f'"{pair}" in "{text}": write key=value')
        if key in given:
            raise UsageError(f'"{key}" is given twice in "{text}"')
        given[key] = value
    spec = KINDS[kind]
    known = ["transfer", "chance", "seed", "bus", *spec.times, *spec.counts]
    for key in given:
        if key not in known:
            raise UsageError(f'{kind} has no "{key}"{did_you_mean(key, known)} ({kind} takes: {", ".join(known)})')
    if "transfer" in given and "chance" in given:
        raise UsageError(f'"{text}": give transfer or chance, not both')
    if "seed" in given and "chance" not in given:
        raise UsageError(f'"{text}": a seed without a chance decides nothing; write chance=0.1,seed={given["seed"]}')
    bus = given.get("bus", "i2c0")
    if bus not in {"i2c0", "i2c1"}:
        raise UsageError(f'no bus "{bus}" (the RP2040 has i2c0 and i2c1)')
    options: dict[str, float] = {}
    for key, default in spec.times.items():
        options[key] = _time(key, given[key], key in spec.forever) if key in given else default
    for key, count in spec.counts.items():
        options[key] = _count(key, given[key]) if key in given else count
    transfers = None
    if "transfer" in given:
        transfers = frozenset(_count("transfer", number) for number in given["transfer"].split("+"))
    return FaultSpec(
        kind, bus, transfers, _chance(given.get("chance", "1")), _count("seed", given.get("seed", "0")), options, text
    )


def _time(key: str, text: str, forever: bool) -> float:
    if forever and text == "forever":
        return FOREVER
    try:
        return float(parse_seconds(text).amount * 10**9)
    except ValueError as error:
        raise UsageError(f"{key}: {error}{'; or forever' if forever else ''}") from None


def _count(key: str, text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise UsageError(
            f'{key}: "{text}" is not a number from 0 on' + (" (several: 3+7)" if key == "transfer" else "")
        )
    return int(text)


def _chance(text: str) -> float:
    try:
        chance = float(text)
    except ValueError:
        chance = math.nan
    if not 0 < chance <= 1:
        raise UsageError(f'chance: "{text}" is not above 0 and at most 1')
    return chance


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that happened: `time_ns` since reset, on transfer `transfer` of `bus`, and how, in words."""

    kind: str
    bus: str
    transfer: int
    time_ns: int
    detail: str


class FaultLog:
    """What struck, in order, and which declared faults never did."""

    def __init__(self) -> None:
        self.strikes: list[Strike] = []
        self._struck: set[str] = set()

    def note(self, spec: FaultSpec, transfer: int, now_ns: float, detail: str) -> None:
        self.strikes.append(Strike(spec.kind, spec.bus, transfer, round(now_ns), detail))
        self._struck.add(spec.text)

    def idle(self, specs: tuple[FaultSpec, ...]) -> list[FaultSpec]:
        """Those of `specs` that never struck."""
        return [spec for spec in specs if spec.text not in self._struck]
