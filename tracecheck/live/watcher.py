"""Blocks in, findings out, as soon as they are certain: what `analyze` does at the end, done all along."""

from __future__ import annotations

from tracecheck.capture.model import EdgeBlock
from tracecheck.decoding.stream import BATCH_EVENTS, Decoding, Timing, Undersampled
from tracecheck.decoding.wiring import Wiring
from tracecheck.rules.engine import Engine
from tracecheck.rules.finding import Finding
from tracecheck.rules.model import RuleSet
from tracecheck.rules.timing import needs_timings, remarks
from tracecheck.rules.verdict import Report

PACE_HZ = 20
"""How often a second of the stream what was decoded is judged: often enough for a person, seldom enough to be cheap."""


class Watcher:
    """Judges a stream of blocks by `rules`. Memory does not grow with the stream.

    `feed` returns the findings that became certain with a block, in order; `finish` those that the end decides.
    """

    def __init__(self, rules: RuleSet, wiring: Wiring, rate_hz: int | None) -> None:
        self._rules, self._wiring, self._rate_hz = rules, wiring, rate_hz
        self._decoding: Decoding | None = None
        self._timing = Timing.at(rate_hz, rules.glitch.amount)
        self._fresh: list[Finding] = []
        self._engine = Engine(rules, wiring, rate_hz, max_findings=100, observe=self._fresh.append)
        self._sampled = Undersampled()
        self._taken = 0
        self._pace = max((rate_hz or 1_000_000) // PACE_HZ, 1)
        self.transfers = 0
        """So many have ended."""
        self.end = 0
        """Samples seen."""

    def feed(self, block: EdgeBlock) -> list[Finding]:
        """What this block made certain."""
        if self._decoding is None:
            self._decoding = self._fresh_decoding(block.begin)
            self._taken = block.begin
        self._decoding.feed(block)
        self.end = block.end
        if block.end - self._taken >= self._pace or self._decoding.filled >= BATCH_EVENTS:
            self._judge(final=False)
        return self._handed()

    @property
    def judged(self) -> int:
        """The sample up to which findings are known."""
        return self._taken

    def flush(self) -> list[Finding]:
        """What is certain by now: for a stream that pauses."""
        if self._decoding is not None and self.end > self._taken:
            self._judge(final=False)
        return self._handed()

    def finish(self) -> list[Finding]:
        """What is certain now that nothing more comes."""
        self._judge(final=True)
        return self._handed()

    def _judge(self, *, final: bool) -> None:
        decoding = self._decoding or self._fresh_decoding(0)
        batch = decoding.finish() if final else decoding.take()
        self._taken = self.end
        self.transfers += sum(len(rows["transfers"]["start"]) for rows in batch.buses.values())
        self._sampled.add(batch)
        self._engine.feed(batch)

    def _fresh_decoding(self, begin: int) -> Decoding:
        return Decoding(self._wiring, self._timing, begin, timings=needs_timings(self._rules))

    def _handed(self) -> list[Finding]:
        found = sorted(self._fresh, key=lambda finding: finding.sample)
        self._fresh.clear()
        return found

    def report(self, path: str, notes: tuple[str, ...] = ()) -> Report:
        """The verdict on all that was seen; after `finish`."""
        facts = {"path": path, "rate_hz": self._rate_hz, "samples": self.end, "rules": list(self._rules.sources)}
        results = self._engine.results()
        return Report(
            {**facts, **self._wiring.facts()},
            results,
            (*self._wiring.hints, *self._sampled.notes(), *self._engine.gaps(), *remarks(results), *notes),
            self._rate_hz,
        )
