"""Targets: how they are declared, what each kind answers, and the bus they sit on."""

from __future__ import annotations

import pytest
from pico_bench import Rig

from tracecheck.errors import UsageError
from tracecheck.pico.bus import Bus
from tracecheck.pico.clock import StepClock
from tracecheck.pico.targets import KINDS, attach, parse_target


def test_a_register_file_points_reads_and_writes() -> None:
    rig = Rig(["0x68=registers"])
    assert rig.transact(0x68, b"\x20", 3) == ([bytes([0x20 ^ 0xA5, 0x21 ^ 0xA5, 0x22 ^ 0xA5])], 0)
    assert rig.transact(0x68, b"\xff\x01\x02") == ([], 0)
    assert rig.transact(0x68, b"\xff", 2, b"\x05", 1) == ([b"\x01\x02", bytes([0x05 ^ 0xA5])], 0)


def test_an_eeprom_does_not_answer_while_it_writes() -> None:
    rig = Rig(["0x50=eeprom,write=1ms"])
    assert rig.transact(0x50, b"\x1e\x01\x02\x03")[1] == 0
    assert rig.transact(0x50, b"\x1e")[1] != 0, "busy"
    rig.clock.run(rig.clock.now_ns + 1_000_000)
    assert rig.transact(0x50, b"\x1e", 2) == ([b"\x01\x02"], 0)
    assert rig.transact(0x50, b"\x10", 1) == ([b"\x03"], 0), "writes wrap within a page of 16"
    assert rig.transact(0x50, b"\x10")[1] == 0, "setting the pointer writes nothing"
    assert rig.transact(0x50, 1)[1] == 0


def test_a_display_takes_everything_and_reads_0() -> None:
    rig = Rig(["0x3C=display"])
    assert rig.transact(0x3C, bytes(range(40)))[1] == 0
    assert rig.transact(0x3C, 3) == ([b"\0\0\0"], 0)


def test_an_absent_target_does_not_answer() -> None:
    assert Rig(["0x21=absent"]).transact(0x21, b"\x01")[1] != 0


def test_a_target_that_stretches_is_waited_for() -> None:
    plain, stretched = Rig(["0x68=registers"]), Rig(["0x68=registers,stretch=100us"])
    for rig in (plain, stretched):
        assert rig.transact(0x68, b"\x01\x02")[1] == 0
    longer = stretched.scl.edges[-1][0] - plain.scl.edges[-1][0]
    # Three bytes, each held from its 9th fall: the low time is 100 us in place of 1.504.
    assert longer == 3 * (100_000 - 1_504)
    (trace,) = (stretched.decoded(),)
    assert trace.transfers["stretch_ns"].to_pylist()[0] > 290_000


def test_hold_moves_sda() -> None:
    rig = Rig(["0x68=registers,hold=700ns"])
    rig.transact(0x68, 2)
    falls = [at for at, level in rig.scl.edges if not level]
    assert any(at - fall == 700 for at, _ in rig.sda.edges for fall in falls)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0x68", ('target "0x68": write ADDRESS=KIND, for example 0x68=registers '
         "(kinds: registers, eeprom, display, absent)")),
        ("0x68=register", ('target "0x68=register": no kind "register"; did you mean "registers"? '
         "(kinds: registers, eeprom, display, absent)")),
        ("x=display", 'target "x=display": "x" is not an address; write it like 0x68'),
        ("0x400=display", 'target "0x400=display": address 0x400 is out of range (0 to 0x7F, with 10 bits to 0x3FF)'),
        ("spi0:0x1=display", 'target "spi0:0x1=display": no bus "spi0" (the RP2040 has i2c0 and i2c1)'),
        ("1=display,write=1ms", ('target "1=display,write=1ms": display has no option "write" '
         "(stretch, hold, nack-after)")),
        ("1=display,strech=1us", ('target "1=display,strech=1us": display has no option "strech"; '
         'did you mean "stretch"? (stretch, hold, nack-after)')),
        ("1=display,hold", 'target "1=display,hold": write hold=value, once'),
        ("1=display,hold=5", ('target "1=display,hold=5": hold: "5" has no unit; write for example "5us" '
         "(units: ns, us, ms, s)")),
        ("1=display,nack-after=x", 'target "1=display,nack-after=x": "x" is not a number from 0 on'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_target(text)
    assert str(error.value) == message


def test_what_is_declared_is_understood() -> None:
    spec = parse_target("i2c1:80=eeprom,write=3ms,stretch=2us")
    assert (spec.bus, spec.address, spec.kind, spec.write_ns, spec.stretch_ns) == ("i2c1", 0x50, "eeprom", 3e6, 2e3)
    assert set(KINDS) == {"registers", "eeprom", "display", "absent"}


def test_two_at_one_address() -> None:
    clock = StepClock()
    specs = [parse_target("0x68=registers"), parse_target("i2c1:0x68=display"), parse_target("104=eeprom")]
    with pytest.raises(UsageError) as error:
        attach(specs, {"i2c0": Bus("i2c0", clock), "i2c1": Bus("i2c1", clock)}, clock)
    assert str(error.value) == (
        'two targets at 0x68 on i2c0: "0x68=registers" and "104=eeprom"; both would answer at once. Give one another '
        "address"
    )


def test_the_bus_is_low_while_anybody_pulls_and_counts_transfers() -> None:
    clock = StepClock()
    bus = Bus("i2c0", clock)
    seen: list[tuple[str, int]] = []
    starts: list[int] = []
    stops: list[int] = []
    bus.watch(lambda line, level, ns: seen.append((line, level)))
    bus.on_start.append(lambda number, ns: starts.append(number))
    bus.on_stop.append(lambda number, ns: stops.append(number))
    bus.pull("sda", "a", True)
    bus.pull("sda", "b", True)
    bus.pull("sda", "a", False)
    assert (bus.level("sda"), bus.busy, bus.transfers) == (0, True, 1)
    bus.pull("scl", "a", True)
    bus.pull("sda", "b", False)
    bus.pull("scl", "a", False)
    bus.pull("sda", "a", True)  # a repeated START
    assert (bus.transfers, stops) == (1, [])
    bus.pull("sda", "a", False)
    assert (starts, stops, bus.busy) == ([0], [0], False)
    assert seen == [("sda", 0), ("scl", 0), ("sda", 1), ("scl", 1), ("sda", 0), ("sda", 1)]


def test_alarms_come_in_order_and_can_be_cancelled() -> None:
    clock, called = StepClock(), []
    one, two = clock.alarm(lambda: called.append(1)), clock.alarm(lambda: called.append(2))
    one.schedule(10)
    two.schedule(10)
    one.schedule(20)
    clock.run(15)
    assert (called, clock.now_ns) == ([2], 15)
    one.cancel()
    clock.run()
    assert (called, clock.step()) == ([2], False)
