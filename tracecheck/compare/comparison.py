"""Two baselines compared: figures that shifted, rules that broke or are no longer judged, shapes that came and went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from tracecheck.compare.baseline import Baseline, RuleSide, Table
from tracecheck.compare.definition import BOUNDS, changed
from tracecheck.compare.shift import Few, Of, Shift, Side, shifts
from tracecheck.timebase import NS


@dataclass(frozen=True, slots=True)
class Comparison:
    """What there is to say of NEW beside BASE.

    `broken`    rules that passed and now fail
    `unjudged`  rules that passed and now have nothing to judge, or are not among the rules: (id, whether that may be)
    `added`     rules that only NEW has
    `differing` rules that ask something else now: (id, the keys in which they differ)
    `few`       what has too few instances for a median or a tail
    `notes`     what else could not be compared
    """

    base: Baseline
    new: Baseline
    shifts: tuple[Shift, ...]
    broken: tuple[str, ...]
    unjudged: tuple[tuple[str, bool], ...]
    added: tuple[str, ...]
    differing: tuple[tuple[str, tuple[str, ...]], ...]
    vanished: tuple[str, ...]
    appeared: tuple[str, ...]
    few: tuple[Few, ...]
    notes: tuple[str, ...]

    @property
    def regressions(self) -> tuple[Shift, ...]:
        return tuple(shift for shift in self.shifts if shift.verdict == "regression")

    @property
    def in_common(self) -> bool:
        """Whether there was anything to compare."""
        return bool(self.shifts or self.base.shapes.keys() & self.new.shapes.keys())

    @property
    def exit_code(self) -> int:
        """1: something got longer or more, or a rule broke; 2: nothing in common, or a rule is not judged any more."""
        if self.regressions or self.broken:
            return 1
        lost = any(not may_be for _, may_be in self.unjudged)
        return 2 if lost or not self.in_common else 0


def compared(base: Baseline, new: Baseline, tolerance: Fraction) -> Comparison:
    """`tolerance`: how much more than in BASE is let pass, as a fraction of it."""
    both = sorted(base.rules.keys() & new.rules.keys())
    differing = {name: tuple(changed(base.rules[name].asks, new.rules[name].asks)) for name in both}
    differing = {name: keys for name, keys in differing.items() if keys}
    found: list[Shift | Few] = []
    for name in both:
        if set(differing.get(name, ())) <= BOUNDS:
            found += _of_rule(name, base, new, tolerance)
    notes = []
    if base.rate_hz and new.rate_hz:
        scales, doubt = _scales(base, new)
        both_sides: tuple[tuple[Of, Mapping[str, Table], Mapping[str, Table]], ...] = (
            ("shape", base.durations, new.durations),
            ("SCL period of", base.periods, new.periods),
        )
        for of, one, other in both_sides:
            for name in sorted(one.keys() & other.keys()):
                found += shifts(of, name, Side(one[name], scales[0]), Side(other[name], scales[1]), tolerance, doubt)
    else:
        notes.append("a capture without a samplerate has no times to compare")
    passed = {name: side for name, side in base.rules.items() if side.verdict == "pass"}
    return Comparison(
        base=base,
        new=new,
        shifts=tuple(each for each in found if isinstance(each, Shift)),
        broken=tuple(sorted(name for name in passed if _verdict(new, name) == "fail")),
        unjudged=tuple((name, _may_be(new.rules.get(name))) for name in sorted(passed) if _idle(new, name)),
        added=tuple(sorted(new.rules.keys() - base.rules.keys())),
        differing=tuple(differing.items()),
        vanished=tuple(sorted(base.shapes.keys() - new.shapes.keys())),
        appeared=tuple(sorted(new.shapes.keys() - base.shapes.keys())),
        few=tuple(each for each in found if isinstance(each, Few)),
        notes=tuple(notes),
    )


def _of_rule(name: str, base: Baseline, new: Baseline, tolerance: Fraction) -> list[Shift | Few]:
    before, after = base.rules[name], new.rules[name]
    if before.unit is None or before.unit != after.unit:
        return []
    if before.unit == "count":
        one = Fraction(1)
        return list(shifts("rule", name, Side(before.values, one), Side(after.values, one), tolerance, Fraction(0)))
    if not base.rate_hz or not new.rate_hz:
        return []
    scales, doubt = _scales(base, new)
    return list(shifts("rule", name, Side(before.values, scales[0]), Side(after.values, scales[1]), tolerance, doubt))


def _scales(base: Baseline, new: Baseline) -> tuple[tuple[Fraction, Fraction], Fraction]:
    """Ns a sample of either side, and both together: each time is known to a sample."""
    scales = Fraction(NS, base.rate_hz or 1), Fraction(NS, new.rate_hz or 1)
    return scales, scales[0] + scales[1]


def _verdict(side: Baseline, name: str) -> str | None:
    return side.rules[name].verdict if name in side.rules else None


def _idle(new: Baseline, name: str) -> bool:
    return _verdict(new, name) not in ("pass", "fail")


def _may_be(side: RuleSide | None) -> bool:
    """Whether a rule may have nothing to judge: an optional one, of which NEW had no instance."""
    return side is not None and side.optional
