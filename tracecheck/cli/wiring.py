"""From command-line arguments to the rule set that says how a capture's pins are read, and what is judged."""

from __future__ import annotations

from collections.abc import Sequence

from tracecheck.cli.lines import Lines
from tracecheck.rules.consistency import checked
from tracecheck.rules.expect import expect
from tracecheck.rules.file import load_many
from tracecheck.rules.model import RuleSet


def rule_set(files: Sequence[str], lines: Lines, expectations: Sequence[str] = ()) -> RuleSet:
    """All that was asked for in one set; it has no rules when none were. Raises RuleError, UsageError."""
    markers = [marker.name for marker in lines.marker_specs()]
    rules = load_many(files, markers) if files else RuleSet()
    rules = lines.applied(rules)
    rules = rules.with_rules([expect(text, i) for i, text in enumerate(expectations, 1)])
    return checked(rules)
