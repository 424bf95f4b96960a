"""A soak of `watch`: a stream of known contents, for minutes, in real time or as fast as it is taken.

    python benchmarks/soak.py --minutes 10 [--fast] [--write docs/watch.md]

The stream is the tile of `captures.py`, 400 kHz at 95 % busy with IRQ and RUN, over and over, so that the number of its
transfers is known. In one of them, two thirds in, the task never wakes. The watching runs on one core, pinned to it.
What it counted and found is held against what was sent; exit code 1 where they differ.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

if __package__:
    from .captures import KINDS, RATE_HZ, TILE, tile
else:
    from captures import KINDS, RATE_HZ, TILE, tile

MARKS = ("<!-- soak -->", "<!-- end of the soak -->")
WAKE = "irq.begin -> run.begin < 20us"
_IRQ, _RUN = 2, 3
_EVERY_S = 0.5
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Sent:
    """What a tile holds. `irq`: the sample of the interrupt whose wake is taken out in `broken`."""

    clean: NDArray[np.uint8]
    broken: NDArray[np.uint8]
    transfers: int
    before: int
    irq: int
    busy: float


@dataclass(slots=True)
class Soak:
    """What was sent, and what the watching made of it. `memory`: MB of the process, at each look."""

    seconds: float
    transfers: int
    fault: tuple[int, int]
    paced: bool
    busy: float
    behind: float = 0.0
    lines: Sequence[str] = ()
    code: int = 0
    cpu: float = 0.0
    wall: float = 0.0
    memory: Sequence[float] = ()

    @property
    def verdict(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.lines[-1])
        return found

    @property
    def findings(self) -> list[tuple[int, int]]:
        """(transfer, sample) of every finding that was told."""
        return [(f["transfer"], f["sample"]) for f in map(json.loads, self.lines[:-1])]

    @property
    def grown(self) -> float:
        """MB between the end of the first tenth and the most that was seen after it."""
        tenth = max(len(self.memory) // 10, 1)
        return max(self.memory[tenth:], default=0.0) - max(self.memory[:tenth], default=0.0)

    @property
    def faults(self) -> list[str]:
        """What is not as it should be."""
        wrong = []
        if self.verdict["transfers"] != self.transfers:
            wrong.append(f"{self.verdict['transfers']} transfers were counted, {self.transfers} sent")
        if self.findings != [self.fault]:
            wrong.append(f"findings {self.findings[:5]}, sent was one at {self.fault}")
        if self.code != 1:
            wrong.append(f"exit code {self.code}")
        return wrong


def sent(samples: int = TILE) -> Sent:
    """The tile, and the same with one wake less, in its middle."""
    # The time that the markers take after STOP makes it 95 %.
    clean = tile(replace(KINDS["d400k95"], busy=0.97, markers=True, apart=256), samples=samples)
    falls = np.flatnonzero((np.diff(clean) & 2 != 0) & (clean[1:] & 3 == 1))  # SDA falls while SCL is high: START
    rises = np.flatnonzero((np.diff(clean) & 2 != 0) & (clean[1:] & 3 == 3))
    irqs = np.flatnonzero(np.diff(clean >> _IRQ & 1) == 1) + 1
    runs = np.flatnonzero(np.diff((clean >> _RUN & 1).astype(np.int8)) != 0) + 1
    victim = len(irqs) // 2
    broken = clean.copy()
    broken[runs[2 * victim] : runs[2 * victim + 1]] &= 0xFF ^ 1 << _RUN
    busy = float((rises - falls).sum()) / len(clean)
    return Sent(clean, broken, len(irqs), victim, int(irqs[victim]), busy)


def soak(seconds: float, *, paced: bool, samples: int = TILE, cpu: int | None = 0) -> Soak:
    """Stream for so long, of the bus's time. `cpu`: the core that the watching is pinned to, None for any."""
    content = sent(samples)
    rounds = max(round(seconds * RATE_HZ / samples), 3)
    hit = rounds * 2 // 3
    fault = hit * content.transfers + content.before, hit * samples + content.irq
    done = Soak(rounds * samples / RATE_HZ, rounds * content.transfers, fault, paced, content.busy)
    command = [sys.executable, "-m", "tracecheck", "watch", "-", "--unitsize", "1", "--samplerate", f"{RATE_HZ}Hz"]
    command += ["--scl", "0", "--sda", "1", "--marker", f"irq={_IRQ}", "--marker", f"run={_RUN}", "--format", "jsonl"]
    command += ["--rules", "i2c", "--expect", WAKE]
    begin = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if cpu is not None:
        os.sched_setaffinity(process.pid, {cpu})
    told: list[str] = []
    assert process.stdout is not None
    assert process.stdin is not None
    listener = threading.Thread(target=lambda: told.extend(line.decode() for line in process.stdout or ()))
    listener.start()
    memory, looked = [], 0.0
    for number in range(rounds):
        data = memoryview(content.broken if number == hit else content.clean)
        for at in range(0, len(data), _CHUNK):
            if paced:
                due = begin + (number * samples + at) / RATE_HZ
                ahead = due - time.monotonic()
                time.sleep(max(ahead, 0.0))
                done.behind = max(done.behind, -ahead)
            process.stdin.write(data[at : at + _CHUNK])
            if time.monotonic() - looked > _EVERY_S:
                looked = time.monotonic()
                memory.append(_resident(process.pid))
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    listener.join()
    process.stdout.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    done.lines, done.code, done.memory = told, process.returncode, memory
    done.cpu, done.wall = usage.ru_utime + usage.ru_stime, time.monotonic() - begin
    return done


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def table(done: Soak) -> str:
    """The figures as Markdown."""
    samples = done.seconds * RATE_HZ
    took = done.cpu / done.seconds
    rows = [
        ("stream", f"{done.seconds / 60:.1f} min at 24 MS/s, {done.busy:.0%} busy: {samples / 1e9:.2f} G samples"),
        ("transfers sent, counted", f"{done.transfers:,}, {done.verdict['transfers']:,}"),
        ("the missing wake", f"sent in transfer {done.fault[0]:,} at sample {done.fault[1]:,}; told: {done.findings}"),
        ("processor time a second of the stream", f"{took * 1e3:.0f} ms on one core: {1 / took:.1f} times as fast"),
        ("processor time a sample", f"{done.cpu / samples * 1e9:.2f} ns, {samples / done.cpu / 1e6:.0f} M samples/s"),
        ("memory", f"{max(done.memory):.0f} MB at most, {done.grown:+.1f} MB after the first tenth"),
    ]
    if done.paced:
        rows.append(("furthest behind the clock", f"{done.behind * 1e3:.0f} ms, of the sender, on a machine not idle"))
    cells = "\n".join(f"| {name} | {said} |" for name, said in rows)
    how = "in real time" if done.paced else "as fast as it was taken"
    head = (
        f"A generated 400 kHz bus with IRQ and RUN, sent {how} into `watch` with preset `i2c` and a rule on the wake; "
        f"{time.strftime('%Y-%m-%d')}, made by `benchmarks/soak.py`."
    )
    return f"{head}\n\n| | |\n| --- | --- |\n{cells}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="of the bus's time")
    parser.add_argument("--fast", action="store_true", help="as fast as the watching takes it, not in real time")
    parser.add_argument("--write", type=Path, help="put the figures into this page")
    given = parser.parse_args()
    done = soak(given.minutes * 60, paced=not given.fast)
    text = table(done)
    print(text)
    for wrong in done.faults:
        print(f"NOT as sent: {wrong}", file=sys.stderr)
    if given.write:
        before, _, rest = given.write.read_text(encoding="utf-8").partition(MARKS[0])
        after = rest.partition(MARKS[1])[2]
        given.write.write_text(f"{before}{MARKS[0]}\n\n{text}\n\n{MARKS[1]}{after}", encoding="utf-8")
    return 1 if done.faults else 0


if __name__ == "__main__":
    sys.exit(main())
