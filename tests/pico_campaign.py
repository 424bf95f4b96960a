"""A campaign of faults: drawn from a seed, recorded anew, judged by the shipped rule files, each strike accounted for.

    python tests/pico_campaign.py [--rounds 4] [--first 1000] [--write]

takes rounds from seeds of their own and writes what came of them into docs/embassy.md. A round has one shot for each
kind of fault, speed and scheme of marker pins.

A strike that no finding names must be one of the kinds that no rule can name; which one is computed from samples, the
recording with the strike beside the one without it, never from what the rules said:

`no-strike`   the fault found nothing to hit: the recordings are the same sample for sample. `record` says so
`unchanged`   it struck, and the lines still did what they would have done (SDA held low where it was low anyway)
`data-only`   the same edges of SCL, START, STOP and acknowledge, the same marks: only data bits are others
`absorbed`    an interrupt was held back, and the bus waited for it no longer than the preset lets an interrupt be late
              (`prompt_ns`): SDA and SCL are as without the strike up to an edge that close before it came. That is a
              FIFO with bytes left, or one filled while STOP was on its way. Which of its causes raised it no line shows
`cut`         the recording ended before the bound of the rule that finds it in a longer one
"""

from __future__ import annotations

import argparse
import functools
import random
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import tracecheck
from tracecheck.pico.emulate import Recording, emulate
from tracecheck.pico.faults.spec import KINDS, parse_fault
from tracecheck.rules.quantity import parse_seconds

FOLDER = Path(__file__).parent.parent / "captures" / "pico"
DEVICES = ("0x68=registers", "0x3C=display", "0x50=eeprom", "0x21=absent")
MS = {"100k": 40.0, "400k": 18.0, "1m": 12.0}
LONGER_MS = 20.0
"""What a `cut` strike is given more: twice the longest bound there is, that between two calls."""
WORKLOADS = ("mixed", "writes", "reads", "write-read", "timeout")
HELD_BACK = {"late-interrupt": "delay", "lost-interrupt": "hold"}

WORDS = ("seen", "absorbed", "data-only", "unchanged", "cut", "no-strike")
PAGE = Path(__file__).parent.parent / "docs" / "embassy.md"
BEGIN, END = "<!-- measured: tests/pico_campaign.py -->", "<!-- end of the campaign -->"

Edges = tuple[NDArray[np.int64], NDArray[np.bool_]]


@dataclass(frozen=True)
class Shot:
    """One recording with one fault on one transfer."""

    firmware: str
    ms: float
    fault: str

    @property
    def kind(self) -> str:
        return self.fault.split(",")[0]

    @property
    def speed(self) -> str:
        return next(part for part in self.firmware.split("-") if part in MS)

    @property
    def scheme(self) -> str:
        return scheme_of(self.firmware)

    @property
    def command(self) -> str:
        """How to see it by hand."""
        targets = " ".join(f"--target {target}" for target in DEVICES)
        return f"tracecheck record --emulate {self.firmware}.elf --ms {self.ms:g} {targets} --fault {self.fault}"


@dataclass(frozen=True)
class Outcome:
    """What became of a shot: `seen` with the rules that named the struck transfer, or one of the words above."""

    shot: Shot
    word: str
    rules: tuple[str, ...] = ()


def scheme_of(firmware: str) -> str:
    return next(word for word in ("three-pin", "two-pin", "one-pin") if word in firmware)


def firmware_for(speed: str, scheme: str) -> list[str]:
    """The workloads that run for ever without a fault of their own, built for this speed and scheme."""
    names = sorted(path.stem for path in (FOLDER / "firmware").glob("*.elf"))
    return [name for name in names if f"-{speed}-{scheme}-" in name and name.split(f"-{speed}-")[0] in WORKLOADS]


def draw(kind: str, speed: str, scheme: str, seed: int) -> Shot:
    """A shot; the same arguments give the same one."""
    rng = random.Random(f"campaign/{kind}/{speed}/{scheme}/{seed}")
    firmware = rng.choice(firmware_for(speed, scheme))
    options = {"transfer": rng.randrange(1, clean(firmware, MS[speed]).transfers)} | OPTIONS[kind](rng)
    return Shot(firmware, MS[speed], ",".join([kind, *(f"{key}={value}" for key, value in options.items())]))


def _us(rng: random.Random, low: int, high: int) -> str:
    return f"{rng.randint(low, high)}us"


OPTIONS: dict[str, Callable[[random.Random], dict[str, object]]] = {
    "late-interrupt": lambda rng: {"delay": _us(rng, 25, 500), "interrupt": rng.choice((0, 0, 1, 2))},
    "lost-interrupt": lambda rng: {
        "hold": rng.choice(("forever", _us(rng, 2000, 8000))),
        "interrupt": rng.choice((0, 0, 1, 2)),
    },
    "extra-interrupt": lambda rng: {"after": _us(rng, 30, 190)},
    "stray-interrupt": lambda rng: {"after": _us(rng, 3, 80)},
    "storm": lambda rng: {"times": rng.randint(4, 80), "interrupt": rng.choice((0, 0, 1))},
    "hog-executor": lambda rng: {"duration": _us(rng, 150, 1000), "interrupt": rng.choice((0, 0, 1))},
    "xip-cold": lambda rng: {},
    "stretch": lambda rng: {"duration": _us(rng, 150, 1000), "byte": rng.choice((0, 1, 2))},
    "hang-sda": lambda rng: {
        "duration": rng.choice(("forever", _us(rng, 200, 3000))),
        "byte": rng.choice((0, 1, 2, 3)),
        "clocks": rng.choice((0, 0, 6)),
    },
    "nack": lambda rng: {"byte": rng.choice((0, 0, 1, 2))},
}
"""What is drawn of each kind's options, beside the transfer."""


@functools.cache
def clean(firmware: str, ms: float) -> Recording:
    """The recording without any fault."""
    return emulate(FOLDER / "firmware" / f"{firmware}.elf", ms=ms, targets=DEVICES)


def struck(shot: Shot) -> Recording:
    return emulate(FOLDER / "firmware" / f"{shot.firmware}.elf", ms=shot.ms, targets=DEVICES, faults=[shot.fault])


def rule_file(scheme: str, folder: Path) -> Path:
    """The shipped rules of a scheme with what the board promises; the shipped file for that has three pins."""
    own = FOLDER / f"{scheme}.rules.toml"
    path = folder / f"board-{scheme}.rules.toml"
    text = (FOLDER / "board.rules.toml").read_text(encoding="utf-8")
    assert '"three-pin.rules.toml"' in text
    path.write_text(text.replace('"three-pin.rules.toml"', f"'{own}'"), encoding="utf-8")
    return path


def fire(shot: Shot, folder: Path) -> Outcome:
    """Record it, judge it, account for it. Raises AssertionError for a strike that nothing explains."""
    recording, twin = struck(shot), clean(shot.firmware, shot.ms)
    if not recording.strikes:
        assert same(recording, twin), f"nothing struck and the recording is another: {shot.command}"
        return Outcome(shot, "no-strike")
    if rules := named(shot, recording, folder):
        return Outcome(shot, "seen", rules)
    word = next(unseeable(recording, twin, shot), None)
    if word is None:
        longer = replace(shot, ms=shot.ms + LONGER_MS)
        recording = struck(longer)
        if same(recording, clean(longer.firmware, longer.ms)):
            return Outcome(shot, "unchanged")
        assert named(longer, recording, folder), f"no rule names transfer {transfer_of(shot)}: {shot.command}"
        word = "cut"
    return Outcome(shot, word)


def transfer_of(shot: Shot) -> int:
    (transfer,) = parse_fault(shot.fault).transfers or ()
    return transfer


def named(shot: Shot, recording: Recording, folder: Path) -> tuple[str, ...]:
    """The rules that fail on the struck transfer, or on an interrupt that came when all of it was over."""
    report = tracecheck.analyze(recording.capture(), rule_file(shot.scheme, folder))
    failed = [finding for finding in report.findings if finding.verdict == "fail"]
    found = {finding.rule for finding in failed if finding.transfer == transfer_of(shot)}
    if shot.kind in HELD_BACK:
        since = _delivered(recording, shot)
        until = since + prompt_ns() * recording.rate_hz / 1e9
        found |= {f.rule for f in failed if f.transfer is None and since <= f.sample <= until}
    return tuple(sorted(found))


def same(one: Recording, other: Recording) -> bool:
    return np.array_equal(one.block.at, other.block.at) and np.array_equal(one.block.words, other.block.words)


def unseeable(recording: Recording, twin: Recording, shot: Shot) -> Iterator[str]:
    """Why no rule can name the strike, from the samples of both recordings; nothing where one could."""
    if shot.kind == "hang-sda" and _only_data_differs(recording, twin, transfer_of(shot)):
        yield "data-only"
    if shot.kind in HELD_BACK and _absorbed(recording, twin, shot):
        yield "absorbed"


def _only_data_differs(recording: Recording, twin: Recording, transfer: int) -> bool:
    ours, theirs = (_rows(each, transfer) for each in (recording, twin))
    if ours is None or theirs is None or [row[:-1] for row in ours] != [row[:-1] for row in theirs]:
        return False
    until = ours[-1][0] + round(prompt_ns() * recording.rate_hz / 1e9)
    # The task may take another time over other bytes, and raise ERR; it is called for the same.
    lines = [bit for bit, channel in enumerate(recording.channels) if channel.name not in {"SDA", "ERR"}]
    return all(_alike(recording, twin, bit, until, rising=True) for bit in lines)


def _rows(recording: Recording, transfer: int) -> list[tuple[object, ...]] | None:
    """Bytes up to the end of a transfer, what they hold last, None where it has none; and its own end."""
    trace = tracecheck.decode(recording.capture())
    ends = {row["transfer"]: row["stop"] for row in trace.transfers.to_pylist()}
    if ends.get(transfer) is None:
        return None
    rows = [
        (row["end"], row["transfer"], row["message"], row["kind"], row["acked"], row["start"], row["value"])
        for row in trace.bytes.to_pylist()
        if row["transfer"] <= transfer
    ]
    return [*rows, (ends[transfer], None)]


def _alike(recording: Recording, twin: Recording, bit: int, until: float, *, rising: bool = False) -> bool:
    """Whether a line has the same edges in both, up to a sample, or the same rising ones."""
    ours, theirs = (at[levels] if rising else at for at, levels in (edges(each, bit) for each in (recording, twin)))
    return np.array_equal(ours[ours <= until], theirs[theirs <= until])


def _absorbed(recording: Recording, twin: Recording, shot: Shot) -> bool:
    delivered = _delivered(recording, shot)
    if delivered >= recording.block.end:
        return False
    last = max(at[at <= delivered][-1] for at, _ in (edges(recording, bit) for bit in (0, 1)))
    late = (delivered - last) * 1e9 / recording.rate_hz
    return bool(late <= prompt_ns()) and all(_alike(recording, twin, bit, last) for bit in (0, 1))


def _delivered(recording: Recording, shot: Shot) -> float:
    """The sample at which an interrupt that was held back came."""
    (strike,) = recording.strikes
    return (strike.time_ns + parse_fault(shot.fault).options[HELD_BACK[shot.kind]]) * recording.rate_hz / 1e9


def edges(recording: Recording, bit: int) -> Edges:
    """Samples at which a line changes, and to which level."""
    words = np.concatenate(([recording.block.initial], recording.block.words)) >> bit & 1
    changed = words[1:] != words[:-1]
    return recording.block.at[changed], words[1:][changed].astype(np.bool_)


@functools.cache
def prompt_ns() -> float:
    """How long after what led to it an interrupt may come before the preset calls it late."""
    text = files("tracecheck.rules.presets").joinpath("embassy-rp.toml").read_text(encoding="utf-8")
    rule = next(rule for rule in tomllib.loads(text)["rule"] if rule["id"] == "embassy-interrupt-prompt")
    return float(parse_seconds(rule["within"]).amount * 10**9)


def places() -> list[tuple[str, str]]:
    """Speeds and schemes that firmware was built for."""
    schemes = ("three-pin", "two-pin", "one-pin")
    return [(speed, scheme) for speed in MS for scheme in schemes if firmware_for(speed, scheme)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--first", type=int, default=1000, help="the first seed")
    parser.add_argument("--write", action="store_true", help="into docs/embassy.md")
    given = parser.parse_args()
    counted: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(given.first, given.first + given.rounds):
            for kind in KINDS:
                counted.update((kind, fire(draw(kind, *place, seed), Path(folder)).word) for place in places())
    rows = [f"| fault | {' | '.join(WORDS)} |", "| --- |" + " ---: |" * len(WORDS)]
    rows += [f"| `{kind}` | {' | '.join(str(counted[kind, word] or '') for word in WORDS)} |" for kind in KINDS]
    rows += [f"| all {counted.total()} | {' | '.join(str(sum(counted[k, word] for k in KINDS)) for word in WORDS)} |"]
    table = "\n".join(rows) + "\n"
    sys.stdout.write(table)
    if given.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
