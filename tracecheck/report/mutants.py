"""What a mutation run found, for people and for programs: which rules catch which fault, and what nobody catches."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from tracecheck.mutate.operators import BY_NAME, OPERATORS
from tracecheck.mutate.run import Mutant, Mutation
from tracecheck.report.findings import wrapped
from tracecheck.report.style import Align, Style, aligned
from tracecheck.timebase import instant_text, to_ns

SCHEMA = 1
_NAMED = 2
"""Rules named in a row of the table; the others are counted."""


def render(found: Mutation, style: Style, *, verbose: bool = False) -> str:
    """The whole text, ending with a line end."""
    schemes = ", ".join(f"{scheme} on {bus}" for bus, scheme in found.schemes.items())
    lines = [style.paint(found.path, "bold"), f"  {schemes}; {len(found.rules)} rules; seed {found.seed}", ""]
    lines += _table(found, style)
    lines += _listed(found, "survived", "Survived: the markers can show it, and no rule failed", "red", style)
    lines += _listed(found, "alarm", "Failed although only the recording was cut", "yellow", style)
    lines += _invisible(found, style, verbose=verbose)
    for note in notes(found):
        lines += ["", *wrapped(f"Note: {note}", style, 0)]
    lines += ["", verdict_line(found, style)]
    return "\n".join(lines) + "\n"


def verdict_line(found: Mutation, style: Style) -> str:
    """`FAIL: 3 of 250 visible faults survived; 40 were not visible`."""
    survived, caught = len(found.of("survived")), len(found.of("caught"))
    word, colour = ("FAIL", "red") if found.exit_code else ("PASS", "green")
    said = f"{survived} faults survived" if survived != 1 else "1 fault survived"
    said += f", {caught} {'was' if caught == 1 else 'were'} caught; {len(found.of('invisible'))} could not be seen"
    said += f"; {alarms} failed only for being cut" if (alarms := len(found.of("alarm"))) else ""
    return style.paint(f"{word}:", "bold", colour) + f" {said}"


def notes(found: Mutation) -> list[str]:
    """What was not tried, and why."""
    said = []
    if found.unchecked:
        said.append(f"these rules have nothing to judge in this capture: {', '.join(found.unchecked)}")
    reasons: dict[str, list[str]] = {}
    for rule, reason in found.untried:
        reasons.setdefault(reason, []).append(rule)
    said += [f"bounds that no fault was made for, as {why}: {', '.join(rules)}" for why, rules in reasons.items()]
    if found.idle:
        said.append(
            f"not tried, as the capture has no place for it or no rule a bound: {', '.join(found.idle)}; "
            "whether these rules would see it is not known"
        )
    if silent := _silent(found):
        said.append(f"{len(silent)} rules caught none of these faults: {', '.join(silent)}")
    return said


def as_object(found: Mutation) -> dict[str, Any]:
    """For programs. Schema 1."""
    return {
        "schema": SCHEMA,
        "capture": {"path": found.path, "rate_hz": found.rate_hz},
        "seed": found.seed,
        "schemes": found.schemes,
        "verdict": "fail" if found.exit_code else "pass",
        "exit_code": found.exit_code,
        "operators": [_operator(found, name) for name in _tried(found)],
        "mutants": [_mutant(found, mutant) for mutant in found.mutants],
        "caught_nothing": _silent(found),
        "unchecked": list(found.unchecked),
        "untried": [{"rule": rule, "reason": reason} for rule, reason in found.untried],
        "no_place": list(found.idle),
    }


def render_json(found: Mutation) -> str:
    return json.dumps(as_object(found), indent=2, ensure_ascii=False) + "\n"


def _operator(found: Mutation, name: str) -> dict[str, Any]:
    mine = [m for m in found.mutants if m.operator == name]
    return {
        "name": name,
        "does": BY_NAME[name].does,
        "visible": {bus: scheme in BY_NAME[name].visible for bus, scheme in found.schemes.items()},
        "injected": len(mine),
        **{fate: sum(m.fate == fate for m in mine) for fate in ("caught", "survived", "invisible", "alarm")},
        "rules": dict(_rules(mine)),
    }


def _mutant(found: Mutation, mutant: Mutant) -> dict[str, Any]:
    return {
        "operator": mutant.operator,
        "fate": mutant.fate,
        "bus": mutant.bus,
        "transfer": mutant.transfer,
        "shape": mutant.shape,
        "sample": mutant.sample,
        "t_ns": to_ns(mutant.sample, found.rate_hz) if found.rate_hz else None,
        "what": mutant.what,
        "for_rule": mutant.target,
        "caught_by": list(mutant.caught_by),
    }


def _tried(found: Mutation) -> list[str]:
    tried = {m.operator for m in found.mutants}
    return [o.name for o in OPERATORS if o.name in tried]


def _rules(mutants: list[Mutant]) -> list[tuple[str, int]]:
    counts = Counter(rule for mutant in mutants for rule in mutant.caught_by)
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _silent(found: Mutation) -> list[str]:
    heard = {rule for mutant in found.mutants for rule in mutant.caught_by}
    return [rule for rule in found.rules if rule not in heard and rule not in found.unchecked]


def _table(found: Mutation, style: Style) -> list[str]:
    align: list[Align] = ["<", ">", ">", ">", ">", "<"]
    rows = [["fault", "injected", "caught", "survived", "unseen", "caught by"]]
    for name in _tried(found):
        mine = [m for m in found.mutants if m.operator == name]
        counts = [sum(m.fate == fate for m in mine) for fate in ("caught", "survived", "invisible")]
        rules = _rules(mine)
        named = ", ".join(rule for rule, _ in rules[:_NAMED])
        named += f" and {len(rules) - _NAMED} more" if len(rules) > _NAMED else ""
        rows.append([name, str(len(mine)), *(str(n) if n else "" for n in counts), named])
    lines = aligned(rows, align)
    if max(map(len, lines)) > style.width:
        lines = aligned([row[:-1] for row in rows], align[:-1])
    return [style.paint(lines[0], "dim"), *lines[1:]]


def _listed(found: Mutation, fate: str, title: str, colour: str, style: Style) -> list[str]:
    mine = [m for m in found.mutants if m.fate == fate]
    if not mine:
        return []
    lines = ["", style.paint(f"{title}:", "bold", colour)]
    for mutant in mine:
        when = instant_text(to_ns(mutant.sample, found.rate_hz)) if found.rate_hz else f"sample {mutant.sample}"
        text = f"{mutant.operator} at {when}, {mutant.bus} transfer {mutant.transfer} ({mutant.shape}): {mutant.what}"
        if mutant.target:
            text += f" by {mutant.target}"
        if fate == "alarm":
            text += f": {', '.join(mutant.caught_by)}"
        first, *rest = wrapped(text, style, 4)
        lines += [f"  {first.lstrip()}", *rest]
    return lines


def _invisible(found: Mutation, style: Style, *, verbose: bool) -> list[str]:
    names = [name for name in _tried(found) if any(m.fate == "invisible" and m.operator == name for m in found.mutants)]
    if not names:
        return []
    lines = ["", style.paint("Not caught, and not to be seen with these markers:", "bold")]
    for name in names:
        count = sum(m.fate == "invisible" and m.operator == name for m in found.mutants)
        first, *rest = wrapped(f"{name} ({count}): {BY_NAME[name].why}", style, 4)
        lines += [f"  {first.lstrip()}", *rest]
    return lines + (_listed(found, "invisible", "They were", "dim", style) if verbose else [])
