"""Where to cut: what `--around` names becomes a span of samples.

embassy-wake      the first finding of that rule; embassy-wake:2 the second
transfer:7        transfer 7 of the only bus; i2c1:7 of one of several
3.44ms            an instant
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Final

import numpy as np

from tracecheck.errors import UsageError, did_you_mean
from tracecheck.export.cutout import Span
from tracecheck.rules.finding import Finding
from tracecheck.rules.quantity import parse_seconds
from tracecheck.rules.verdict import Report
from tracecheck.timebase import NS
from tracecheck.trace import Trace

_TIME: Final = re.compile(r"\s*[0-9.]+\s*[^\W\d_]+\s*")


def span_of(text: str, report: Report, trace: Trace) -> Span:
    """The samples that `text` names, without any margin. Raises UsageError, naming what there is."""
    if _TIME.fullmatch(text):
        return _instant(text, trace)
    name, colon, number = text.rpartition(":")
    if not colon:
        name, number = text, "1"
    if not number.isdecimal():
        raise UsageError(f'--around {text}: "{number}" is no number; write RULE:2, transfer:7 or a time such as 3.44ms')
    buses = [bus.name for bus in trace.wiring.buses]
    if colon and (name == "transfer" or name in buses):
        return _transfer(text, name, int(number), buses, trace)
    return _finding(text, name, int(number), report, trace)


def _instant(text: str, trace: Trace) -> Span:
    try:
        quantity = parse_seconds(text)
    except ValueError as error:
        raise UsageError(f"--around: {error}") from None
    samples = quantity.samples(trace.rate_hz)
    if samples is None:
        raise UsageError(f"--around {text}: the capture has no samplerate, so no time is known; give --samplerate")
    if samples >= trace.end:
        raise UsageError(f"--around {text}: the capture ends before, after {_seconds(trace)}")
    return Span(int(samples), int(samples) + 1, text.strip())


def _seconds(trace: Trace) -> str:
    return f"{trace.end / (trace.rate_hz or 1) * 1e3:.6g} ms"


def _transfer(text: str, name: str, number: int, buses: Sequence[str], trace: Trace) -> Span:
    if name == "transfer":
        if len(buses) != 1:
            raise UsageError(f"--around {text}: of which bus? Write for example {buses[0]}:{number}" if buses else text)
        name = buses[0]
    rows = trace.columns(name, "transfers")
    at = np.flatnonzero(rows["transfer"] == number)
    if not len(at):
        count = len(rows["transfer"])
        known = f"they are 0 to {count - 1}" if count else "there are none"
        raise UsageError(f"--around {text}: no transfer {number} on {name}; {known}")
    return Span(int(rows["start"][at[0]]), int(rows["end"][at[0]]) + 1, f"{name} transfer {number}")


def _finding(text: str, name: str, number: int, report: Report, trace: Trace) -> Span:
    known = {result.rule.id: result for result in report.rules}
    if name not in known:
        found = ", ".join(dict.fromkeys(f.rule for f in islice(report.findings, 200)))
        hint = did_you_mean(name, list(known)) or (f" (rules with findings: {found})" if found else "")
        raise UsageError(f'--around {text}: no rule "{name}" was judged{hint}')
    findings = list(islice(known[name].findings(), number))
    if number < 1 or len(findings) < number:
        has = f"{len(findings)} finding{'' if len(findings) == 1 else 's'}" if findings else "no finding"
        raise UsageError(f"--around {text}: {name} has {has} in this capture; transfer:N cuts around a transfer")
    return _surroundings(findings[number - 1], trace, f"{name}, finding {number}")


def _surroundings(finding: Finding, trace: Trace, of: str) -> Span:
    """From what was measured to its end, and the whole transfer it belongs to."""
    lasted = 0
    if finding.value_ns is not None and trace.rate_hz:
        lasted = round(finding.value_ns * trace.rate_hz / NS)
    start, stop = finding.sample, finding.sample + lasted + 1
    if finding.bus is not None and finding.transfer is not None:
        rows = trace.columns(finding.bus, "transfers")
        at = np.flatnonzero(rows["transfer"] == finding.transfer)
        if len(at):
            start, stop = min(start, int(rows["start"][at[0]])), max(stop, int(rows["end"][at[0]]) + 1)
    return Span(start, min(stop, trace.end), of)
