"""What happens on a lane, written on a line: `start@10 address@14 stop@20 irq@25-30 run@40-50`.

A sample is a microsecond unless a rate is given. `start@10:0x50,read,n3,p4` gives address, direction, number of data
bytes and SCL period; `void@5-7` is a START and STOP with no bits between. A marker is `irq@25-30`, `irq@25-` with an
end beyond the capture, `irq@-30` with a beginning before it. `begins-inside@0` says that the next transfer began
before the capture, `ends-inside@100` that the capture's end cuts the open one, `missing-stop@40` that it was given up.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reference_rules import (
    FOREVER,
    INFINITE,
    PATTERNS,
    Event,
    LaneData,
    Marker,
    Together,
    Transfer,
    instances,
    together,
)
from rule_strategies import ROLES, whole, wiring_of

from tracecheck import words
from tracecheck.rules.engine import Engine
from tracecheck.rules.model import AnyRule, MarkerSpec, RuleSet
from tracecheck.rules.quantity import parse_quantity
from tracecheck.rules.result import RuleResult
from tracecheck.rules.selector import Selector
from tracecheck.rules.verdict import Report


class _Reader:
    """Takes tokens, in the order of the line."""

    def __init__(self) -> None:
        self.transfers: list[Transfer] = []
        self.bus: list[Event] = []
        self.anomalies: list[Event] = []
        self.markers: dict[str, Marker] = {}
        self.open = -1
        self.cut = ""

    def take(self, token: str) -> None:
        name, _, rest = token.partition("@")
        where, _, about = rest.partition(":")
        first, dash, last = where.partition("-")
        if name in ROLES:
            old = self.markers.get(name, Marker())
            self.markers[name] = Marker(
                (*old.begins, int(first)) if first else old.begins,
                (*old.ends, int(last)) if dash and last else old.ends,
                old.active or not first,
            )
        elif name == "void":
            self.start(int(first), "void")
            self.stop(int(last))
        elif name == "start":
            self.start(int(first), about)
        elif name == "stop":
            self.stop(int(first))
        elif name in words.BUS_EVENTS:
            self.bus.append(Event(int(first), name, self.open))
        else:
            self.anomaly(name, int(first))

    def start(self, at: int, about: str) -> None:
        self.open = len(self.transfers)
        found: dict[str, Any] = {"outcome": "acked", "cut": self.cut}
        for word in about.split(",") if about else ():
            if word.startswith("0x"):
                found["address"] = int(word, 16)
            elif word in words.TRANSFER_DIRECTIONS:
                found["direction"] = word
            elif word in words.OUTCOMES:
                found["outcome"] = word
            else:
                found[{"n": "n_bytes", "p": "period"}[word[0]]] = int(word[1:])
        self.transfers.append(Transfer(self.open, at, -1, at, **found))
        self.bus.append(Event(at, "start", self.open))
        self.cut = ""

    def stop(self, at: int) -> None:
        self.transfers[-1] = replace(self.transfers[-1], stop=at, end=at)
        self.bus.append(Event(at, "stop", self.open))
        self.open = -1

    def anomaly(self, name: str, at: int) -> None:
        own = self.open
        if name == "begins-inside":
            own, self.cut = len(self.transfers), "begin"
        self.anomalies.append(Event(at, name, own))
        if name in ("missing-stop", "ends-inside"):
            cut = "end" if name == "ends-inside" else self.transfers[-1].cut
            self.transfers[-1] = replace(self.transfers[-1], end=at, outcome="unfinished", cut=cut)
            self.open = -1


def lane(line: str, *, end: int = 1000, markers: str = "", **settings: Any) -> LaneData:
    """What a line says. `markers`: those that are there although nothing happens on them."""
    reader = _Reader()
    for token in line.split():
        reader.take(token)
    found = {role: reader.markers.get(role, Marker()) for role in ROLES if role in reader.markers or role in markers}
    where: dict[str, Selector] = settings.pop("marker_where", {})
    found = {role: replace(marker, where=where.get(role)) for role, marker in found.items()}
    return LaneData(
        end=end,
        transfers=tuple(reader.transfers),
        bus=tuple(sorted(reader.bus, key=lambda e: e.at)),
        anomalies=tuple(reader.anomalies),
        markers=found,
        **{"settle": FOREVER, **settings},
    )


def result(data: LaneData, rule: AnyRule) -> RuleResult:
    """What the engine says of one rule."""
    specs = {role: MarkerSpec(name=role, channel=role, where=m.where) for role, m in data.markers.items()}
    settle = parse_quantity(f"{data.settle}us") if data.settle < FOREVER else parse_quantity("1000000s")
    rules = RuleSet(rules=(rule,), markers=specs, settle=settle, timebase_ppm=data.ppm)
    engine = Engine(rules, wiring_of(data), data.rate_hz, keep=True)
    engine.feed(whole(data))
    return engine.results()[0]


def said_together(found: RuleResult) -> list[Together]:
    """The percentiles and the jitter as the twin gives them; without samples where the bound is in SCL periods."""
    return [
        Together(
            s.name,
            words.VERDICTS[s.verdict],
            s.count,
            *(INFINITE if end is None or s.unit == "scl" else int(end) for end in (s.low, s.high)),
        )
        for _, s in found.statistics
    ]


def expected_together(data: LaneData, rule: AnyRule) -> list[Together]:
    """The same from the twin."""
    in_scl = {each.name for each in getattr(rule, "percentiles", ()) if each.bound.unit == "scl"}
    return [
        each._replace(low=INFINITE, high=INFINITE) if each.name in in_scl else each for each in together(data, rule)
    ]


def judge(line: str | LaneData, rule: AnyRule, **settings: Any) -> list[tuple[int, str]]:
    """(sample, verdict) of every instance: the engine's, after checking that the slow twin agrees."""
    data = line if isinstance(line, LaneData) else lane(line, **settings)
    answer = result(data, rule)
    (part,) = answer.lanes
    found = part.found
    verdicts = [words.VERDICTS[v] for v in found.verdict.tolist()]
    assert said_together(answer) == expected_together(data, rule)
    if rule.kind != "order" or getattr(rule, "pattern", "") in PATTERNS:
        twin = sorted((i.transfer, i.verdict) for i in instances(data, rule))
        assert sorted(zip(found.transfer.tolist(), verdicts, strict=True)) == twin
    return list(zip(found.at.tolist(), verdicts, strict=True))


def verdicts(line: str | LaneData, rule: AnyRule, **settings: Any) -> list[str]:
    """The verdicts alone."""
    return [verdict for _, verdict in judge(line, rule, **settings)]


def messages(line: str, rule: AnyRule, **settings: Any) -> list[str]:
    """What the report says of each finding."""
    data = lane(line, **settings)
    return [f.message for f in Report({}, (result(data, rule),), rate_hz=data.rate_hz).findings]
