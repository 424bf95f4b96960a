"""Makes the large captures that speed is measured on; synthetic, and the same samples for the same arguments.

    python benchmarks/captures.py FOLDER --kind b400k30 --samples 100M

A tile of 16 Mi samples (0.7 s at 24 MS/s) of random transfers is made once and repeated: long enough that no cache and
no branch predictor knows it by heart. Each tile begins and ends with both lines idle.

kind      bus                            busy
i400k02   400 kHz                         2 %
a100k30   100 kHz                        30 %
b400k30   400 kHz                        30 %
d400k95   400 kHz                        95 %
dense     half periods of 2 to 5 samples  all but the gaps
noisy     as b400k30, and a pin that nobody asks for changes at random, every 2 to 40 samples
giant     as b400k30, in one member in place of members of 4 MiB
level9    as b400k30, compressed at zlib's level 9 in place of 6
marked    as b400k30, with an interrupt and a wake after each transfer on the pins IRQ and RUN
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

if __package__:
    from .repeated_sr import write_repeated
else:
    from repeated_sr import write_repeated

from tracecheck.capture.model import Channel
from tracecheck.export.sr import MEMBER_BYTES

RATE_HZ = 24_000_000
TILE = 4 * MEMBER_BYTES
"""Samples of the repeated pattern; one byte each, so whole members."""

_LINES = ("SCL", "SDA", "IRQ", "RUN", "NOISE")
_SCL, _SDA, _IRQ, _RUN, _NOISE = (1 << bit for bit in range(5))
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
    noise: bool = False
    markers: bool = False
    apart: int = 20 * _US
    """From STOP to START at the least where there are markers, which take up to 250."""
    one_member: bool = False
    level: int = 6

    @property
    def channels(self) -> list[Channel]:
        """The lines in the file."""
        there = _SCL | _SDA | (_IRQ | _RUN) * self.markers | _NOISE * self.noise
        return [Channel(name, bit) for bit, name in enumerate(_LINES) if there >> bit & 1]


# Phases of the RP2040's controller at 125 MHz: 1.504 and 1.152 us at 400 kHz, 6.008 and 4.424 us at 100 kHz.
_FAST = Kind((36, 37), (27, 28), 7, 24, 0.30, 3)
KINDS = {
    "i400k02": replace(_FAST, busy=0.02, code=1),
    "a100k30": Kind((144, 145), (106, 107), 7, 96, 0.30, 2),
    "b400k30": _FAST,
    "d400k95": replace(_FAST, busy=0.95, code=4),
    "dense": Kind((2, 5), (2, 5), 1, 2, 0.97, 5),
    "noisy": replace(_FAST, noise=True),
    "giant": replace(_FAST, one_member=True),
    "level9": replace(_FAST, level=9),
    "marked": replace(_FAST, markers=True),
}


def tile(kind: Kind, *, samples: int = TILE) -> NDArray[np.uint8]:
    """The pattern: shape (samples,), a line at each bit of `kind.channels`."""
    rng = np.random.default_rng(kind.code)
    toggles = np.zeros(samples, dtype=np.uint8)
    tail = kind.apart if kind.markers else 4
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
        bits[8::9] = 0  # every byte is acknowledged,
        bits[-1] = bits[7]  # but for the last one of a read
        # SDA falls at START, follows the bits, is low before STOP and rises there.
        levels = np.concatenate(([0], bits, [0], [1]))
        instants = np.concatenate(([now], falls + kind.hold, [stop]))
        toggles[falls] ^= _SCL
        toggles[rises] ^= _SCL
        toggles[instants[np.diff(levels, prepend=1) != 0]] ^= _SDA
        if kind.markers:
            irq = stop + int(rng.integers(8, 20))
            run = irq + int(rng.integers(60, 90))
            for line, begin, end in ((_IRQ, irq, irq + 24), (_RUN, run, run + int(rng.integers(70, 140)))):
                toggles[begin] ^= line
                toggles[end] ^= line
        now = stop + after
    if kind.noise:
        changes = np.cumsum(rng.integers(2, 41, samples // 2))
        toggles[changes[changes < samples]] ^= _NOISE
    return np.bitwise_xor.accumulate(toggles) ^ np.uint8(_SCL | _SDA)


def write_capture(path: Path, name: str, samples: int) -> None:
    """A capture of the kind of this name, of `samples` samples."""
    kind = KINDS[name]
    write_repeated(
        path,
        tile(kind),
        samples,
        rate_hz=RATE_HZ,
        channels=kind.channels,
        remarks={"origin": f"synthetic, benchmarks/captures.py {name}"},
        level=kind.level,
        one_member=kind.one_member,
    )


def cached(folder: Path, name: str, samples: int) -> Path:
    """The capture in `folder`, made if it is not there; one that older sources made is replaced."""
    path = folder / f"{name}-{samples}-{_recipe()}.sr"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for older in folder.glob(f"{name}-{samples}-*.sr"):
            older.unlink()
        write_capture(path, name, samples)
    return path


def _recipe() -> str:
    sources = (Path(__file__).with_name(name).read_bytes() for name in ("captures.py", "repeated_sr.py"))
    return hashlib.sha256(b"".join(sources)).hexdigest()[:8]


def count(text: str) -> int:
    """Samples as written on the command line: 500000, 10M, 1G."""
    factor = {"k": 10**3, "M": 10**6, "G": 10**9}.get(text[-1:], 1)
    return int(float(text[:-1]) * factor) if factor > 1 else int(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the captures go; one that is there already is kept")
    parser.add_argument("--kind", action="append", choices=KINDS, help="repeatable; default: all")
    parser.add_argument("--samples", type=count, default=100_000_000, help="samples, as 10M or 1G (default 100M)")
    parser.add_argument("--path-only", action="store_true", help="print the paths and nothing more")
    wanted = parser.parse_args()
    for name in wanted.kind or KINDS:
        made = cached(wanted.folder, name, wanted.samples)
        print(made if wanted.path_only else f"{made} ({made.stat().st_size} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
