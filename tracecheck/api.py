"""The Python face: open, decode, check, analyze. The command line is a thin layer over these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any

from tracecheck import capture as captures
from tracecheck.capture.model import Capture
from tracecheck.decoding.exchanges import settle_samples
from tracecheck.decoding.find import wire
from tracecheck.decoding.stream import Batch, Undersampled, decode_capture
from tracecheck.decoding.wiring import Wiring
from tracecheck.errors import UsageError
from tracecheck.outline import Outline
from tracecheck.rules.defaults import fitting_rules
from tracecheck.rules.engine import Engine
from tracecheck.rules.file import load_many
from tracecheck.rules.model import BusSpec, MarkerSpec, RuleSet
from tracecheck.rules.result import RuleResult
from tracecheck.rules.stacks import stack_texts
from tracecheck.rules.tally import MAX_FINDINGS
from tracecheck.rules.timing import needs_timings, remarks
from tracecheck.rules.verdict import Report
from tracecheck.trace import Trace
from tracecheck.words import ORIGINS

if TYPE_CHECKING:
    from tracecheck.rules.heard import Heard

Progress = Callable[[int], None]
Rules = RuleSet | str | PathLike[str] | Sequence[str | PathLike[str]]


def open(  # noqa: A001  (it is tracecheck.open)
    path: str | PathLike[str],
    *,
    rate_hz: int | None = None,
    max_samples: int | None = None,
    device: int | None = None,
    unitsize: int | None = None,
) -> Capture:
    """Open a capture; the format is recognised by content, `-` is standard input. Raises CaptureError.

    `rate_hz` fills in, or overrides, the samplerate the file gives, and puts the times of formats that have some on
    its grid; `max_samples` refuses longer captures; `device` picks one of several in a session; `unitsize` says
    that the file is raw binary, with so many bytes a sample.
    """
    return captures.open(path, rate_hz=rate_hz, max_samples=max_samples, device=device, unitsize=unitsize)


def decode(
    capture: Capture | str | PathLike[str],
    scl: str | int | None = None,
    sda: str | int | None = None,
    markers: Mapping[str, str | int | MarkerSpec] | None = None,
    *,
    rules: Rules | None = None,
    rate_hz: int | None = None,
    timings: bool = False,
    progress: Progress | None = None,
) -> Trace:
    """Decode a capture into a Trace.

    `scl`, `sda`: channels by name or bit; found by name or behaviour when not given. `markers`: name -> channel (level
    coding) or MarkerSpec. `rules`: take buses, markers and the glitch limit from rule files or a rule set instead.
    `timings`: measure the bus's timing too, as rules of kind timing need it; it costs about half as much again.
    Raises CaptureError, ChannelError, RuleError.
    """
    opened = _opened(capture, rate_hz)
    ruleset = _with_lines(RuleSet() if rules is None else _rules(rules, None)[0], scl, sda, markers)
    for name in markers or ():
        opened.channel(ruleset.markers[name].channel)
    wiring = wire(opened, list(ruleset.buses.values()), list(ruleset.markers.values()))
    trace = Trace(opened.path, opened.rate_hz, wiring, capture=opened, glitch_s=ruleset.glitch.amount)
    trace.settle = settle_samples(ruleset.settle.amount, opened.rate_hz)
    return trace.collect(
        decode_capture(opened, wiring, glitch_s=ruleset.glitch.amount, progress=progress, timings=timings)
    )


def check(
    trace: Trace,
    rules: Rules | None = None,
    *,
    keep_checks: bool = False,
    max_findings: int | None = MAX_FINDINGS,
) -> Report:
    """Judge a decoded trace. Without rules, the presets that fit what the capture has are used, and all optional.

    `keep_checks`, `max_findings`: as for `analyze`. Raises UsageError for a file: that is for `analyze`, or `decode`.
    """
    if not isinstance(trace, Trace):
        raise UsageError(
            f"check: {trace!r} is no trace; tracecheck.analyze judges a file, tracecheck.decode makes a trace"
        )
    ruleset, notes = _rules(rules, trace.wiring)
    heard = _heard(trace.capture, trace.path, trace.wiring, ruleset)
    engine = Engine(
        ruleset,
        trace.wiring,
        trace.rate_hz,
        max_findings=max_findings,
        keep=keep_checks,
        said=heard.events if heard else None,
    )
    batch = trace.batch()
    engine.feed(batch)
    sampled = Undersampled()
    sampled.add(batch)
    facts = {"path": trace.path, "rate_hz": trace.rate_hz, "samples": trace.end}
    results = _results(engine, heard)
    return Report(
        {**facts, **trace.wiring.facts()},
        results,
        (*trace.wiring.hints, *sampled.notes(), *engine.gaps(), *remarks(results), *notes, *_troubles(heard)),
        trace.rate_hz,
        trace,
        complete=keep_checks,
        annotations=heard.annotations if heard is not None else (),
    )


def analyze(
    capture: Capture | str | PathLike[str],
    rules: Rules | None = None,
    *,
    rate_hz: int | None = None,
    keep_trace: bool = False,
    keep_checks: bool = False,
    max_findings: int | None = MAX_FINDINGS,
    timings: bool = False,
    progress: Progress | None = None,
    observe: Callable[[Batch], None] | None = None,
    outline: Outline | None = None,
) -> Report:
    """Decode and judge a capture in one pass, with memory that does not grow with the capture.

    Of each rule, bus and verdict the first `max_findings` findings are kept (None: all) and the others counted. With
    `keep_trace` the report's `trace` holds the tables too, with `keep_checks` its `checks` has every instance of every
    rule. Where rules name what a decoder of sigrok says, or the rule set declares stacks, these are run first, in
    processes of their own; the report's `annotations` are what they said. `timings` measures the bus's timing although
    no rule asks for it. `observe` is called with every batch of decoded rows. `outline` collects the transfers that
    findings name.
    """
    opened = _opened(capture, rate_hz)
    asked = None if rules is None else _rules(rules, None)[0]
    wiring = wire(opened, list(asked.buses.values()) if asked else (), list(asked.markers.values()) if asked else ())
    ruleset, notes = (asked, ()) if asked is not None and asked.rules else _rules(None, wiring, asked)
    trace = None
    if keep_trace:
        trace = Trace(opened.path, opened.rate_hz, wiring, capture=opened, glitch_s=ruleset.glitch.amount)
    heard = _heard(opened, opened.path, wiring, ruleset)
    engine = Engine(
        ruleset,
        wiring,
        opened.rate_hz,
        max_findings=max_findings,
        keep=keep_checks,
        said=heard.events if heard else None,
    )
    sampled = Undersampled()
    decoded = decode_capture(
        opened, wiring, glitch_s=ruleset.glitch.amount, progress=progress, timings=timings or needs_timings(ruleset)
    )
    for batch in decoded:
        engine.feed(batch)
        sampled.add(batch)
        if trace is not None:
            trace.add(batch)
        if outline is not None:
            outline.add(batch)
            outline.thin(engine.named)
        if observe is not None:
            observe(batch)
        del batch  # before the next one is decoded
    if trace is not None:
        trace.settle = settle_samples(ruleset.settle.amount, opened.rate_hz)
    facts: dict[str, Any] = {
        "path": opened.path,
        "format": opened.format,
        "rate_hz": opened.rate_hz,
        "samples": opened.samples,
        "origin": opened.remarks.get("origin") if opened.remarks.get("origin") in ORIGINS else None,
        "rules": list(ruleset.sources),
    }
    results = _results(engine, heard)
    return Report(
        {**facts, **wiring.facts()},
        results,
        (*opened.notes, *wiring.hints, *sampled.notes(), *engine.gaps(), *remarks(results), *notes, *_troubles(heard)),
        opened.rate_hz,
        trace,
        complete=keep_checks,
        annotations=heard.annotations if heard is not None else (),
    )


def _heard(capture: Capture | None, path: str, wiring: Wiring, rules: RuleSet) -> Heard | None:
    """What sigrok's decoders say, where the rules name any."""
    if not stack_texts(rules):
        return None
    if capture is None:
        raise UsageError(f"{path}: decoders of sigrok read the capture, and this trace was built without one")
    from tracecheck.rules.heard import hear  # noqa: PLC0415  (few rule sets name decoders)

    return hear(capture, wiring, rules)


def _results(engine: Engine, heard: Heard | None) -> tuple[RuleResult, ...]:
    """What became of the rules; with what the decoders said, where there were any."""
    results = engine.results()
    return results if heard is None else tuple(replace(result, texts=heard.texts) for result in results)


def _troubles(heard: Heard | None) -> tuple[str, ...]:
    return heard.troubles if heard is not None else ()


def _opened(capture: Capture | str | PathLike[str], rate_hz: int | None) -> Capture:
    if isinstance(capture, Capture):
        return capture
    return captures.open(capture, rate_hz=rate_hz)


def _rules(rules: Rules | None, wiring: Wiring | None, base: RuleSet | None = None) -> tuple[RuleSet, tuple[str, ...]]:
    if rules is None:
        declared = list(base.markers.values()) if base is not None else []
        chosen, names = fitting_rules(wiring or Wiring(), declared)
        merged = chosen if base is None else chosen.merged(base)
        return merged, (f"rules: no rule file given, using {', '.join(names)}",) if names else ()
    if isinstance(rules, RuleSet):
        return rules, ()
    paths: Iterable[str | PathLike[str]] = [rules] if isinstance(rules, str | PathLike) else rules
    return load_many([str(p) for p in paths]), ()


def _with_lines(
    rules: RuleSet,
    scl: str | int | None,
    sda: str | int | None,
    markers: Mapping[str, str | int | MarkerSpec] | None,
) -> RuleSet:
    if scl is not None or sda is not None:
        if len(rules.buses) > 1:
            raise UsageError("scl and sda name the lines of one bus, but the rules declare several")
        name = next(iter(rules.buses), "i2c0")
        lines = {key: str(line) for key, line in (("scl", scl), ("sda", sda)) if line is not None}
        rules = rules.with_buses([BusSpec(name=name, **lines)])
    specs = [
        m if isinstance(m, MarkerSpec) else MarkerSpec(name=name, channel=str(m)) for name, m in (markers or {}).items()
    ]
    return rules.with_markers(specs)
