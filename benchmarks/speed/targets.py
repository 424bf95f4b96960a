"""What is to be reached, and whether it was. What was not measured has not been reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from . import ratios
from .kinds import KINDS
from .ratios import Ratio
from .session import Figures, StartUp

LONG, LONGEST = 100_000_000, 1_000_000_000
"""Samples from which on a target holds."""
BUSY = ("i400k02", "a100k30", "b400k30", "d400k95")
"""Idle, 30 % and 95 % busy."""
LONG_KINDS = ("i400k02", "b400k30", "d400k95", "giant")
"""What is measured of the longest captures."""
Verdict = Literal["reached", "missed", "not measured"]


@dataclass(frozen=True, slots=True)
class Target:
    """A ratio, and the most (or with `least` the least) it may be, on captures of each of these kinds and that long."""

    what: str
    bound: float
    ratio: Ratio
    kinds: tuple[str, ...] = tuple(KINDS)
    samples: int = LONG
    least: bool = False
    needs: str = "sigrok-cli is not installed"
    """What is not there where no capture has the ratio."""


TARGETS = (
    Target("decode to Arrow tables, in zlib inflates", 0.60, ratios.times("tables", "zlib"), BUSY),
    Target("decode to Arrow tables, in libdeflate inflates", 2.2, ratios.times("tables", "libdeflate"), BUSY),
    Target("decode to Arrow tables, faster than sigrok-cli", 100, ratios.faster("tables"), least=True),
    Target(
        "`tracecheck decode`, whole process, faster than sigrok-cli",
        50,
        ratios.faster("decode process"),
        LONG_KINDS,
        LONGEST,
        least=True,
    ),
    Target(
        "`tracecheck analyze`, whole process, faster than sigrok-cli",
        50,
        ratios.faster("analyze process"),
        LONG_KINDS,
        LONGEST,
        least=True,
    ),
    Target("tables and rules together, in decodes", 1.0, ratios.rules_over_decode),
    Target("peak memory of the tables, in 40 MB + 64 bytes a row", 1.0, ratios.of_limit("tables")),
    Target("peak memory of tables and rules, in 40 MB + 64 bytes a row", 1.0, ratios.of_limit("tables+rules")),
    Target("peak memory of `analyze`, in 40 MB", 1.0, ratios.of_limit("analyze")),
    Target("peak memory of `tracecheck decode`, in 40 MB", 1.0, ratios.of_limit("decode process")),
    Target(
        "wall time on two cores, in that on one",
        0.65,
        ratios.two_cores,
        LONG_KINDS,
        LONGEST,
        needs="there is one core only",
    ),
)
START_UP = 3.0
"""Times an import of pyarrow that a small analysis may take."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A target and what came of it. `worst`: the ratio furthest on the wrong side, measured at `where`; `missing`: what
    would have to be measured before it counts as reached.
    """

    what: str
    bound: float
    least: bool
    verdict: Verdict
    worst: float | None
    where: str
    missed: int
    measured: int
    missing: str

    @property
    def off(self) -> float:
        """By what share of the bound the worst ratio misses it; negative where it does not."""
        assert self.worst is not None
        change = (self.worst - self.bound) / self.bound
        return -change if self.least else change


def judge(target: Target, captures: Sequence[Figures]) -> Judged:
    """The target on all captures it is about."""
    about = [f for f in captures if f.samples >= target.samples and f.kind in target.kinds]
    found = [(f"{f.kind}, {spell(f.samples)}", ratio) for f in about if (ratio := target.ratio(f)) is not None]
    lacking = [kind for kind in target.kinds if kind not in {f.kind for f in about}]
    missing = ""
    if about and not found:
        missing = target.needs
    elif len(lacking) == len(target.kinds):
        missing = f"no capture of {spell(target.samples)} samples"
    elif lacking:
        missing = f"no {', '.join(lacking)} of {spell(target.samples)} samples"
    return _judged(target.what, target.bound, found, missing, least=target.least)


def judge_start_up(start_up: StartUp) -> list[Judged]:
    """A small analysis beside an import of pyarrow, with findings and without."""
    return [
        _judged(
            f"`tracecheck analyze` of a small capture {name}, in imports of pyarrow",
            START_UP,
            [("whole process", seconds / start_up.pyarrow)],
            "",
        )
        for name, seconds in start_up.analyze.items()
    ]


def spell(samples: int) -> str:
    """10 M, 1 G."""
    for factor, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if samples >= factor:
            return f"{samples / factor:g} {letter}"
    return str(samples)


def _judged(
    what: str, bound: float, found: Sequence[tuple[str, float]], missing: str, *, least: bool = False
) -> Judged:
    if not found:
        return Judged(what, bound, least, "not measured", None, "", 0, 0, missing)
    where, worst = (min if least else max)(found, key=lambda each: each[1])
    missed = sum(ratio < bound if least else ratio > bound for _, ratio in found)
    verdict: Verdict = "missed" if missed else "not measured" if missing else "reached"
    return Judged(what, bound, least, verdict, worst, where, missed, len(found), missing)
