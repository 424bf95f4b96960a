"""`model`: counts and orders from a driver model, transfer by transfer; and the preset's rules that use it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rule_lines import judge, lane, result

from tracecheck import words
from tracecheck.errors import RuleError
from tracecheck.rules.describe import describe
from tracecheck.rules.file import load
from tracecheck.rules.model import AnyRule, OccurrenceRule, OrderRule
from tracecheck.rules.verdict import Report

DRIVER = {rule.id: rule for rule in load("embassy-rp").rules}


def line(events: str, about: str) -> str:
    """Events in sequence, ten samples apart and from sample 10 on; irq and run last three."""
    found, at, shape = [], 0, f":{about}"
    for event in events.split():
        name, _, times = event.partition("*")
        for _ in range(int(times or 1)):
            at += 10
            name = {"wake": "run"}.get(name, name)
            found.append(f"{name}@{at}-{at + 3}" if name in ("irq", "run") else f"{name}@{at}")
            if name == "start":
                found[-1] += shape
    return " ".join(found)


def verdict(rule: AnyRule, events: str, about: str, **more: Any) -> tuple[str, str]:
    """The verdict on the one transfer, and what is said of it."""
    data = lane(line(events, about), end=3000, settle=500, markers="irq run", **more)
    found = result(data, rule)
    (part,) = found.lanes
    (code,) = [v for v, n in enumerate(part.counts) for _ in range(n)]
    said = [f.message for f in Report({}, (found,), rate_hz=data.rate_hz).findings]
    return words.VERDICTS[code], said[0] if said else ""


W20, R20 = "write,n20", "read,n20"
SENT = "start address data*14 irq wake data*6 stop irq wake"


@pytest.mark.parametrize(
    ("rule", "about", "events", "expected"),
    [
        ("embassy-long-write-order", W20, SENT, "pass"),
        ("embassy-long-write-order", W20, "start address data*20 stop irq wake irq wake", "pass"),
        ("embassy-long-write-order", W20, "start address data*13 irq wake data*7 stop irq wake", "fail"),
        ("embassy-long-write-order", W20, "start address data*14 irq irq wake data*6 stop irq wake", "fail"),
        ("embassy-long-write-interrupts", W20, SENT, "pass"),
        ("embassy-long-write-interrupts", W20, "start address data*20 stop irq wake", "fail"),
        ("embassy-long-write-no-storm", W20, f"{SENT} irq wake", "pass"),
        ("embassy-long-write-no-storm", W20, f"{SENT} irq wake irq wake", "fail"),
        ("embassy-read-order", R20, "start address data*16 irq wake data*4 irq wake stop irq wake", "pass"),
        ("embassy-read-order", R20, "start address data*16 irq wake data*4 irq stop wake", "pass"),
        ("embassy-read-order", R20, "start address data*15 irq wake data*5 irq wake stop", "fail"),
        ("embassy-read-order", R20, "start address data*16 irq data wake data*3 irq wake stop", "fail"),
        (
            "embassy-read-order",
            "write-read,n3",
            "start address data restart address data*2 irq wake stop irq wake",
            "pass",
        ),
        ("embassy-read-order", "write-read,n3", "start address data irq wake restart address data*2 stop", "fail"),
        ("embassy-read-interrupts", R20, "start address data*16 irq wake data*4 irq wake stop", "pass"),
        ("embassy-read-interrupts", R20, "start address data*16 irq wake data*4 stop", "fail"),
        ("embassy-read-no-storm", R20, f"start address data*20 stop{' irq wake' * 4}", "pass"),
        ("embassy-read-no-storm", R20, f"start address data*20 stop{' irq wake' * 5}", "fail"),
        (
            "embassy-write-read-interrupts",
            "write-read,n18",
            "start address data restart address data*15 irq wake data*2 irq wake stop",
            "pass",
        ),
        (
            "embassy-write-read-interrupts",
            "write-read,n18",
            "start address data restart address data*17 irq wake stop",
            "fail",
        ),
        ("embassy-nack-order", "write,address-nack,n0", "start address nack irq wake stop", "pass"),
        ("embassy-nack-order", "write,address-nack,n0", "start address nack irq stop wake irq wake", "pass"),
        ("embassy-nack-order", "write,address-nack,n0", "start address irq wake nack stop", "fail"),
        ("embassy-nack-order", "write,data-nack,n2", "start address data irq wake data nack stop irq wake", "fail"),
        (
            "embassy-nack-no-storm",
            "write,address-nack,n0",
            "start address nack irq wake stop irq wake irq wake",
            "pass",
        ),
        ("embassy-nack-no-storm", "write,address-nack,n0", f"start address nack stop{' irq wake' * 4}", "fail"),
    ],
)
def test_each_rule_of_the_preset_passes_and_fails(rule: str, about: str, events: str, expected: str) -> None:
    assert verdict(DRIVER[rule], events, about)[0] == expected


FIRST = "start@10:0x50,write,address-nack,n0 address@20 nack@30 irq@40-43 stop@50 run@60-63"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (FIRST, "start@100:write,n1 address@110 data@120 stop@130 irq@140-143 run@150-153", ["pass"]),
        (FIRST, "start@100:write,n1 address@110 data@120 stop@130", ["fail"]),
        (FIRST, "void@70-72 start@100:write,n1 address@110 data@120 stop@130", ["fail"]),
        (FIRST.replace("address-nack", "acked"), "start@100:write,n1 address@110 data@120 stop@130", []),
    ],
)
def test_the_call_after_a_fault_has_its_interrupt(before: str, after: str, expected: list[str]) -> None:
    rule = DRIVER["embassy-works-after-a-fault"]
    assert [v for _, v in judge(f"{before} {after}", rule, settle=500)] == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bus-recovery@10 start@20 address@30 ack@40 stop@50", ["pass"]),
        (
            "bus-recovery@10 start@20 address@30 nack@40 stop@50 bus-recovery@60 start@70 ack@80 stop@90",
            ["fail", "pass"],
        ),
        ("bus-recovery@10 start@20 address@30 nack@40 stop@50", ["cut"]),
    ],
)
def test_a_recovery_that_did_not_help_fails(line: str, expected: list[str]) -> None:
    assert [v for _, v in judge(line, DRIVER["embassy-recovery-works"], settle=500)] == expected


def test_the_refill_deadline_is_18_periods_of_scl() -> None:
    """Two bytes are left when TX_EMPTY comes: 18 clocks, so at a period of 10 samples 180 from the interrupt."""
    rule = DRIVER["embassy-refill-deadline"]
    line = "start@10:write,n20,p10 address@20 irq@100-103 run@{0}-{1} stop@900"
    for wake, expected in ((250, "pass"), (320, "fail")):
        assert [v for _, v in judge(line.format(wake, wake + 3), rule, settle=50)] == [expected]


COUNT = OccurrenceRule(id="c", event="irq.begin", model="embassy-rp")
ORDER = OrderRule(id="o", model="embassy-rp")


def test_what_is_said_names_the_bounds_of_that_very_transfer() -> None:
    assert verdict(COUNT, "start address data*20 stop irq wake", W20) == ("fail", "1 x irq.begin, expected 2")
    assert verdict(COUNT, "start address data*20 stop", R20) == ("fail", "0 x irq.begin, expected 2 to 3")
    at_least = COUNT.model_copy(update={"only": "min"})
    assert verdict(at_least, "start address data*20 stop", R20) == ("fail", "0 x irq.begin, expected 2 or more")
    more = COUNT.model_copy(update={"spare": 1})
    assert verdict(more, f"start address data*20 stop{' irq wake' * 5}", R20) == (
        "fail",
        "5 x irq.begin, expected 2 to 4",
    )


def test_a_shape_the_driver_does_not_make_is_never_a_pass() -> None:
    three = "start address data restart address data restart address data stop irq wake"
    assert verdict(COUNT, three, "mixed,n3") == (
        "inconclusive",
        "1 x irq.begin; no call of embassy-rp makes a transfer of this shape, so nothing is expected",
    )
    assert verdict(ORDER, three, "mixed,n3") == (
        "inconclusive",
        "no call of embassy-rp makes a transfer of this shape, so no order is known",
    )


def test_a_transfer_that_the_capture_cuts_is_cut() -> None:
    for rule in (COUNT, ORDER):
        assert verdict(rule, "begins-inside start address data*2 stop irq wake", "write,n2")[0] == "cut"
        data = lane("start@10:write,n1 address@20 data@30 ends-inside@1000", markers="irq run", settle=500)
        (part,) = result(data, rule).lanes
        assert part.counts[words.VERDICTS.index("cut")] == sum(part.counts) == 1


def test_margins_are_taken_from_each_transfer_s_own_bounds() -> None:
    data = lane(f"{line(SENT, W20)}", end=3000, settle=500)
    found = result(data, COUNT)
    assert found.stats is not None and found.stats.headroom == 0
    spare = result(data, COUNT.model_copy(update={"spare": 3, "only": "max"}))
    assert spare.stats is not None and spare.stats.headroom == 3


def mistakes(text: str) -> list[str]:
    with pytest.raises(RuleError) as error:
        load("x.toml", f'version = 1\n[[rule]]\nid = "r"\n{text}')
    return list(error.value.mistakes)


AFTER = 'kind = "absence"\nevent = "nack"\nwhere = { after = '
KNOWN = "(known: acked, address-nack, data-nack, unfinished)"
EXAMPLE = 'pattern = "start address data* stop irq wake"'
OCCURRENCE = 'kind = "occurrence"\nevent = "irq"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f'{OCCURRENCE}model = "embasy-rp"',
            'x.toml:6:9: rule "r", model: unknown driver model "embasy-rp"; did you mean "embassy-rp"?',
        ),
        (
            'kind = "order"\nmodel = "linux"',
            'x.toml:5:9: rule "r", model: unknown driver model "linux" (models: embassy-rp)',
        ),
        (
            f'{OCCURRENCE}model = "embassy-rp"\nmax = 2',
            'x.toml:7:7: rule "r", max: model = "embassy-rp" gives it; for one side only write only = "max"',
        ),
        (
            f'{OCCURRENCE}max = 1\nonly = "max"',
            'x.toml:7:8: rule "r", only: it is about the counts of a driver model; add model, or leave it out',
        ),
        (
            f"{OCCURRENCE}max = 1\nspare = 2",
            'x.toml:7:9: rule "r", spare: it is about the counts of a driver model; add model, or leave it out',
        ),
        (
            f'{OCCURRENCE}model = "embassy-rp"\nonly = "min"\nspare = 1',
            'x.toml:8:9: rule "r", spare: it adds to the model\'s most, which only = "min" leaves out',
        ),
        (
            f'{OCCURRENCE}model = "embassy-rp"\nonly = "mix"',
            'x.toml:7:8: rule "r", only: unknown value "mix"; did you mean "min"?',
        ),
        (
            f'{OCCURRENCE}model = "embassy-rp"\nscope = "transfer"',
            'x.toml:7:9: rule "r", scope: model embassy-rp counts those of a whole exchange, not of transfer',
        ),
        (
            'kind = "occurrence"\nevent = "stop"\nmodel = "embassy-rp"',
            'x.toml:5:9: rule "r", event: model embassy-rp counts interrupts; write irq.begin, not stop',
        ),
        (
            'kind = "order"\nmodel = "embassy-rp"\npattern = "start stop"',
            'x.toml:5:9: rule "r", model: it gives the patterns; leave out pattern, or the model',
        ),
        (
            'kind = "order"\nmodel = "embassy-rp"\nscope = "capture"',
            'x.toml:6:9: rule "r", scope: model embassy-rp is about whole exchanges, not capture',
        ),
        (
            f'{AFTER}"void" }}',
            f'x.toml:6:19: rule "r", where.after: unknown outcome "void" {KNOWN}',
        ),
        (
            f'{AFTER}"nack" }}',
            'x.toml:6:19: rule "r", where.after: unknown outcome "nack"; did you mean address-nack or data-nack?',
        ),
        (
            'kind = "order"',
            f'x.toml:2:1: rule "r": the key "pattern" is missing; add for example {EXAMPLE}, or a driver model',
        ),
    ],
)
def test_mistakes(text: str, expected: str) -> None:
    assert mistakes(text) == [expected]


def test_in_words() -> None:
    assert describe(COUNT) == "as many irq.begin in each exchange as driver model embassy-rp takes"
    low = COUNT.model_copy(update={"only": "min"})
    assert describe(low) == "at least as many irq.begin in each exchange as driver model embassy-rp takes"
    high = COUNT.model_copy(update={"only": "max", "spare": 1})
    assert describe(high) == "at most as many irq.begin in each exchange as driver model embassy-rp takes, or 1 more"
    assert describe(ORDER) == "in each exchange: as driver model embassy-rp has it"


def test_a_scheme_without_a_wake_cannot_be_judged_by_order() -> None:
    data = lane(line("start address data stop irq", "write,n1"), end=3000, settle=500)
    found = result(data, ORDER)
    assert found.missing == ("wake",) and not found.judged
    assert json.dumps(found.verdict) == '"inconclusive"'
