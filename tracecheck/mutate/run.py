"""One run: faults chosen by a seed, each judged by the same engine, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from tracecheck.capture.model import Capture
from tracecheck.decoding.find import wire
from tracecheck.decoding.stream import decode_capture
from tracecheck.decoding.wiring import Wiring
from tracecheck.errors import UsageError
from tracecheck.mutate.candidate import Candidate
from tracecheck.mutate.delays import delays
from tracecheck.mutate.early import early
from tracecheck.mutate.lines import Lines
from tracecheck.mutate.marker_faults import marker_faults
from tracecheck.mutate.operators import BY_NAME, CUTS, OPERATORS
from tracecheck.mutate.periods import periods
from tracecheck.mutate.scene import Scene
from tracecheck.mutate.untried import untried
from tracecheck.mutate.wire_faults import wire_faults
from tracecheck.rules.engine import Engine
from tracecheck.rules.model import RuleSet
from tracecheck.rules.result import RuleResult
from tracecheck.rules.stacks import rules_on_stacks
from tracecheck.rules.timing import needs_timings
from tracecheck.trace import Trace
from tracecheck.words import SEVERITIES

Fate = Literal["caught", "survived", "invisible", "alarm"]
"""`survived`: its scheme can show it and no rule failed. `invisible`: it cannot, and none did. `alarm`: a rule failed
where only the recording was cut."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault, injected and judged. `caught_by`: ids of the rules that fail now and did not before."""

    operator: str
    bus: str
    transfer: int
    shape: str
    sample: int
    what: str
    target: str | None
    caught_by: tuple[str, ...]
    fate: Fate


@dataclass(frozen=True, slots=True)
class Mutation:
    """What a run gave. `unchecked`: rules that judge nothing on this capture; `untried`: bounds that no fault breaks.

    `schemes`: marker scheme of each bus; `idle`: operators that the scheme can show and found no place.
    """

    path: str
    rate_hz: int | None
    seed: int
    schemes: dict[str, str]
    mutants: tuple[Mutant, ...]
    rules: tuple[str, ...]
    severities: dict[str, str]
    unchecked: tuple[str, ...]
    untried: tuple[tuple[str, str], ...]
    idle: tuple[str, ...]

    def of(self, fate: Fate) -> tuple[Mutant, ...]:
        return tuple(m for m in self.mutants if m.fate == fate)

    @property
    def exit_code(self) -> int:
        """1 where a fault that the scheme can show was caught by no rule."""
        return 1 if self.of("survived") else 0


def mutate(
    capture: Capture,
    rules: RuleSet,
    *,
    seed: int = 0,
    sites: int = 1,
    fail_on: str = "note",
    progress: Callable[[int, int], None] | None = None,
) -> Mutation:
    """Inject faults into a capture that passes and judge each. Deterministic for a seed.

    `sites`: places tried of each sort (operator, bound, shape of transfer). `fail_on`: the least severity that counts
    as caught. `progress(done, all)`. Raises UsageError where there is nothing to go by, or the capture does not pass.
    """
    if not rules.rules:
        raise UsageError("there are no rules to test; give a rule file or a preset with --rules")
    if heard := rules_on_stacks(rules):
        ids = ", ".join(rule.id for rule in heard)
        raise UsageError(f"what sigrok's decoders say of a mutant is not asked; leave out these rules: {ids}")
    wiring = wire(capture, list(rules.buses.values()), list(rules.markers.values()))
    if not wiring.buses:
        raise UsageError(
            f"{capture.path}: no bus was found, so there is nothing to mutate; name its lines with --scl and --sda"
        )
    trace = Trace(capture.path, capture.rate_hz, wiring)
    clean = _judged(capture, wiring, rules, trace)
    _must_pass(capture, clean)
    lines = Lines.of(capture, wiring.bits)
    scenes = [s for bus in wiring.buses if (s := Scene.of(trace, bus, lines, rules)) is not None and s.exchanges]
    if not scenes:
        raise UsageError(
            f"{capture.path}: it holds no transfer whole, with what follows it, so there is no place for a fault; "
            "record for longer"
        )
    before = {r.rule.id: r.failed for r in clean}
    counting = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    chosen = list(_chosen(scenes, seed, sites))
    mutants = []
    for i, (scene, candidate) in enumerate(chosen):
        if progress is not None:
            progress(i, len(chosen))
        found = _judged(candidate.make().as_capture(capture), wiring, rules)
        caught = tuple(r.rule.id for r in found if r.rule.severity in counting and r.failed > before[r.rule.id])
        mutants.append(_mutant(scene, candidate, caught, several=len(wiring.buses) > 1))
    tried = {m.operator for m in mutants}
    schemes = {s.bus.name: s.scheme for s in scenes}
    return Mutation(
        path=capture.path,
        rate_hz=capture.rate_hz,
        seed=seed,
        schemes=schemes,
        mutants=tuple(mutants),
        rules=tuple(r.id for r in rules.rules),
        severities={r.id: r.severity for r in rules.rules},
        unchecked=tuple(r.rule.id for r in clean if not r.judged and not r.rule.optional),
        untried=tuple(dict.fromkeys(pair for s in scenes for pair in untried(s))),
        idle=tuple(
            o.name for o in OPERATORS if o.name not in tried and not o.asked and o.visible & set(schemes.values())
        ),
    )


def _judged(capture: Capture, wiring: Wiring, rules: RuleSet, trace: Trace | None = None) -> tuple[RuleResult, ...]:
    engine = Engine(rules, wiring, capture.rate_hz)
    for batch in decode_capture(capture, wiring, glitch_s=rules.glitch.amount, timings=needs_timings(rules)):
        engine.feed(batch)
        if trace is not None:
            trace.add(batch)
    return engine.results()


def _must_pass(capture: Capture, clean: tuple[RuleResult, ...]) -> None:
    failed = [r.rule.id for r in clean if r.failed and r.rule.severity == "error"]
    if failed:
        raise UsageError(
            f"{capture.path}: does not pass to begin with: {', '.join(failed)} fail{'s' if len(failed) == 1 else ''}; "
            "take a capture that passes, or mend the rules (tracecheck analyze shows what is wrong)"
        )
    if not any(r.judged for r in clean):
        raise UsageError(f"{capture.path}: none of these rules judges anything in it; take rules that fit the capture")


def _chosen(scenes: list[Scene], seed: int, sites: int) -> Iterator[tuple[Scene, Candidate]]:
    """Of each sort of place so many, at random by the seed; which does not depend on what else there is."""
    groups: dict[tuple[str, ...], list[tuple[Scene, Candidate]]] = {}
    for scene in scenes:
        for candidate in (*marker_faults(scene), *delays(scene), *early(scene), *periods(scene), *wire_faults(scene)):
            groups.setdefault(candidate.group, []).append((scene, candidate))
    order = {operator.name: i for i, operator in enumerate(OPERATORS)}
    for group in sorted(groups, key=lambda g: (order[g[0]], g)):
        places = groups[group]
        random = Random(f"{seed} {' '.join(group)}")
        picked = random.sample(range(len(places)), min(sites, len(places)))
        yield from (places[i] for i in sorted(picked))


def _mutant(scene: Scene, candidate: Candidate, caught: tuple[str, ...], *, several: bool) -> Mutant:
    operator = candidate.operator
    visible = scene.scheme in BY_NAME[operator].visible
    fate: Fate = "caught" if caught else "survived" if visible else "invisible"
    if operator in CUTS and caught:
        fate = "alarm"
    exchange = candidate.exchange
    return Mutant(
        operator=operator,
        bus=scene.bus.name,
        transfer=exchange.transfer,
        shape=exchange.shape.name(several=several),
        sample=candidate.at,
        what=candidate.what,
        target=candidate.target,
        caught_by=caught,
        fate=fate,
    )
