"""The controller's model: what it puts on the bus, decoded; its formulas, measured from edges; its registers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pico_bench import Rig, sources

from tracecheck.pico.controller import ASSUMPTIONS
from tracecheck.pico.controller.registers import Command, Con, Enable, Interrupt, Register

SPEEDS = (100_000, 400_000, 1_000_000)
DEVICES = ("0x68=registers", "0x3C=display", "0x50=eeprom")
BYTES = st.binary(min_size=1, max_size=40)
MESSAGES = st.lists(st.one_of(BYTES, st.integers(1, 40)), min_size=1, max_size=3)


def shape(rig: Rig) -> list[tuple[Any, ...]]:
    """Per message: transfer, address, direction, acked, data."""
    table = rig.decoded().messages.to_pylist()
    return [(m["transfer"], m["address"], m["direction"], m["acked"], bytes(m["data"])) for m in table]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SPEEDS), st.lists(MESSAGES, min_size=1, max_size=3), st.sampled_from([0, 3, 30]))
def test_what_is_asked_for_is_what_the_bus_carries(
    speed: int, transfers: list[list[bytes | int]], stretch: int
) -> None:
    """Any messages at any speed, with targets that stretch the clock or not: a register file is the slow twin."""
    option = f",stretch={stretch}us" if stretch else ""
    rig = Rig([f"0x68=registers{option}"], speed)
    memory, pointer = bytearray(k ^ 0xA5 for k in range(256)), 0
    expected = []
    for number, messages in enumerate(transfers):
        got, source = rig.transact(0x68, *messages)
        assert source == 0
        read = iter(got)
        for message in messages:
            if isinstance(message, int):
                data = bytes(memory[(pointer + k) & 0xFF] for k in range(message))
                pointer = (pointer + message) & 0xFF
                assert next(read) == data
            else:
                data, pointer = message, message[0]
                for byte in message[1:]:
                    memory[pointer], pointer = byte, (pointer + 1) & 0xFF
            expected.append((number, 0x68, "read" if isinstance(message, int) else "write", True, data))
    assert shape(rig) == expected
    trace = rig.decoded()
    assert trace.anomalies.num_rows == 0
    assert set(trace.transfers["outcome"].to_pylist()) == {"acked"}


@pytest.mark.parametrize("speed", SPEEDS)
def test_the_wire_s_timing_is_the_data_sheet_s(speed: int) -> None:
    rig = Rig(DEVICES, speed)
    rig.transact(0x68, b"\x10", 3)
    rises = [at for at, level in rig.scl.edges if level]
    falls = [at for at, level in rig.scl.edges if not level]
    high, low = (rig.high + rig.spike + 7) * 8, (rig.low + 1) * 8
    widths = {fall - rise for rise, fall in zip(rises, falls[1:], strict=False)}
    # A repeated START adds a second high time: SDA falls in its middle.
    assert widths == {high, 2 * high}
    assert {rise - fall for fall, rise in zip(falls, rises, strict=False)} == {low}
    start = rig.sda.edges[0][0]
    assert falls[0] - start == high  # tHD;STA
    assert rig.sda.edges[-1][0] - rises[-1] == high  # tSU;STO
    own = [at for at, _ in rig.sda.edges if any(at - fall == rig.hold * 8 for fall in falls)]
    assert own, "tHD;DAT of the controller's own edges"


@pytest.mark.parametrize(
    ("messages", "source", "n_bytes"),
    [((b"\x01\x02",), "ADDRESS_7_NACK", 0), ((3,), "ADDRESS_7_NACK", 0), ((b"\x01", 3), "ADDRESS_7_NACK", 0)],
)
def test_nobody_answers(messages: tuple[bytes | int, ...], source: str, n_bytes: int) -> None:
    rig = Rig(DEVICES)
    got, abort = rig.transact(0x21, *messages)
    assert got in ([], [b""])
    assert abort & 0x1FFFF == sources(source)
    assert abort >> 23 == len(messages[0]) + 3 * (len(messages) - 1) if isinstance(messages[0], bytes) else 3
    assert rig.controller.unanswered == [0x21]
    (transfer,) = rig.decoded().transfers.to_pylist()
    assert (transfer["outcome"], transfer["n_bytes"]) == ("address-nack", n_bytes)


def test_a_refused_byte_ends_the_transfer_and_flushes_what_is_left() -> None:
    rig = Rig(["0x3C=display,nack-after=2"])
    _, abort = rig.transact(0x3C, bytes(range(8)))
    assert abort & 0x1FFFF == sources("DATA_NACK")
    assert abort >> 23 == 5
    assert shape(rig) == [(0, 0x3C, "write", True, b"\x00\x01\x02")]
    # The next one works: the flush ended when the abort was cleared.
    _, abort = rig.transact(0x3C, b"\x07")
    assert abort == 0


def test_nothing_enters_the_fifo_until_an_abort_is_cleared() -> None:
    rig = Rig()
    rig.open(0x21)
    rig.push(0x01 | Command.STOP)
    assert rig.until(Interrupt.STOP_DET)
    rig.push(0x02)
    assert rig.controller.read(Register.TXFLR) == 0
    assert rig.controller.read(Register.CLR_TX_ABRT) == 1
    rig.push(0x02)
    assert rig.controller.read(Register.TXFLR) == 1


def test_interrupts_follow_their_thresholds() -> None:
    rig = Rig(DEVICES)
    rig.open(0x68)
    rig.controller.write(Register.RX_TL, 3)
    rig.controller.write(Register.INTR_MASK, Interrupt.RX_FULL)
    rig.push(*[Command.READ] * 5, Command.READ | Command.STOP)
    assert rig.until(Interrupt.STOP_DET)
    assert [level for _, level in rig.levels] == [True]
    eighth = sorted(at for at, level in rig.scl.edges if not level)[5 * 9 - 1]
    assert rig.levels[0][0] == eighth, "with the 8th pulse of the fourth byte"
    assert rig.controller.read(Register.RXFLR) == 6
    for _ in range(2):
        rig.controller.read(Register.DATA_CMD)
    assert rig.levels[-1][1], "four are left"
    rig.controller.read(Register.DATA_CMD)
    assert not rig.levels[-1][1], "three are not above the threshold"


def test_tx_empty_rises_with_one_entry_left_and_falls_when_it_is_filled() -> None:
    rig = Rig(DEVICES)
    rig.open(0x3C)
    rig.controller.write(Register.TX_TL, 1)
    rig.push(*range(6))
    rig.controller.write(Register.INTR_MASK, Interrupt.TX_EMPTY)
    assert rig.levels == []
    assert rig.until(Interrupt.TX_EMPTY)
    assert rig.controller.read(Register.TXFLR) == 1
    rig.push(6, 7, 8)
    assert [level for _, level in rig.levels] == [True, False]


def test_tx_empty_ctrl_waits_for_the_byte_under_way() -> None:
    """RP2040 data sheet, IC_RAW_INTR_STAT.TX_EMPTY: at the threshold, and the last command popped is done."""
    rig = Rig(DEVICES)
    rig.controller.write(Register.CON, rig.controller.read(Register.CON) | Con.TX_EMPTY_CTRL)
    rig.open(0x3C)
    rig.controller.write(Register.TX_TL, 1)
    rig.controller.write(Register.INTR_MASK, Interrupt.TX_EMPTY)
    rig.push(1, 2, 3)
    assert rig.levels == [(20_000, True), (20_000, False)], "empty at first"
    rig.clock.run(rig.clock.now_ns + 1e6)
    falls = [at for at, level in rig.scl.edges if not level]
    rises = [at for at, level in rig.levels[2:] if level]
    assert rises[0] == falls[27], "level 1 since the second byte began, and its 9th pulse has ended"


def test_an_empty_fifo_holds_scl_low_until_more_comes() -> None:
    rig = Rig(DEVICES)
    rig.open(0x3C)
    rig.push(0x55)
    rig.clock.run(2_000_000)
    assert rig.bus.level("scl") == 0 and rig.bus.busy
    rig.push(0xAA | Command.STOP)
    assert rig.until(Interrupt.STOP_DET)
    assert shape(rig) == [(0, 0x3C, "write", True, b"\x55\xaa")]


def test_user_abort_ends_the_transfer_with_a_stop_after_the_byte() -> None:
    rig = Rig(DEVICES)
    rig.open(0x3C)
    rig.push(*range(16))
    rig.clock.run(rig.clock.now_ns + 60_000)
    rig.controller.write(Register.ENABLE, Enable.ENABLE | Enable.ABORT)
    assert rig.controller.read(Register.ENABLE) & Enable.ABORT
    assert rig.until(Interrupt.STOP_DET)
    abort = rig.controller.read(Register.TX_ABRT_SOURCE)
    assert abort & 0x1FFFF == sources("USER")
    assert not rig.controller.read(Register.ENABLE) & Enable.ABORT
    ((_, _, _, _, data),) = shape(rig)
    assert data == bytes(range(len(data))) and 0 < len(data) < 16
    assert abort >> 23 == 16 - len(data)


def test_disabling_ends_a_held_transfer() -> None:
    rig = Rig(DEVICES)
    rig.open(0x3C)
    rig.push(0x55)
    rig.clock.run(1_000_000)
    rig.controller.write(Register.ENABLE, 0)
    assert rig.until(Interrupt.STOP_DET)
    assert not rig.bus.busy


@pytest.mark.parametrize("messages", [(b"\x10\x20",), (b"\x10", 4), (4,)])
def test_ten_bit_addresses(messages: tuple[bytes | int, ...]) -> None:
    rig = Rig(["0x2A5=registers"], ten_bit=True)
    got, abort = rig.transact(0x2A5, *messages)
    assert abort == 0
    assert [len(data) for data in got] == [m for m in messages if isinstance(m, int)]
    table = rig.decoded().messages.to_pylist()
    assert {(m["address"], m["ten_bit"], m["acked"]) for m in table} == {(0x2A5, True, True)}
    assert [bytes(m["data"]) for m in table if m["direction"] == "read"] == got


def test_ten_bit_addresses_that_nobody_has() -> None:
    _, abort = Rig(["0x2A6=registers"], ten_bit=True).transact(0x2A5, b"\x01")
    assert abort & 0x1FFFF == sources("ADDRESS_10_SECOND_NACK")
    _, abort = Rig(["0x1A5=registers"], ten_bit=True).transact(0x2A5, b"\x01")
    assert abort & 0x1FFFF == sources("ADDRESS_10_FIRST_NACK")


def test_a_general_call_is_address_0() -> None:
    rig = Rig(["0x00=display"])
    _, abort = rig.transact(1 << 11, b"\x06")
    assert abort == 0
    assert [(m["address"], bytes(m["data"])) for m in rig.decoded().messages.to_pylist()] == [(0, b"\x06")]
    _, abort = Rig().transact(1 << 11, b"\x06")
    assert abort & 0x1FFFF == sources("GENERAL_CALL_NACK")


def test_somebody_else_s_zero_is_a_lost_arbitration() -> None:
    rig = Rig(DEVICES)
    rig.open(0x3C)
    rig.push(0xFF, 0xFF | Command.STOP)
    rig.clock.run(rig.clock.now_ns + 30_000)
    rig.bus.pull("sda", "another", True)
    assert rig.until(Interrupt.TX_ABRT)
    assert rig.controller.read(Register.TX_ABRT_SOURCE) & 0x1FFFF == sources("ARBITRATION_LOST")
    assert not rig.until(Interrupt.STOP_DET, 1e6), "no STOP before SDA is let go"
    assert rig.bus.level("scl") == 1
    rig.bus.pull("sda", "another", False)
    assert rig.until(Interrupt.STOP_DET)
    rig.controller.read(Register.CLR_INTR)
    _, abort = rig.transact(0x3C, b"\x01")
    assert abort == 0


def test_after_a_lost_arbitration_the_bus_is_free_for_a_while_before_the_next_start() -> None:
    """tBUF, as after a STOP of its own: a call that was waiting must not follow STOP closer than a device can see."""
    rig = Rig(DEVICES)
    rig.open(0x3C)
    rig.push(0xFF, 0xFF | Command.STOP)
    rig.clock.run(rig.clock.now_ns + 30_000)
    rig.bus.pull("sda", "another", True)
    assert rig.until(Interrupt.TX_ABRT)
    rig.controller.read(Register.CLR_TX_ABRT)
    rig.push(0x01 | Command.STOP)
    rig.clock.run(rig.clock.now_ns + 50_000)
    rig.bus.pull("sda", "another", False)
    freed = rig.clock.now_ns
    rig.clock.run(freed + 100_000)
    start = next(at for at, level in rig.sda.edges if at > freed and not level)
    assert start - freed >= rig.controller.low_ns
    assert [data for *_, data in shape(rig)][-1] == b"\x01"


def test_a_scl_held_for_a_while_is_waited_for() -> None:
    rig = Rig(DEVICES)
    rig.open(0x3C)
    rig.push(0x12 | Command.STOP)
    rig.clock.run(rig.clock.now_ns + 10_000)
    rig.bus.pull("scl", "another", True)
    assert not rig.until(Interrupt.STOP_DET, 5e6)
    rig.bus.pull("scl", "another", False)
    assert rig.until(Interrupt.STOP_DET)
    assert shape(rig) == [(0, 0x3C, "write", True, b"\x12")]


def test_too_much_for_a_fifo() -> None:
    rig = Rig(DEVICES)
    rig.open(0x68)
    rig.push(*[Command.READ] * 17)
    assert rig.controller.read(Register.RAW_INTR_STAT) & Interrupt.TX_OVER
    assert rig.controller.read(Register.TXFLR) == 16
    assert rig.controller.read(Register.DATA_CMD) == 0
    assert rig.controller.read(Register.RAW_INTR_STAT) & Interrupt.RX_UNDER
    rig.clock.run(rig.clock.now_ns + 1e6)
    rig.push(Command.READ | Command.STOP)
    assert rig.until(Interrupt.STOP_DET)
    assert rig.controller.read(Register.RAW_INTR_STAT) & Interrupt.RX_OVER
    assert rig.controller.read(Register.RXFLR) == 16


def test_reset_lets_go_of_the_bus() -> None:
    rig = Rig(DEVICES)
    rig.open(0x3C)
    rig.push(*range(8))
    rig.clock.run(rig.clock.now_ns + 50_000)
    rig.controller.reset()
    assert (rig.bus.level("scl"), rig.controller.read(Register.TXFLR), rig.controller.read(Register.ENABLE)) == (
        1,
        0,
        0,
    )
    assert rig.controller.read(Register.INTR_MASK) == 0x8FF
    assert rig.controller.read(Register.COMP_TYPE) == 0x4457_0140


def test_what_is_not_modelled_is_noted_once() -> None:
    rig = Rig()
    for _ in range(2):
        rig.controller.write(Register.DMA_CR, 3)
        rig.controller.write(Register.CON, 1 << 0 | 3 << 1)
        rig.controller.write(Register.TAR, 3 << 10)
        rig.controller.write(Register.ENABLE, 1)
    assert [note.split(";")[0].split(",")[0] for note in rig.controller.notes] == [
        "DMA was asked for",
        "it was enabled as a slave too",
        "high-speed mode is not modelled",
        "a START byte was asked for",
    ]


def test_assumptions_are_sentences_without_a_full_stop() -> None:
    assert all(text[0].islower() or text[0] == "S" or text.startswith("START") for text in ASSUMPTIONS)
    assert not any(text.endswith(".") for text in ASSUMPTIONS)
