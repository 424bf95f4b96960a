"""Faults: how they are declared, when they strike, and the wire they strike at."""

# ruff: noqa: E501  (whole messages, as they are printed)

from __future__ import annotations

import pytest

from tracecheck.cli import main
from tracecheck.errors import UsageError
from tracecheck.pico.faults.spec import FOREVER, KINDS, FaultLog, parse_fault
from tracecheck.pico.interrupt_line import InterruptLine
from tracecheck.pico.xip import XipCache


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("late", ('no fault "late" (faults: late-interrupt, lost-interrupt, extra-interrupt, stray-interrupt, storm, '
         "hog-executor, xip-cold, stretch, hang-sda, nack)")),
        ("late-interupt", ('no fault "late-interupt"; did you mean "late-interrupt"? (faults: late-interrupt, '
         "lost-interrupt, extra-interrupt, stray-interrupt, storm, hog-executor, xip-cold, stretch, "
         "hang-sda, nack)")),
        ("nack,byte", '"byte" in "nack,byte": write key=value'),
        ("nack,byte=1,byte=2", '"byte" is given twice in "nack,byte=1,byte=2"'),
        ("nack,delay=1us", 'nack has no "delay" (nack takes: transfer, chance, seed, bus, byte)'),
        ("stretch,duraton=1us", ('stretch has no "duraton"; did you mean "duration"? (stretch takes: transfer, chance, '
         "seed, bus, duration, byte)")),
        ("nack,transfer=1,chance=0.5", '"nack,transfer=1,chance=0.5": give transfer or chance, not both'),
        ("nack,seed=4", '"nack,seed=4": a seed without a chance decides nothing; write chance=0.1,seed=4'),
        ("nack,bus=i2c2", 'no bus "i2c2" (the RP2040 has i2c0 and i2c1)'),
        ("nack,transfer=1;2", 'transfer: "1;2" is not a number from 0 on (several: 3+7)'),
        ("nack,chance=2", 'chance: "2" is not above 0 and at most 1'),
        ("nack,chance=x", 'chance: "x" is not above 0 and at most 1'),
        ("stretch,duration=5", 'duration: "5" has no unit; write for example "5us" (units: ns, us, ms, s)'),
        ("hang-sda,duration=5scl", ('duration: "5scl" counts SCL periods, which have no meaning here; write a time such '
         'as "5ms"; or forever')),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_fault(text)
    assert str(error.value) == message


def test_every_kind_has_defaults_that_parse_and_a_word_on_itself() -> None:
    for kind, spec in KINDS.items():
        fault = parse_fault(kind)
        assert (fault.kind, fault.bus, fault.strikes(0), fault.strikes(999)) == (kind, "i2c0", True, True)
        assert dict(fault.options) == {**spec.times, **spec.counts}
        assert spec.what


def test_help_names_every_kind_with_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", "--help"]) == 0
    told = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if len(line.split()) > 1)
    for kind, spec in KINDS.items():
        for option, default in {**spec.times, **spec.counts}.items():
            said = told[kind].partition(f"{option}=")[2].split()[0].strip(",:")
            options = parse_fault(f"{kind},{option}={said}").options
            assert (kind, option, options[option]) == (kind, option, default)


def test_which_transfers_it_strikes() -> None:
    listed = parse_fault("lost-interrupt, transfer=3+7, hold=2ms, bus=i2c1")
    assert [k for k in range(10) if listed.strikes(k)] == [3, 7]
    assert (listed.bus, listed.options["hold"]) == ("i2c1", 2e6)
    assert parse_fault("lost-interrupt").options["hold"] == FOREVER
    drawn = parse_fault("nack,chance=0.25,seed=5")
    struck = [k for k in range(400) if drawn.strikes(k)]
    assert struck == [k for k in range(400) if drawn.strikes(k)]
    assert 60 < len(struck) < 140
    assert struck != [k for k in range(400) if parse_fault("nack,chance=0.25,seed=6").strikes(k)]


def test_the_log_knows_what_never_struck() -> None:
    log, specs = FaultLog(), (parse_fault("nack,transfer=1"), parse_fault("stretch"))
    log.note(specs[1], 4, 12.4, "held")
    assert log.idle(specs) == [specs[0]]
    assert [(s.kind, s.transfer, s.time_ns) for s in log.strikes] == [("stretch", 4, 12)]


@pytest.fixture
def pended() -> list[tuple[int, bool]]:
    return []


@pytest.fixture
def line(pended: list[tuple[int, bool]]) -> InterruptLine:
    return InterruptLine(23, lambda irq, level: pended.append((irq, level)))


def test_a_level_is_passed_on_once(line: InterruptLine, pended: list[tuple[int, bool]]) -> None:
    for level in (True, True, False, False):
        line.set(level)
    assert pended == [(23, True)], "pending until its handler begins"
    line.cleared()
    assert pended == [(23, True), (23, False)]


def test_a_level_that_lasts_is_pending_again_after_its_handler(
    line: InterruptLine, pended: list[tuple[int, bool]]
) -> None:
    line.set(True)
    line.cleared()
    assert pended[-1] == (23, True)
    line.set(False)
    assert pended[-1] == (23, False)


def test_a_level_held_back_is_seen_when_it_is_let_through(line: InterruptLine, pended: list[tuple[int, bool]]) -> None:
    line.risen = lambda: True
    line.set(True)
    assert pended == []
    line.open(1)
    assert pended == [(23, True)]


def test_what_fell_meanwhile_is_gone_and_the_next_one_is_another(
    line: InterruptLine, pended: list[tuple[int, bool]]
) -> None:
    line.risen = lambda: True
    line.set(True)
    line.set(False)
    line.set(True)
    line.open(1)
    assert (True not in [level for _, level in pended], line.holds) == (True, 2)
    line.open(2)
    assert pended[-1] == (23, True)


def test_a_pulse_is_used_up_by_its_handler(line: InterruptLine, pended: list[tuple[int, bool]]) -> None:
    line.pulse()
    line.cleared()
    assert pended == [(23, True), (23, False)]


def test_the_cache_holds_two_lines_of_a_set() -> None:
    cache, base, way = XipCache(125), 0x1000_0000, 8 * 1024
    assert [cache.fetch(base), cache.fetch(base + 64)] == [0, 0], "warm until it is emptied"
    cache.flush()
    assert [cache.fetch(a) for a in (base, base + 6, base + 8, base)] == [125, 0, 125, 0]
    assert [cache.fetch(base + k * way) for k in (1, 2)] == [125, 125]
    assert [cache.fetch(base + k * way) for k in (2, 1, 0)] == [0, 0, 125], "the least recently used one went"
    assert cache.fetch(0x2000_0000) == 0, "RAM is not cached"
    assert cache.misses == 5
