"""A comparison in words, and as an object for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from tracecheck.compare.chance import needed
from tracecheck.compare.comparison import Comparison
from tracecheck.compare.shift import MEDIAN, TAILS, Few, Shift
from tracecheck.timebase import ns_text


def lines(found: Comparison) -> list[str]:
    """One a change, then what could not be said, then the sum of it."""
    worse = {(shift.of, shift.name) for shift in found.regressions}
    told = [_shift(s) for s in found.shifts if _worth_telling(s) and (s.figure != "max" or (s.of, s.name) not in worse)]
    told += [f"rule {name}: passed, now fails" for name in found.broken]
    told += [*_unjudged(found)]
    told += [_differing(found, name, keys) for name, keys in found.differing]
    told += [f"shape {name}: vanished, {found.base.shapes[name]} before" for name in found.vanished]
    told += [f"shape {name}: new, {_times(found.new.shapes[name])}" for name in found.appeared]
    if found.added:
        told.append(f"only in NEW, so not compared: {_n(found.added, 'rule')} {', '.join(found.added)}")
    told += [*_few(found.few), *found.notes]
    return [*told, f"{found.base.name} -> {found.new.name}: {_sum(found)}"]


def as_object(found: Comparison) -> dict[str, Any]:
    """Keys in a fixed order."""
    return {
        "schema": 2,
        "base": found.base.name,
        "new": found.new.name,
        "exit_code": found.exit_code,
        "broken": list(found.broken),
        "unjudged": [{"rule": name, "optional": may_be} for name, may_be in found.unjudged],
        "added": list(found.added),
        "differing": [
            {
                "rule": name,
                "keys": {k: [found.base.rules[name].asks.get(k), found.new.rules[name].asks.get(k)] for k in keys},
            }
            for name, keys in found.differing
        ],
        "shifts": [asdict(shift) for shift in found.shifts],
        "vanished": list(found.vanished),
        "appeared": list(found.appeared),
        "too_few": [asdict(few) for few in found.few],
        "notes": list(found.notes),
    }


def _shift(shift: Shift) -> str:
    def value(x: float) -> str:
        return ns_text(x) if shift.unit == "ns" else f"{x:.0f}"

    said: str = shift.verdict
    if said == "unclear":
        said = f"unclear: of {shift.base_count} and {shift.new_count} instances that may be chance"
    return f"{shift.of} {shift.name}, {shift.figure}: {value(shift.base)} -> {value(shift.new)}, {said}"


def _worth_telling(shift: Shift) -> bool:
    """Not what may have got less by chance."""
    return shift.verdict != "same" and not (shift.verdict == "unclear" and shift.new < shift.base)


def _unjudged(found: Comparison) -> Iterator[str]:
    absent = [name for name, _ in found.unjudged if name not in found.new.rules]
    if absent:
        what = f"passed, now not among the rules of NEW: {_n(absent, 'rule')} {', '.join(absent)}"
        yield f"{what}; name the same rules with --rules, and the same markers, or save the baseline anew"
    for name, may_be in found.unjudged:
        if name in found.new.rules:
            yield f"rule {name}: passed, now nothing to judge" + (" (it is optional)" if may_be else "")


def _differing(found: Comparison, name: str, keys: Sequence[str]) -> str:
    before, after = found.base.rules[name].asks, found.new.rules[name].asks
    what = ", ".join(f"{key} {_key(before.get(key))} -> {_key(after.get(key))}" for key in keys)
    compared = any(shift.of == "rule" and shift.name == name for shift in found.shifts)
    return f"rule {name}: asks something else now: {what}" + ("" if compared else "; its figures were not compared")


def _key(value: object) -> str:
    return "none" if value is None else str(value)


def _few(few: Sequence[Few]) -> Iterator[str]:
    """One line for all that have too few for a median, one for all that have too few for a tail."""
    for figure, least in (("median", needed(MEDIAN)), ("tail", needed(TAILS[-1][1]))):
        parts = []
        for of, noun in (("rule", "rule"), ("shape", "shape"), ("SCL period of", "SCL period")):
            if each := [one for one in few if one.figure == figure and one.of == of]:
                low, high = min(one.count for one in each), max(one.count for one in each)
                parts.append(f"{_n(each, noun)} ({low if low == high else f'{low} to {high}'})")
        if parts:
            yield f"too few instances to tell a {figure} from chance, {least} on each side: {', '.join(parts)}"


def _sum(found: Comparison) -> str:
    if not found.in_common:
        return "NOTHING IN COMMON, so nothing was compared"
    unclear = sum(_worth_telling(shift) and shift.verdict == "unclear" for shift in found.shifts)
    end = f"{len(found.regressions)} of {_n(found.shifts, 'figure')} longer or more, "
    end += f"{unclear} unclear, " * bool(unclear) + f"{_n(found.broken, 'rule')} broken"
    lost = [name for name, may_be in found.unjudged if not may_be]
    return end + (f", {_n(lost, 'rule')} NOT JUDGED any more" if lost else "")


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"


def _n(of: Sequence[object], noun: str) -> str:
    return f"{len(of)} {noun}{'' if len(of) == 1 else 's'}"
