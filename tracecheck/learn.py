"""A rule file learned from a good capture: what was seen in it, as rules to edit.

Everything is measured by the very rules that will judge it, and what is written passes on the capture it was learned
from: a rule that would not, of a preset or learned, is left out, and the file says so and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby
from math import ceil, floor, log10
from pathlib import PurePath
from typing import Final

import numpy as np

from tracecheck.api import check, decode
from tracecheck.capture.model import Capture, Channel
from tracecheck.decoding.lane import RESTART, START, STOP
from tracecheck.errors import CaptureError
from tracecheck.report.visible import visible
from tracecheck.rules.defaults import fitting_rules
from tracecheck.rules.file import load
from tracecheck.rules.model import MarkerSpec, RuleSet
from tracecheck.rules.selector import Selector, spans
from tracecheck.rules.verdict import Report, RuleResult, ns_text
from tracecheck.shapes import Shape, shapes_of
from tracecheck.timebase import NS
from tracecheck.timeline import lane_of
from tracecheck.trace import Trace

MAX_ORDERS: Final = 8
"""Different orders of one shape that are written down; where there are more, order is nothing the firmware keeps."""
MAX_EVENTS: Final = 64
"""Events of an order that is written down."""
_ALWAYS: Final = 3
"""Instances that all fail a rule of a preset, from which on the preset is not meant for this firmware."""
_JUDGEABLE: Final = ("acked", "address-nack", "data-nack")
_ENDLESS: Final = '"1000000s"'


@dataclass(frozen=True, slots=True)
class _Block:
    """A rule as text: `keys` in order, their values in TOML; `said`: what it was learned from."""

    id: str
    keys: dict[str, str]
    said: str

    def text(self) -> str:
        lines = [f"# {self.said}", "[[rule]]", f"id = {quoted(self.id)}"]
        return "\n".join([*lines, *(f"{key} = {value}" for key, value in self.keys.items())])


@dataclass(slots=True)
class _Draft:
    """The file as it grows. `left_out`: why a rule is not in it, by its id."""

    head: list[str]
    pins: str
    presets: list[str]
    disabled: dict[str, str] = field(default_factory=dict)
    blocks: list[_Block] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        lines = [*self.head, "", "version = 1"]
        if self.presets:
            lines.append(f"extends = [{', '.join(map(quoted, self.presets))}]")
        if self.disabled:
            lines += [
                "",
                "# Rules of the presets that the capture does not pass, or that have nothing to judge in it.",
                "disable = [",
            ]
            lines += [f"    {quoted(name)},  # {why}" for name, why in self.disabled.items()] + ["]"]
        lines += ["", self.pins]
        for block in self.blocks:
            lines += ["", block.text()]
        if self.left_out:
            lines += ["", "# Left out:", *(f"# {name}: {why}" for name, why in self.left_out.items())]
        return "\n".join(lines) + "\n"


def learn(
    capture: Capture, pins: RuleSet, margin: Fraction, progress: Callable[[int], None] | None = None
) -> tuple[str, int]:
    """The rule file, and how many rules it adds to its presets.

    `pins`: buses and markers as far as they were named. `margin`: how far beyond the longest time seen a bound is
    put, as a fraction of it. Raises CaptureError where there is nothing to learn from.
    """
    trace = decode(capture, rules=pins, progress=progress)
    if not trace.wiring.buses:
        raise CaptureError(capture.path, "no I2C bus was found in it; name its lines with --scl and --sda")
    shapes = {b.name: _Shapes(trace, b.name) for b in trace.wiring.buses}
    seen = sum(len(s) for s in shapes.values())
    if not seen:
        raise CaptureError(capture.path, "no whole transfer in it, so nothing to learn from; record for longer")
    percent = f"{float(margin * 100):g} %"
    kinds = _n(sum(len(s.rows) for s in shapes.values()), "shape")
    head = [
        f"# Learned by tracecheck rules init from {visible(PurePath(capture.path).name, line=True)}:",
        f"# {_n(seen, 'whole transfer')} of {kinds}. A bound is the longest time seen and {percent} more.",
        "# It says what the firmware did, not what it must do: read it, and change what you know better. Rules about",
        "# one shape of transfer are optional; take that out where a capture without such a transfer is a fault.",
    ]
    draft = _Draft(head, _pins(capture, trace, pins), fitting_rules(trace.wiring)[1])
    _bounds(draft, trace, margin, pins.timebase_ppm)
    for bus in shapes.values():
        draft.blocks += bus.addresses()
        for shape in bus.rows:
            bus.of_shape(shape, draft)
    _settle(draft, trace)
    return draft.text(), len(draft.blocks)


# ---- pins -----------------------------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    """A TOML string of any text."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(f"\\u{ord(c):04X}" if ord(c) < 0x20 or ord(c) == 0x7F else c for c in escaped) + '"'


def _channel(capture: Capture, channel: Channel) -> str:
    """Its name, or its bit where the name is not its own, or no text that a file can hold."""
    names = [c.name for c in capture.channels]
    sayable = channel.name and not any(0xD800 <= ord(c) < 0xE000 for c in channel.name)
    if names.count(channel.name) == 1 and sayable:
        return quoted(channel.name)
    if str(channel.bit) in names:
        raise CaptureError(capture.path, f"bit {channel.bit} cannot be named: another channel is called so; rename it")
    return str(channel.bit)


def _pins(capture: Capture, trace: Trace, pins: RuleSet) -> str:
    parts = [
        f"{key} = {quoted(str(getattr(pins, key)))}" for key in ("settle", "glitch") if key in pins.model_fields_set
    ]
    if "timebase_ppm" in pins.model_fields_set:
        parts.append(f"timebase_ppm = {pins.timebase_ppm}")
    for bus in trace.wiring.buses:
        lines = [f"# Chosen: {visible(bus.why, line=True)}.", f"[bus.{bus.name}]"]
        parts.append(
            "\n".join([*lines, *(f"{k} = {_channel(capture, c)}" for k, c in (("scl", bus.scl), ("sda", bus.sda)))])
        )
    for wire in trace.wiring.markers:
        times = len(trace.marker_rows(wire.name).begins)
        lines = [f"# Seen {_n(times, 'time')}. Chosen: {visible(wire.why, line=True)}.", f"[marker.{wire.name}]"]
        lines += [f"channel = {_channel(capture, wire.channel)}", f"coding = {quoted(wire.coding)}"]
        lines += ['active = "low"'] * (wire.active == "low")
        lines += [f"pulses = {wire.pulses}"] * (wire.coding == "pulse-count" and wire.pulses is not None)
        lines += [f"role = {quoted(wire.role)}"] if wire.role is not None else []
        lines += [f"bus = {quoted(wire.bus)}"] if wire.bus is not None and len(trace.wiring.buses) > 1 else []
        spec = pins.markers.get(wire.name)
        lines += [f"where = {_selector(spec.where)}"] if isinstance(spec, MarkerSpec) and spec.where else []
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _selector(where: Selector) -> str:
    """A selector as a file writes it."""
    lists: dict[str, list[str]] = {}
    for key in ("address", "not_address"):
        lists[key] = [f"0x{low:02X}..0x{high:02X}" for low, high in spans(getattr(where, key) or ())]
    for key in ("direction", "outcome", "after", "bus"):
        lists[key] = sorted(getattr(where, key) or ())
    lists["length"] = [f"{low}..{'' if high is None else high}" for low, high in where.length or ()]
    keys = [f"{key} = [{', '.join(map(quoted, texts))}]" for key, texts in lists.items() if texts]
    if where.time is not None:
        keys.append(f"time = {quoted('..'.join('' if end is None else str(end) for end in where.time))}")
    return f"{{ {', '.join(keys)} }}"


# ---- times ----------------------------------------------------------------------------------------------------------


def _bounds(draft: _Draft, trace: Trace, margin: Fraction, ppm: int) -> None:
    """The times from bus to interrupt to task, each measured without a bound and then given one."""
    asked: list[tuple[_Block, str, str]] = []
    for wire in trace.wiring.buses:
        several = len(trace.wiring.buses) > 1
        suffix = f"-{wire.name}" if several else ""
        extra = {"where": f"{{ bus = {quoted(wire.name)} }}"} if several else {}
        roles = {m.role: m for m in trace.wiring.markers_of(wire.name) if m.role}
        if "irq" in roles:
            keys = {"kind": '"precedence"', "scope": '"exchange"', "event": '"irq.begin"', "cause": '"wire"', **extra}
            asked.append((_Block(f"interrupt-after-bus{suffix}", keys, "from the bus to the interrupt"), "within", ""))
        if {"irq", "run"} <= roles.keys():
            keys = {"kind": '"response"', "trigger": '"irq.begin"', "response": '"wake"', **extra}
            asked.append((_Block(f"wake-after-interrupt{suffix}", keys, "from interrupt to task"), "within", ""))
        if "irq" in roles and roles["irq"].coding == "level":
            keys = {"kind": '"duration"', "marker": '"irq"', **extra}
            asked.append((_Block(f"handler{suffix}", keys, "the interrupt handler"), "max", _ENDLESS))
    free = [_Block(b.id, b.keys | ({key: endless} if endless else {}), b.said) for b, key, endless in asked]
    found = _judged(_Draft([], draft.pins, [], {}, free), trace) if free else {}
    for block, key, _ in asked:
        result = found[block.id]
        stats = result.stats
        if result.failed:
            draft.left_out[block.id] = f"of {_n(result.judged, 'instance')} {result.failed} failed without any bound"
        elif stats is None or stats.unit != "ns" or not trace.rate_hz:
            draft.left_out[block.id] = "no time could be measured"
        else:
            # The longest may have been one sample, and the clock's error, longer than it looks.
            most = (Fraction(stats.max) + Fraction(NS, trace.rate_hz)) * (1 + Fraction(ppm, 10**6)) * (1 + margin)
            figures = f"median {ns_text(stats.p50)}, longest {ns_text(stats.max)}"
            said = f"Of {_n(stats.count, 'instance')} {block.said}: {figures}."
            draft.blocks.append(_Block(block.id, block.keys | {key: quoted(_rounded(most))}, said))


def _rounded(ns: Fraction) -> str:
    """Rounded up to three figures, so that the margin is never less than what was asked for."""
    step = 10 ** max(floor(log10(max(float(ns), 1))) - 2, 0)
    whole = ceil(ns / step) * step
    for size, unit in ((10**9, "s"), (10**6, "ms"), (10**3, "us")):
        if whole >= size:
            return f"{whole / size:g}{unit}"
    return f"{whole}ns"


# ---- shapes ---------------------------------------------------------------------------------------------------------


class _Shapes:
    """The whole transfers of one bus by shape, and what happened in the exchange of each."""

    def __init__(self, trace: Trace, bus: str) -> None:
        self.bus, self.several = bus, len(trace.wiring.buses) > 1
        transfers = trace.columns(bus, "transfers")
        shapes, index = shapes_of(transfers, bus)
        batch, lane = trace.batch(), lane_of(trace, bus)
        window = lane.feed(batch.buses[bus], batch.markers, trace.end, synced=0, final=True)
        self.irq = lane.codes.get("irq.begin", -1)
        names = [name for name in ("address", "data", "irq.begin", "wake") if name in lane.codes]
        self._name = {lane.codes[name]: name.removesuffix(".begin") for name in names}
        self._name |= {START: "start", RESTART: "restart", STOP: "stop"}
        events: dict[int, list[int]] = {}
        settled: set[int] = set()
        if window is not None:
            mine = np.isin(window.code, list(self._name)) & (window.owner >= 0)
            for owner, code in zip(window.owner[mine].tolist(), window.code[mine].tolist(), strict=True):
                events.setdefault(owner, []).append(code)
            closed = window.exchanges.close <= trace.end
            settled = set(window.exchanges.transfer[closed & (window.exchanges.start >= window.synced)].tolist())
        # By what a rule can tell apart: one whose address has 7 bits and one of 10 are the same to `where`.
        self.rows: dict[Shape, list[list[int]]] = {}
        known: dict[str, Shape] = {}
        whole = transfers["complete"].astype(bool)
        for row in np.flatnonzero(whole).tolist():
            shape = shapes[index[row]]
            transfer = int(transfers["transfer"][row])
            if shape.address < 0 or shape.direction == "none" or shape.outcome not in _JUDGEABLE:
                continue
            shape = known.setdefault(self._where(shape), shape)
            exchanges = self.rows.setdefault(shape, [])
            if transfer in settled:
                exchanges.append(events.get(transfer, []))
        self.rows = dict(sorted(self.rows.items()))
        self._whole = Counter(shapes[index[row]].address for row in np.flatnonzero(whole).tolist())

    def __len__(self) -> int:
        return sum(count for address, count in self._whole.items() if address >= 0)

    def _where(self, shape: Shape) -> str:
        length = shape.length if shape.low == shape.high else quoted(shape.length)
        who = f'address = 0x{shape.address:02X}, direction = "{shape.direction}"'
        return self._on(f'{who}, length = {length}, outcome = "{shape.outcome}"')

    def _on(self, keys: str) -> str:
        return f"{{ {keys}{f', bus = {quoted(self.bus)}' if self.several else ''} }}"

    def addresses(self) -> Iterator[_Block]:
        """Who was there, and who never refused."""
        suffix = f"-{self.bus}" if self.several else ""
        there = sorted({shape.address for shape in self.rows})
        refused = {shape.address for shape in self.rows if shape.outcome != "acked"}
        outcomes = ", ".join(map(quoted, _JUDGEABLE))
        if there:
            listed = ", ".join(f"0x{address:02X}" for address in there)
            keys = {"kind": '"absence"', "scope": '"transfer"', "event": '"start"', "optional": "true"}
            keys["where"] = self._on(f"not_address = [{listed}], outcome = [{outcomes}]")
            yield _Block(
                f"known-addresses{suffix}", keys, f"In {_n(len(self), 'transfer')} no other address was called."
            )
        if steady := [address for address in there if address not in refused]:
            n = sum(self._whole[address] for address in steady)
            listed = ", ".join(f"0x{address:02X}" for address in steady)
            keys = {"kind": '"absence"', "scope": '"transfer"', "event": '"nack"', "optional": "true"}
            keys["where"] = self._on(f'address = [{listed}], outcome = ["address-nack", "data-nack"]')
            yield _Block(f"acknowledged{suffix}", keys, f"In {_n(n, 'transfer')} to these none was refused.")

    def of_shape(self, shape: Shape, draft: _Draft) -> None:
        """Order and count of interrupts of one shape."""
        exchanges, name = self.rows[shape], shape.name(several=self.several)
        slug = name.lower().replace(" ", "-").replace("..", "to").removesuffix("to")
        if not exchanges:
            draft.left_out[slug] = "the capture ends before its exchange does"
            return
        orders = Counter(self._order(codes) for codes in exchanges)
        common = {"where": self._where(shape), "optional": "true"}
        n = _n(len(exchanges), "transfer")
        if len(orders) > MAX_ORDERS or any(order.count(" ") >= MAX_EVENTS for order in orders):
            draft.left_out[f"{slug}-order"] = f"{len(orders)} different orders in {n}, or orders too long to write down"
        else:
            ranked = sorted(orders, key=lambda order: (-orders[order], order))
            pattern = ranked[0] if len(ranked) == 1 else " | ".join(f"({order})" for order in ranked)
            counts = f"; the orders came {', '.join(str(orders[order]) for order in ranked)} times" * (len(ranked) > 1)
            keys = {"kind": '"order"', "pattern": quoted(pattern), **common}
            draft.blocks.append(_Block(f"{slug}-order", keys, f"{name}: {n}{counts}."))
        if self.irq >= 0:
            counted = [codes.count(self.irq) for codes in exchanges]
            low = {"min": str(min(counted))} if min(counted) else {}
            keys = {"kind": '"occurrence"', "event": '"irq.begin"', **low, "max": str(max(counted)), **common}
            draft.blocks.append(_Block(f"{slug}-interrupts", keys, f"{name}: {n}."))

    def _order(self, codes: Sequence[int]) -> str:
        """The events by name, bytes in a row as `data+`: how many there are is not what order is about."""
        named = groupby(self._name[code] for code in codes)
        return " ".join("data+" if name == "data" else " ".join([name] * len(list(run))) for name, run in named)


# ---- what holds -----------------------------------------------------------------------------------------------------


def _report(draft: _Draft, trace: Trace) -> Report:
    return check(trace, load("the learned rules", draft.text()))


def _judged(draft: _Draft, trace: Trace) -> dict[str, RuleResult]:
    return {result.rule.id: result for result in _report(draft, trace).rules}


def _settle(draft: _Draft, trace: Trace) -> None:
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
        return f"fails in {result.failed} of {_n(result.judged, 'instance')}"
    if any(s.verdict for _, s in result.statistics):
        return "its percentiles cannot be shown to hold"
    if result.judged or result.rule.optional:
        return ""
    if result.missing:
        return f"there is no {', '.join(result.missing)}"
    return "nothing to judge, or nothing that could be decided"


def _n(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
