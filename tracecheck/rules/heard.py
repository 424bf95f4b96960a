"""What sigrok's decoders say of a capture, as events that rules can name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tracecheck.capture.model import Capture
from tracecheck.decoding.wiring import Wiring
from tracecheck.rules.model import RuleSet
from tracecheck.rules.stacks import stack_texts
from tracecheck.stack import Annotation, annotate, parse_stack

Said = Mapping[str, NDArray[np.int64]]
"""Canonical event to the samples at which it came, ascending."""


@dataclass(frozen=True)
class Heard:
    """`events` of each bus; those of a stack that failed anywhere are on none, as nobody knows what it left unsaid.

    `troubles`: a sentence for each decoder that raised, died or hung.
    """

    events: Mapping[str, Said]
    annotations: tuple[Annotation, ...]
    troubles: tuple[str, ...]

    @cached_property
    def texts(self) -> Mapping[tuple[str | None, str, int], str]:
        """What was said, by bus, event and sample: of the events that rules name; the first where there are more."""
        texts: dict[tuple[str | None, str, int], str] = {}
        for one in self.annotations:
            for edge, sample in (("begin", one.start), ("end", one.end)):
                event = f"{one.stack}:{one.kind}.{edge}"
                if event in self.events[one.bus]:
                    texts.setdefault((one.bus, event, sample), one.text.strip())
        return texts


def hear(capture: Capture, wiring: Wiring, rules: RuleSet) -> Heard:
    """Run all stacks of a rule set on all buses. Raises UsageError, ExtraError for what is wrong with the stacks."""
    stacks = [parse_stack(text, name, f"stack {name}:") for name, text in stack_texts(rules).items()]
    wanted = {event for rule in rules.rules for event in rule.events}
    events: dict[str, dict[str, NDArray[np.int64]]] = {}
    annotations: list[Annotation] = []
    troubles: list[str] = []
    failed: set[str] = set()
    for bus in wiring.buses:
        found, wrong = annotate(capture, bus, stacks)
        events[bus.name] = {}
        for stack, said in zip(stacks, found, strict=True):
            annotations += said
            mine = {event for event in wanted if event.startswith(f"{stack.name}:")}
            events[bus.name] |= _events(stack.name, said, mine)
        failed |= {trouble.stack for trouble in wrong}
        troubles += [f"{trouble.bus}: {trouble.text}" for trouble in wrong]
    kept = {
        bus: {event: at for event, at in said.items() if event.partition(":")[0] not in failed}
        for bus, said in events.items()
    }
    return Heard(kept, tuple(annotations), tuple(troubles))


def _events(name: str, said: Sequence[Annotation], wanted: set[str]) -> dict[str, NDArray[np.int64]]:
    at: dict[str, list[int]] = {event: [] for event in wanted}
    for one in said:
        for edge, sample in (("begin", one.start), ("end", one.end)):
            event = f"{name}:{one.kind}.{edge}"
            if event in at:
                at[event].append(sample)
    return {event: np.sort(np.array(samples, np.int64)) for event, samples in at.items()}
