"""How long a second of the emulated Pico takes; writes the figures into docs/emulated-pico.md.

    python benchmarks/emulation.py [--write]      (needs tracecheck[pico])

CPU time of the emulation alone, one core, the least of five runs (whatever else the machine does only adds to it); how
busy the emulated core was; and the machine.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from machine import machine

from tracecheck.pico.emulate import emulate

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "emulated-pico.md"
BEGIN, END = "<!-- measured: benchmarks/emulation.py -->", "<!-- end of what was measured -->"
FIRMWARE = (
    ("mixed-100k-three-pin-s12", "all shapes, 100 kHz"),
    ("mixed-400k-three-pin-s1", "all shapes, 400 kHz"),
    ("mixed-1m-three-pin-s1", "all shapes, 1 MHz"),
    ("busy-400k-three-pin-s1", "the same beside a busy task, 400 kHz"),
)
MS = 500
RUNS = 5


def main() -> int:
    rows = ["| firmware | CPU time for 1 s | core busy | transfers in 1 s |", "| --- | --- | --- | --- |"]
    for name, what in FIRMWARE:
        times = []
        for _ in range(RUNS):
            begun = time.process_time()
            recording = emulate(
                ROOT / "captures" / "pico" / "firmware" / f"{name}.elf",
                ms=MS,
                targets=("0x68=registers", "0x3C=display"),
            )
            times.append(time.process_time() - begun)
        seconds = min(times) * 1000 / MS
        busy = recording.ending.busy_cycles * 8 / (MS * 1e6)
        rows.append(f"| {what} | {seconds:.1f} s | {busy:.0%} | {recording.transfers * 1000 // MS} |")
    table = "\n".join(rows) + f"\n\nThe least of {RUNS} runs of {MS} ms: {machine()}. Made by `make bench`.\n"
    sys.stdout.write(table)
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    if parser.parse_args().write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
