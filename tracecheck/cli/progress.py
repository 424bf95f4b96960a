"""A progress bar on standard error: only on a terminal, and only once the work has taken half a second."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tracecheck.cli.console import state

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

PATIENCE_S = 0.5
_EVERY_S = 0.05


class Progress:
    """Use as a context; the object itself is the callback, called with the samples done so far."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total = what, total
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        shown = sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._next = time.monotonic() + PATIENCE_S if shown and not state.quiet else float("inf")

    def __call__(self, samples: int) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _EVERY_S
        if self._bar is None or self._task is None:
            from rich.console import Console  # noqa: PLC0415  (half of `tracecheck --help`'s time, and seldom needed)
            from rich.progress import Progress as Bar  # noqa: PLC0415

            self._bar = Bar(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(self._what, total=self._total)
            self._bar.start()
        self._bar.update(self._task, completed=samples)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
