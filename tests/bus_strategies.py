"""Buses to test decoders on: traces of two lines, drawn by hypothesis, spelled as text, or built from bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

UNITS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


@dataclass(frozen=True)
class Bus:
    """Levels of SCL and SDA, one a sample, and how they lie in a word."""

    scl: tuple[int, ...]
    sda: tuple[int, ...]
    begin: int = 0
    unit: int = 1
    scl_bit: int = 0
    sda_bit: int = 1
    other: tuple[int, ...] = ()
    """Samples at which some other line of the word changes."""

    @property
    def end(self) -> int:
        return self.begin + len(self.scl)

    def edges(self) -> tuple[NDArray[np.int64], NDArray[Any], int]:
        """Changes of the word: samples, words, and the first word."""
        kind = UNITS[self.unit]
        words = (np.array(self.scl, kind) << kind(self.scl_bit)) | (np.array(self.sda, kind) << kind(self.sda_bit))
        third = next(bit for bit in range(8 * self.unit) if bit not in (self.scl_bit, self.sda_bit))
        for sample in self.other:
            words[sample:] ^= kind(1 << third)
        at = np.flatnonzero(words[1:] != words[:-1]) + 1
        return at.astype(np.int64) + self.begin, words[at], int(words[0])


def drawn(scl: str, sda: str, begin: int = 0) -> Bus:
    """A bus from two rows of text: `~` and `_` for high and low, other characters repeat the level before."""
    levels: list[tuple[int, ...]] = []
    for line in (scl, sda):
        out: list[int] = []
        for mark in line:
            out.append(1 if mark == "~" else 0 if mark == "_" else out[-1])
        levels.append(tuple(out))
    assert len(levels[0]) == len(levels[1])
    return Bus(levels[0], levels[1], begin)


class Pen:
    """Writes a bus as a controller would: SDA changes `setup` samples after the SCL fall, `low` and `high` long."""

    def __init__(self, low: int = 4, high: int = 4, setup: int = 1) -> None:
        self.low, self.high, self.setup = low, high, setup
        self.scl: list[int] = []
        self.sda: list[int] = []

    def hold(self, scl: int, sda: int, samples: int) -> Pen:
        self.scl += [scl] * samples
        self.sda += [sda] * samples
        return self

    def idle(self, samples: int = 8) -> Pen:
        return self.hold(1, 1, samples)

    def last(self) -> int:
        return self.sda[-1] if self.sda else 1

    def clock(self, level: int, *, low: int | None = None, setup: int | None = None) -> Pen:
        """One SCL pulse that carries `level`; `low` and `setup` other than usual make a stretch."""
        low = self.low if low is None else low
        setup = min(self.setup if setup is None else setup, low)
        return self.hold(0, self.last(), setup).hold(0, level, low - setup).hold(1, level, self.high)

    def start(self) -> Pen:
        """START, or repeated START when the clock has run."""
        if self.scl and not (self.scl[-1] and self.sda[-1]):
            self.hold(0, self.last(), self.setup).hold(0, 1, self.low - self.setup)
        return self.hold(1, 1, self.high).hold(1, 0, self.high)

    def byte(self, value: int, ack: int | None = 0) -> Pen:
        """Eight bits and the level of the ACK; None leaves its clock out."""
        for k in range(7, -1, -1):
            self.clock(value >> k & 1)
        return self if ack is None else self.clock(ack)

    def stop(self) -> Pen:
        return self.clock(0).hold(1, 1, self.high)

    def message(self, *values: int) -> Pen:
        """START and bytes, all acknowledged."""
        self.start()
        for value in values:
            self.byte(value)
        return self

    def bus(self, begin: int = 0) -> Bus:
        return Bus(tuple(self.scl), tuple(self.sda), begin)


ADDRESSES = st.one_of(
    st.integers(0, 255),
    st.sampled_from([0x00, 0x01, 0x02, 0x05, 0x07, 0x08, 0x0F, 0xF0, 0xF1, 0xF2, 0xF3, 0xF6, 0xF7, 0xF8, 0xFE]),
)
BYTES = st.tuples(ADDRESSES, st.sampled_from([0, 0, 0, 1, None]))
MESSAGES = st.lists(BYTES, max_size=4)
SHORT = st.integers(1, 5)


@st.composite
def ten_bit_reads(draw: st.DrawFn) -> list[list[tuple[int, int | None]]]:
    """A 10-bit write and the read that follows it, now and then with other high bits."""
    high, low = draw(st.integers(0, 3)), draw(st.integers(0, 255))
    other = draw(st.sampled_from([high, high, 3 - high]))
    write: list[tuple[int, int | None]] = [(0xF0 | high << 1, 0), (low, draw(st.sampled_from([0, 0, 1])))]
    return [write, [(0xF1 | other << 1, 0), *draw(MESSAGES)]]


@st.composite
def transfers(draw: st.DrawFn) -> Pen:
    """A transfer of some messages, here and there stretched, at a speed of its own; its STOP may be missing."""
    pen = Pen(draw(st.integers(1, 6)), draw(st.integers(1, 6)))
    pen.setup = draw(st.integers(0, pen.low))
    messages = draw(st.one_of(st.lists(MESSAGES, min_size=1, max_size=3), ten_bit_reads()))
    clocks = sum(8 + (ack is not None) for message in messages for _, ack in message) + len(messages)
    stretches = {
        draw(st.one_of(st.integers(0, clocks), st.just(clocks - 1))): (
            draw(st.integers(4, 40)),
            draw(st.sampled_from([0, 1, 2, 8, 39])),
        )
        for _ in range(draw(st.integers(0, 3)))
    }
    done = 0

    def clock(level: int) -> None:
        nonlocal done
        longer, setup = stretches.get(done, (0, pen.setup))
        done += 1
        pen.clock(level, low=pen.low + longer, setup=setup)

    for k, message in enumerate(messages):
        if k:
            clock(1)
        pen.hold(1, 1, pen.high).hold(1, 0, pen.high)
        for value, ack in message:
            for bit in range(7, -1, -1):
                clock(value >> bit & 1)
            if ack is not None:
                clock(ack)
    for level in draw(st.sampled_from([(), (), (), (1,), (0, 1), (1, 0, 1, 1)])):
        clock(level)
    if draw(st.sampled_from(["stop", "stop", "release"])) == "stop":
        clock(0)
    else:
        clock(1)
    return pen.idle(draw(st.sampled_from([1, 3, 8, 30, 70, 140])))


@st.composite
def noise(draw: st.DrawFn) -> Pen:
    """Anything at all: states of both lines and how long they last."""
    pen = Pen()
    for scl, sda, samples in draw(
        st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.sampled_from([1, 1, 2, 3, 5, 9, 40])), max_size=25)
    ):
        pen.hold(scl, sda, samples)
    return pen


@st.composite
def pulses(draw: st.DrawFn) -> Pen:
    """Clock pulses with SDA still: bus recovery, when they come outside a transfer."""
    pen = Pen(draw(SHORT), draw(SHORT))
    sda = draw(st.integers(0, 1))
    for _ in range(draw(st.integers(1, 11))):
        pen.clock(sda)
    return pen.idle(draw(SHORT))


@st.composite
def buses(draw: st.DrawFn) -> Bus:
    """Transfers, noise and pulses in a row, then damaged: samples flipped, dropped or doubled, both ends cut."""
    scl: list[int] = []
    sda: list[int] = []
    first = draw(st.sampled_from([None, (1, 1), (1, 0), (0, 1), (0, 0)]))
    if first is not None:
        samples = draw(SHORT)
        scl += [first[0]] * samples
        sda += [first[1]] * samples
    for pen in draw(st.lists(st.one_of(transfers(), transfers(), noise(), pulses()), min_size=1, max_size=4)):
        scl += pen.scl
        sda += pen.sda
    scl, sda = scl or [1], sda or [1]
    for where, what, samples in draw(
        st.lists(st.tuples(st.integers(0, 1 << 12), st.integers(0, 4), SHORT), max_size=5)
    ):
        i = where % len(scl)
        if what == 0:
            scl[i : i + samples] = [1 - level for level in scl[i : i + samples]]
        elif what == 1:
            sda[i : i + samples] = [1 - level for level in sda[i : i + samples]]
        elif what == 2 and len(scl) > i + samples:
            del scl[i : i + samples], sda[i : i + samples]
        elif what == 3:
            scl[i:i], sda[i:i] = [scl[i]] * samples, [sda[i]] * samples
        else:
            scl[i:i], sda[i:i] = [scl[i]] * 12 * samples, [sda[i]] * 12 * samples
    if draw(st.booleans()):
        cut = draw(st.integers(0, len(scl) - 1))
        scl, sda = scl[cut:], sda[cut:]
    if draw(st.booleans()):
        keep = draw(st.integers(1, len(scl)))
        scl, sda = scl[:keep], sda[:keep]
    unit = draw(st.sampled_from(sorted(UNITS)))
    scl_bit, sda_bit = draw(st.permutations(range(8 * unit)).map(lambda bits: bits[:2]))
    other = draw(st.lists(st.integers(0, len(scl) - 1), max_size=6, unique=True))
    return Bus(tuple(scl), tuple(sda), draw(st.sampled_from([0, 0, 7, 1 << 40])), unit, scl_bit, sda_bit, tuple(other))


def cut(n: int, where: Sequence[int]) -> list[tuple[int, int]]:
    """Consecutive index ranges that cover range(n), cut at `where` (taken modulo n + 1)."""
    points = sorted({0, n, *(w % (n + 1) for w in where)})
    return list(pairwise(points)) or [(0, 0)]
