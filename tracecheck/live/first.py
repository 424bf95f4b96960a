"""Watching that ends at the first failure.

A stream is judged many milliseconds at a time, as judging often takes more time than judging much. To stop where the
failure is, and not where it was noticed, two watchers follow the stream: one goes ahead, and where it meets a failure
the other goes through the same stretch in small steps. Where a stream is cut changes no verdict, so both find the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from tracecheck.capture.model import EdgeBlock
from tracecheck.live.part import part
from tracecheck.live.watcher import Watcher
from tracecheck.rules.finding import Finding
from tracecheck.rules.verdict import Report

STEP_HZ: Final = 10_000
"""Steps a second in which the stretch with the failure is judged again."""


class FirstFailure:
    """A Watcher that judges nothing after the first finding that is `wanted`; `make` makes the two that are needed.

    Findings that become certain within the same step, a tenth of a millisecond, are told and counted with it.
    """

    def __init__(self, make: Callable[[], Watcher], wanted: Callable[[Finding], bool], rate_hz: int | None) -> None:
        self._ahead, self._behind, self._wanted = make(), make(), wanted
        self._step = max((rate_hz or 1_000_000) // STEP_HZ, 1)
        self._between: list[EdgeBlock] = []
        self.stopped = False

    @property
    def transfers(self) -> int:
        """As of a Watcher: so many have ended."""
        return self._behind.transfers

    @property
    def end(self) -> int:
        """As of a Watcher: samples seen, up to the step in which it stopped."""
        return self._behind.end if self.stopped else self._ahead.end

    @property
    def judged(self) -> int:
        """As of a Watcher: the sample up to which findings are known."""
        return self._behind.judged

    def feed(self, block: EdgeBlock) -> list[Finding]:
        """What this block made certain."""
        if self.stopped:
            return []
        self._between.append(block)
        return self._followed(self._ahead.feed(block))

    def flush(self) -> list[Finding]:
        """What is certain by now: for a stream that pauses."""
        return [] if self.stopped else self._followed(self._ahead.flush())

    def finish(self) -> list[Finding]:
        """What is certain now that nothing more comes; nothing where it stopped before."""
        return [] if self.stopped else self._finished()

    def report(self, path: str, notes: tuple[str, ...] = ()) -> Report:
        """The verdict on what was judged."""
        return self._behind.report(path, notes)

    def _finished(self) -> list[Finding]:
        failed = any(map(self._wanted, self._ahead.finish()))
        found = list(self._steps() if failed else self._whole())
        return found if self.stopped else found + self._behind.finish()

    def _followed(self, found: list[Finding]) -> list[Finding]:
        if any(map(self._wanted, found)):
            return list(self._steps())
        return list(self._whole()) if self._ahead.judged == self._ahead.end else []

    def _whole(self) -> Iterator[Finding]:
        for block in self._between:
            yield from self._behind.feed(block)
        self._between.clear()
        yield from self._behind.flush()

    def _steps(self) -> Iterator[Finding]:
        for block in self._between:
            for begin in range(block.begin, block.end, self._step):
                found = self._behind.feed(part(block, begin, begin + self._step)) + self._behind.flush()
                yield from found
                if any(map(self._wanted, found)):
                    self.stopped = True
                    self._between.clear()
                    return
        self._between.clear()
