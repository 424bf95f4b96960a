"""A timing rule taken apart: one rule for each bound of each parameter, as the engine judges them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from tracecheck.rules.model import Rule, RuleSet, TimingRule
from tracecheck.rules.parameters import AUTO, LIMITS, SPEEDS, WHY, Side
from tracecheck.rules.quantity import Quantity
from tracecheck.words import PARAMETERS

if TYPE_CHECKING:
    from tracecheck.rules.result import RuleResult


class ParameterRule(Rule):
    """One bound of one parameter. `bounds`: for each mode; `by_clock`: a transfer's clock says which.

    `named`: the rule asks for this very parameter, so that it must be decided; others it has with the mode, and of
    these only all together must have been, where the rule is `required`. `group`: the rule's id as it was written.
    """

    id: str
    kind: Literal["timing"] = "timing"
    scope: Literal["transfer"] = "transfer"
    parameter: str
    side: Side
    bounds: dict[str, Quantity]
    by_clock: bool
    named: bool
    group: str
    required: bool


def taken_apart(rules: RuleSet) -> RuleSet:
    """The set with every timing rule replaced by its parameters' rules, `ID.PARAMETER`."""
    return rules.model_copy(update={"rules": tuple(part for rule in rules.rules for part in _parts(rule))})


def _parts(rule: Rule) -> Iterator[Rule]:
    if not isinstance(rule, TimingRule):
        yield rule
        return
    for parameter in PARAMETERS:
        sides = list(_bounds(rule, parameter))
        for side, bounds, named in sides:
            yield ParameterRule(
                id=f"{rule.id}.{parameter}" + (f".{side}" if len(sides) > 1 else ""),
                severity=rule.severity,
                optional=rule.optional or not named,
                required=not rule.optional,
                where=rule.where,
                why=rule.why or WHY[parameter],
                source=rule.source,
                line=rule.line,
                parameter=parameter,
                side=side,
                bounds=bounds,
                by_clock=rule.mode == AUTO and parameter not in rule.limits,
                named=named,
                group=rule.id,
            )


def _bounds(rule: TimingRule, parameter: str) -> Iterator[tuple[Side, dict[str, Quantity], bool]]:
    """Each bound the rule gives the parameter: min or max, the bound in each mode, and whether the rule names it."""
    own = rule.limits.get(parameter)
    if own is not None:
        if own.min is not None:
            yield "min", {"": own.min}, True
        if own.max is not None:
            yield "max", {"": own.max}, True
        return
    if rule.mode is None or parameter in rule.without or (rule.parameters and parameter not in rule.parameters):
        return
    modes = SPEEDS if rule.mode == AUTO else (rule.mode,)
    sides: tuple[Side, ...] = ("min", "max")
    for side in sides:
        bounds = {mode: LIMITS[mode][parameter][side] for mode in modes if side in LIMITS[mode].get(parameter, {})}
        if bounds:
            yield side, bounds, bool(rule.parameters)


def needs_timings(rules: RuleSet) -> bool:
    """Whether any rule asks for the bus's timing."""
    return any(isinstance(rule, TimingRule) for rule in rules.rules)


def remarks(results: Iterable[RuleResult]) -> tuple[str, ...]:
    """What is to be said of timing rules: the modes their clocks gave, and the parameters that could not be decided."""
    groups: dict[str, list[RuleResult]] = {}
    for result in results:
        if isinstance(result.rule, ParameterRule):
            groups.setdefault(result.rule.group, []).append(result)
    said = []
    for group, parts in groups.items():
        modes: Counter[str] = Counter()
        for part in parts:
            for lane in part.lanes:
                modes |= getattr(lane.checker, "modes", Counter())
        if modes := +modes:
            found = " and ".join(f"{mode} for {count} transfer{'s' * (count != 1)}" for mode, count in modes.items())
            said.append(f"{group}: the mode was found by the clock, {found}; a rule with a mode of its own is surer")
        rate = parts[0].rate_hz
        vague = [part for part in parts if is_vague(part.rule) and part.inconclusive and not part.judged]
        if vague and rate:
            names = ", ".join(part.rule.id.removeprefix(f"{group}.") for part in vague)
            said.append(
                f"{group}: {rate:,} samples a second cannot decide {names} in this capture; they count for nothing"
            )
        elif vague:
            said.append(f"{group}: without a samplerate no time can be judged")
    return tuple(said)


def is_vague(rule: Rule) -> bool:
    """Whether a rule is one of many parameters that a mode has, and need not be decided by itself."""
    return isinstance(rule, ParameterRule) and not rule.named


def group_of(rule: Rule) -> str | None:
    """Which rule must have judged something for this one to have been checked: itself, or of a mode's parameters the
    mode's; None where there is none that must.
    """
    if isinstance(rule, ParameterRule) and not rule.named:
        return rule.group if rule.required else None
    return None if rule.optional else rule.id
