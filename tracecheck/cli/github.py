"""What a GitHub runner offers a step beside its log: the summary, a file to append to."""

from __future__ import annotations

import os

from tracecheck.errors import OutputError
from tracecheck.report import step_summary
from tracecheck.report.judged import Run

SUMMARY = "GITHUB_STEP_SUMMARY"


def append_summary(run: Run) -> None:
    """Append the run to the step's summary, where there is one: the whole text or nothing. Raises OutputError."""
    path = os.environ.get(SUMMARY)
    if not path:
        return
    text = step_summary.render(run).encode("utf-8", "replace")
    try:
        with open(path, "ab") as file:  # noqa: PTH123  (a name of the environment's, as it stands)
            before = file.tell()
            try:
                file.write(text)
                file.flush()
            except OSError:
                file.truncate(before)
                raise
    except OSError as error:
        raise OutputError(path, f"the step summary (${SUMMARY}) cannot be written: {error.strerror}") from error
