"""From command-line arguments to the rule set that says how a capture's pins are read, and what is judged."""

from __future__ import annotations

from collections.abc import Sequence

from tracecheck.cli.lines import Lines
from tracecheck.rules.consistency import checked
from tracecheck.rules.expect import expect
from tracecheck.rules.file import load_many
from tracecheck.rules.model import RuleSet
from tracecheck.rules.stacks import named_stacks


def rule_set(
    files: Sequence[str], lines: Lines, expectations: Sequence[str] = (), stacks: Sequence[str] = ()
) -> RuleSet:
    """All that was asked for in one set; it has no rules when none were. Raises RuleError, UsageError.

    A stack takes the place of a rule file's of its name, which is its topmost decoder's; a second one is NAME-2.
    """
    markers = [marker.name for marker in lines.marker_specs()]
    rules = load_many(files, markers) if files else RuleSet()
    rules = lines.applied(rules)
    rules = rules.with_rules([expect(text, i) for i, text in enumerate(expectations, 1)])
    if stacks:
        rules = rules.with_stacks(named_stacks(stacks))
    return checked(rules)
