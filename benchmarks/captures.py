"""Makes the large captures that speed is measured on; synthetic, and the same bytes for the same arguments.

    python benchmarks/captures.py FOLDER --kind b400k30 --samples 100M

A tile of 16 Mi samples (0.7 s at 24 MS/s) of random transfers is made once and repeated: long enough that no cache and
no branch predictor knows it by heart, short enough that memory stays flat at any length. Each tile begins and ends with
both lines idle.

kind      bus                            busy
i400k02   400 kHz                         2 %
a100k30   100 kHz                        30 %
b400k30   400 kHz                        30 %
d400k95   400 kHz                        95 %
dense     half periods of 2 to 5 samples  all but the gaps
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tracecheck.capture.model import Channel
from tracecheck.export.sr import MEMBER_BYTES, SrWriter

RATE_HZ = 24_000_000
TILE = 4 * MEMBER_BYTES
"""Samples of the repeated pattern; one byte each, so whole members."""

_LINES = ("SCL", "SDA", "IRQ", "RUN")
_SCL, _SDA, _IRQ, _RUN = (1 << bit for bit in range(4))
_US = RATE_HZ // 1_000_000


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of bus looks, all in samples: `low` and `high` are the shortest and longest phases of SCL."""

    low: tuple[int, int]
    high: tuple[int, int]
    hold: int
    setup: int
    """tHD;STA and tSU;STO."""
    busy: float
    """Share of the time between START and STOP."""
    code: int
    """Seed, so that each kind is its own."""


KINDS = {
    # Phases of the RP2040's controller at 125 MHz: 1.504 and 1.152 us at 400 kHz, 6.008 and 4.424 us at 100 kHz.
    "i400k02": Kind((36, 37), (27, 28), 7, 24, 0.02, 1),
    "a100k30": Kind((144, 145), (106, 107), 7, 96, 0.30, 2),
    "b400k30": Kind((36, 37), (27, 28), 7, 24, 0.30, 3),
    "d400k95": Kind((36, 37), (27, 28), 7, 24, 0.95, 4),
    "dense": Kind((2, 5), (2, 5), 1, 2, 0.97, 5),
}


def tile(kind: Kind, *, markers: bool = False, samples: int = TILE) -> NDArray[np.uint8]:
    """The pattern: shape (samples,), SCL in bit 0, SDA in bit 1, with `markers` IRQ in bit 2 and RUN in bit 3."""
    rng = np.random.default_rng(kind.code)
    toggles = np.zeros(samples, dtype=np.uint8)
    tail = 20 * _US if markers else 4
    now = 8
    while True:
        octets = int(rng.integers(2, 18))
        lows = rng.integers(kind.low[0], kind.low[1] + 1, 9 * octets + 1)
        highs = rng.integers(kind.high[0], kind.high[1] + 1, 9 * octets)
        falls = now + kind.setup + np.concatenate(([0], np.cumsum(lows[:-1] + highs)))
        rises = falls + lows
        stop = int(rises[-1]) + kind.setup
        pause = int((stop - now) * (1 / kind.busy - 1) * rng.uniform(0.5, 1.5))
        after = max(pause, kind.low[1], tail)
        if stop + after + 8 > samples:
            break
        bits = rng.integers(0, 2, 9 * octets, dtype=np.uint8)
        bits[8::9] = 0  # every byte is acknowledged
        # SDA falls at START, follows the bits, is low before STOP and rises there.
        levels = np.concatenate(([0], bits, [0], [1]))
        instants = np.concatenate(([now], falls + kind.hold, [stop]))
        toggles[falls] ^= _SCL
        toggles[rises] ^= _SCL
        toggles[instants[np.diff(levels, prepend=1) != 0]] ^= _SDA
        if markers:
            irq = stop + int(rng.integers(8, 20))
            run = irq + int(rng.integers(60, 90))
            for line, begin, end in ((_IRQ, irq, irq + 24), (_RUN, run, run + int(rng.integers(70, 140)))):
                toggles[begin] ^= line
                toggles[end] ^= line
        now = stop + after
    return np.bitwise_xor.accumulate(toggles) ^ np.uint8(_SCL | _SDA)


def write_capture(
    path: Path, kind: str, samples: int, *, markers: bool = False, member_bytes: int | None = MEMBER_BYTES
) -> Path:
    """Writes a capture of `samples` samples and returns its path; `member_bytes` None makes one giant member."""
    pattern = tile(KINDS[kind], markers=markers)
    channels = [Channel(name, bit) for bit, name in enumerate(_LINES[: 4 if markers else 2])]
    remarks = {"origin": f"synthetic, benchmarks/captures.py {kind}"}
    with SrWriter(path, rate_hz=RATE_HZ, channels=channels, member_bytes=member_bytes, remarks=remarks) as writer:
        while writer.samples < samples:
            writer.write_samples(pattern[: samples - writer.samples])
    return path


def cached(folder: Path, kind: str, samples: int, *, markers: bool = False, one_member: bool = False) -> Path:
    """The capture in `folder`, made if it is not there yet."""
    traits = f"{'-markers' if markers else ''}{'-one-member' if one_member else ''}"
    path = folder / f"synthetic-{kind}-{samples}{traits}.sr"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_capture(path, kind, samples, markers=markers, member_bytes=None if one_member else MEMBER_BYTES)
    return path


def _count(text: str) -> int:
    """Samples as written on the command line: 500000, 10M, 1G."""
    factor = {"k": 10**3, "M": 10**6, "G": 10**9}.get(text[-1:], 1)
    return int(float(text[:-1]) * factor) if factor > 1 else int(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the captures go; one that is there already is kept")
    parser.add_argument("--kind", action="append", choices=KINDS, help="repeatable; default: all")
    parser.add_argument("--samples", type=_count, default=100_000_000, help="samples, as 10M or 1G (default 100M)")
    parser.add_argument("--markers", action="store_true", help="add IRQ and RUN pins")
    parser.add_argument("--one-member", action="store_true", help="one giant member in place of 4 MiB ones")
    wanted = parser.parse_args()
    for kind in wanted.kind or KINDS:
        made = cached(wanted.folder, kind, wanted.samples, markers=wanted.markers, one_member=wanted.one_member)
        print(f"{made} ({made.stat().st_size} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
