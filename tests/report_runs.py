"""Runs for the tests of output formats: of committed captures, with hostile names, with very many findings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tracecheck
from tracecheck.capture.memory import ArrayCapture
from tracecheck.capture.model import Capture
from tracecheck.report.formats import FORMATS, renderer
from tracecheck.report.judged import Judged, Run, Terms, Unreadable, judge
from tracecheck.report.style import Style
from tracecheck.rules.expect import expect
from tracecheck.rules.file import load
from tracecheck.rules.model import BusSpec, DurationRule, MarkerSpec, RuleSet
from tracecheck.rules.quantity import parse_quantity

CAPTURES = Path(__file__).parent.parent / "captures"
SYNTHETIC = CAPTURES / "synthetic"
NAMES = sorted(path.name for path in SYNTHETIC.glob("*.sr") if "two-buses" not in path.name)
HOSTILE = os.fsdecode(b'a:b,c%|`<script>alert("1")</script>&\x1b[31m\n::error::\xff\xef\xbf\xbf\t]]>\x00.sr')
"""A name with what each format has to escape; its bytes are no UTF-8."""


def rendered(run: Run, name: str) -> str:
    return "".join(renderer(FORMATS[name])(run, Style(), "normal"))


@cache
def judged(name: str, rules: str = "three-pin.rules.toml", terms: Terms | None = None) -> Judged:
    one = judge(tracecheck.open(SYNTHETIC / name), load(SYNTHETIC / rules), terms)
    return replace(one, path=name)


def run_of(*names: str, terms: Terms | None = None) -> Run:
    return Run(tuple(judged(name, terms=terms) for name in names))


def unreadable(path: str = "gone.sr", terms: Terms | None = None) -> Unreadable:
    return Unreadable(path, f"{path}: there is no such file", terms or Terms())


def samples_of(capture: Capture) -> NDArray[Any]:
    """All samples of a capture's first eight lines."""
    found = np.empty(capture.samples, np.uint8)
    for block in capture.edges(range(len(capture.channels))):
        found[block.begin :] = block.initial
        for at, word in zip(block.at.tolist(), block.words.tolist(), strict=True):
            found[at:] = word
    return found


def hostile() -> Run:
    """A failing capture whose path, channels, rule file, reasons and notes are HOSTILE, and one that is not there."""
    capture = tracecheck.open(SYNTHETIC / "synthetic-late-wake.sr")
    labels = [f"{channel.name} {HOSTILE}" for channel in capture.channels]
    named = ArrayCapture(samples_of(capture), capture.rate_hz, labels, path=HOSTILE)
    rules = load(SYNTHETIC / "three-pin.rules.toml")
    pins = {channel.name: str(channel.bit) for channel in capture.channels}
    rules = rules.with_buses([BusSpec(name=name, scl=pins["SCL"], sda=pins["SDA"]) for name in rules.buses])
    rules = rules.with_markers([MarkerSpec(name=m.name, channel=pins[m.channel]) for m in rules.markers.values()])
    rules = rules.with_rules([rule.model_copy(update={"source": HOSTILE, "why": HOSTILE}) for rule in rules.rules])
    terms = Terms(suite=HOSTILE, place=(HOSTILE, 3))
    one = judge(named, rules, terms)
    one = replace(one, report=replace(one.report, notes=(HOSTILE,)))
    return Run((one, Unreadable(HOSTILE, f"{HOSTILE}: is {HOSTILE}", terms)))


def many_findings(count: int = 100_000) -> Run:
    """A capture on which one rule fails `count` times."""
    samples = np.full(4 * count + 8, 0b011, np.uint8)
    samples[4:-4].reshape(count, 4)[:, :2] |= 0b100
    capture = ArrayCapture(samples, 1_000_000, ("SCL", "SDA", "RUN"), path="many.sr")
    rule = DurationRule(id="short", of="run", max=parse_quantity("1ns"), source="short.toml", line=4)
    rules = RuleSet(rules=(rule,)).with_markers([MarkerSpec(name="run", channel="RUN")])
    return Run((judge(capture, rules),))


def expecting(capture: str, lines: Sequence[str], terms: Terms | None = None) -> Judged:
    """A committed capture judged by rules in one line."""
    rules = RuleSet().with_rules([expect(text, i) for i, text in enumerate(lines, 1)])
    return replace(judge(tracecheck.open(SYNTHETIC / capture), rules, terms), path=capture)
