"""What judging costs: CPU time and memory over 10 k, 100 k and 1 M transfers. Prints a table; --write keeps it.

A recording of the real driver on the emulated Pico (captures/pico, three marker pins) is laid end to end until there
are enough transfers. Its edges are repeated in memory, so that no file is written and nothing but decoding and judging
is measured; each size runs in a process of its own, of which the kernel says what it used. `rules` is the part of the
CPU time spent between taking a batch from the decoder and asking for the next, and in the report.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from machine import machine

import tracecheck
from tracecheck.capture.model import Capture, EdgeBlock
from tracecheck.decoding.find import wire
from tracecheck.decoding.stream import decode_capture
from tracecheck.outline import Outline
from tracecheck.report import json as as_json
from tracecheck.report.activity import Activity
from tracecheck.rules.engine import Engine
from tracecheck.rules.file import load_many
from tracecheck.rules.library import preset_names
from tracecheck.rules.timing import needs_timings
from tracecheck.rules.verdict import Report

RECORDING = Path(__file__).parent.parent / "captures" / "pico" / "pico-clean-unseen-mixed-400k.sr"
PRESETS = tuple(name for name in ("three-pin", "embassy-rp", "i2c", "i2c-fast") if name in preset_names())
SIZES = (10_000, 100_000, 1_000_000)
BLOCK_EDGES = 1 << 16
QUIET = 480
"""Samples, 20 us, without an edge between one copy and the next."""
FOOTNOTE = """\
{rules} rules ({presets}) on {recording} laid
end to end, {events:.0f} events a transfer. CPU time, user and system; `rules` is the part of it that is not decoding.
Made by `make bench`."""


class Tiled(Capture):
    """A short capture, cut at the last moment at which all was quiet, `times` times in a row."""

    format = "tiled"

    def __init__(self, tile: Capture, times: int) -> None:
        self.path, self.rate_hz, self.unitsize, self.channels = tile.path, tile.rate_hz, tile.unitsize, tile.channels
        self._times = times
        blocks = list(tile.edges([channel.bit for channel in tile.channels]))
        at, words = (np.concatenate([getattr(block, name) for block in blocks]) for name in ("at", "words"))
        quiet = (words == blocks[0].initial) & (np.diff(at, append=tile.samples) > QUIET)
        last = int(np.flatnonzero(quiet)[-1])
        self._at, self._words = at[: last + 1], words[: last + 1]
        self._length = int(at[last]) + QUIET

    @property
    def samples(self) -> int:
        return self._length * self._times

    def edges(self, bits: Sequence[int], *, start: int = 0, stop: int | None = None) -> Iterator[EdgeBlock]:
        assert (start, stop) == (0, None), "whole, or not at all"
        words = self._words & sum(1 << bit for bit in bits)
        seen = np.flatnonzero(np.diff(words, prepend=words[-1]))
        at, words = self._at[seen], words[seen]
        many = max(1, BLOCK_EDGES // len(at))
        at, words = (at + np.arange(many)[:, None] * self._length).ravel(), np.tile(words, many)
        for first in range(0, self._times, many):
            n = min(many, self._times - first) * len(seen)
            begin = first * self._length
            end = min(begin + many * self._length, self.samples)
            yield EdgeBlock(at[:n] + begin, words[:n], int(words[-1]), begin, end)


def measure(transfers: int) -> dict[str, float]:
    """Decode and judge so many transfers, here and now."""
    tile, rules = tracecheck.open(RECORDING), load_many(PRESETS)
    wiring = wire(tile, list(rules.buses.values()), list(rules.markers.values()))
    (batch,) = decode_capture(Tiled(tile, 1), wiring)
    n = len(batch.buses["i2c0"]["transfers"]["start"])
    times = -(-transfers // n)
    capture = Tiled(tile, times)
    engine, outline, activity = Engine(rules, wiring, capture.rate_hz), Outline(), Activity(capture.samples)
    imported = _peak_mb()
    begin = time.process_time()
    judging, events = 0.0, 0
    for batch in decode_capture(capture, wiring, timings=needs_timings(rules)):
        events += sum(len(r["events"]["at"]) for r in batch.buses.values())
        events += sum(len(m.begins) + len(m.ends) for m in batch.markers.values())
        before = time.process_time()
        engine.feed(batch)
        outline.add(batch)
        outline.thin(engine.named)
        activity.add(batch)
        judging += time.process_time() - before
        del batch
    before = time.process_time()
    report = Report({}, engine.results(), rate_hz=capture.rate_hz)
    verdict = as_json.verdict(report, outline)
    judging += time.process_time() - before
    return {
        "transfers": times * n,
        "judged": sum(rule["judged"] for rule in verdict["rules"]),
        "findings": len(verdict["findings"]),
        "rules": len(report.rules),
        "events": events,
        "decoding_s": time.process_time() - begin - judging,
        "rules_s": judging,
        "peak_mb": _peak_mb(),
        "over_imports_mb": _peak_mb() - imported,
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(transfers: int) -> dict[str, float]:
    """The same, in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--one", str(transfers)], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def table(rows: Sequence[dict[str, float]]) -> str:
    lines = [
        "| transfers | judged instances | CPU s | of which rules | us a transfer, rules | peak MB | over the imports |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        total, each = row["decoding_s"] + row["rules_s"], row["rules_s"] / row["transfers"] * 1e6
        lines.append(
            f"| {row['transfers']:,.0f} | {row['judged']:,.0f} | {total:.2f} | {row['rules_s']:.2f} | {each:.2f} "
            f"| {row['peak_mb']:.0f} | {row['over_imports_mb']:.0f} |"
        )
    return "\n".join(lines)


def page(rows: Sequence[dict[str, float]]) -> str:
    last = rows[-1]
    note = FOOTNOTE.format(
        rules=f"{last['rules']:.0f}",
        presets=", ".join(PRESETS),
        recording=f"`captures/pico/{RECORDING.name}`",
        events=last["events"] / last["transfers"],
    )
    return f"# What judging costs\n\n{table(rows)}\n\n{note}\n\n{machine()}.\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transfers", type=int, action="append", help="repeatable; default: 10 k, 100 k and 1 M")
    parser.add_argument("--one", type=int, help="measure this many in this process, and print the figures as JSON")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page there too")
    wanted = parser.parse_args()
    if wanted.one:
        print(json.dumps(measure(wanted.one)))
        return 0
    rows = []
    for transfers in wanted.transfers or SIZES:
        print(f"{transfers:,} transfers ...", file=sys.stderr)
        rows.append(apart(transfers))
    text = page(rows)
    print(text, end="")
    if wanted.write:
        wanted.write.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
