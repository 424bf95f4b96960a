"""A recording that was just made is judged, as `analyze` would."""

from __future__ import annotations

from collections.abc import Sequence

from tracecheck.cli import analyze
from tracecheck.cli.lines import Lines
from tracecheck.cli.reading import Reading


def judged(path: str, rules: Sequence[str], *, quiet: bool) -> int:
    """The exit code of `analyze` with these rules; 0 where there are none."""
    if not rules:
        return 0
    return analyze.run(
        analyze.Request(
            captures=[path],
            rules=rules,
            expect=[],
            lines=Lines(),
            reading=Reading(),
            output_format="text",
            output=None,
            fail_on="error",
            strict=False,
            quiet=quiet,
            verbose=False,
        )
    )
