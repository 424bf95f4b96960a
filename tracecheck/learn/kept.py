"""What of a learned rule file holds on the capture itself; the rest is taken out, and why is said."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Final

from tracecheck.api import check
from tracecheck.errors import CaptureError
from tracecheck.learn.draft import Draft, counted
from tracecheck.rules.file import load
from tracecheck.rules.result import RuleResult
from tracecheck.rules.verdict import Report
from tracecheck.trace import Trace

_ALWAYS: Final = 3
"""Instances that all fail a rule of a preset, from which on the preset is not meant for this firmware."""


def _report(draft: Draft, trace: Trace) -> Report:
    return check(trace, load("the learned rules", draft.text()))


def judged(draft: Draft, trace: Trace) -> dict[str, RuleResult]:
    """What each rule of the draft comes to on the capture, by id."""
    return {result.rule.id: result for result in _report(draft, trace).rules}


def settle(draft: Draft, trace: Trace) -> None:
    """Take out what the capture itself does not pass, until it passes."""
    inherited = {name: {rule.id for rule in load(name).rules} for name in draft.presets}
    while True:
        report = _report(draft, trace)
        found = {result.rule.id: result for result in report.rules}
        wrong = {name: _why(result) for name, result in found.items() if _why(result)}
        for preset, ids in inherited.items():
            unfit = preset in draft.presets and _unfit([found[i] for i in found if i in ids], wrong)
            if unfit:
                draft.presets.remove(preset)
                draft.left_out[f"the preset {preset}"] = unfit
                draft.disabled = {i: why for i, why in draft.disabled.items() if i not in ids}
                wrong = {i: why for i, why in wrong.items() if i not in ids}
                break
        else:
            if not wrong:
                break
        own = {block.id for block in draft.blocks}
        draft.left_out |= {i: why for i, why in wrong.items() if i in own}
        draft.disabled |= {i: why for i, why in wrong.items() if i not in own}
        draft.blocks = [block for block in draft.blocks if block.id not in wrong]
    if report.exit_code():
        raise CaptureError(trace.path, "nothing in it could be judged, so nothing was learned; record for longer")


def _unfit(results: Sequence[RuleResult], wrong: Container[str]) -> str:
    """Why a preset is about another firmware than this, or an empty string: a few exceptions make it no stranger."""
    for result in results:
        if result.failed == result.judged >= _ALWAYS and result.rule.severity == "error":
            return f"its rule {result.rule.id} fails in all of {result.judged} instances"
    if not any(result.passed for result in results if result.rule.id not in wrong):
        return "none of its rules passes in this capture"
    return ""


def _why(result: RuleResult) -> str:
    """Why a rule cannot stand in the file, or an empty string."""
    if result.failed:
        return f"fails in {result.failed} of {counted(result.judged, 'instance')}"
    if any(s.verdict for _, s in result.statistics):
        return "its percentiles cannot be shown to hold"
    if result.judged or result.rule.optional:
        return ""
    if result.missing:
        return f"there is no {', '.join(result.missing)}"
    return "nothing to judge, or nothing that could be decided"
