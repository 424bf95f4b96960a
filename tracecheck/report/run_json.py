"""A run for programs. `docs/schema/report-1.json` describes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tracecheck.report import json as as_json
from tracecheck.report.formats import Detail
from tracecheck.report.judged import Judged, Run, Unreadable
from tracecheck.report.style import Style


def render(run: Run, style: Style, detail: Detail) -> Iterator[str]:
    """One capture that was named: its object. Else `{"schema": 1, "verdict": ..., "captures": [...]}`."""
    objects = [_object(one) for one in run.captures]
    if run.single:
        yield as_json.render(objects)
        return
    whole = {"schema": as_json.SCHEMA, "verdict": run.verdict, "exit_code": run.exit_code, "captures": objects}
    yield json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _object(one: Judged | Unreadable) -> dict[str, Any]:
    if isinstance(one, Unreadable):
        found = as_json.unreadable(one.path, one.reason)
    else:
        found = as_json.verdict(one.report, one.outline, fail_on=one.terms.fail_on, strict=one.terms.strict)
    if one.terms.suite is not None:
        found |= {"suite": one.terms.suite, "expected": one.terms.verdict, "exit_code": one.exit_code}
    return found
