"""Synthetic buses and firmware: the drawing's parts, one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracecheck.errors import UsageError
from tracecheck.synth.bus import Bus, Drawn, Line, Timing, rp2040
from tracecheck.synth.faults import FAULTS
from tracecheck.synth.firmware import Firmware, Interrupt, Poll
from tracecheck.synth.markers import SCHEMES
from tracecheck.synth.sampling import crop, sample_lines, to_sample
from tracecheck.synth.scenario import Scenario, Task, record
from tracecheck.synth.script import Hold, Message, Transfer, read, write, write_read

FAST = rp2040(400_000)


def drawn(transfer: Transfer, scl_hz: int = 400_000) -> Drawn:
    firmware = Firmware(1, rp2040(scl_hz))
    return Bus(rp2040(scl_hz)).draw(1_000, firmware.paced(transfer))


def causes(transfer: Transfer, scl_hz: int = 400_000) -> list[str]:
    return [told.cause for told in Firmware(1, rp2040(scl_hz)).exchange(drawn(transfer, scl_hz))]


# The controller's phases at 125 MHz, from the datasheet's formulas.
@pytest.mark.parametrize(
    ("scl_hz", "timing"),
    [
        (100_000, Timing(high=4424, low=6008, hold=304, hd_sta=4000, su_sta=4000, su_sto=4000, buf=6008)),
        (400_000, Timing(high=1152, low=1504, hold=304, hd_sta=1008, su_sta=1008, su_sto=1008, buf=1504)),
        (1_000_000, Timing(high=488, low=608, hold=128, hd_sta=400, su_sta=400, su_sto=400, buf=608)),
    ],
)
def test_phases_are_the_rp2040s(scl_hz: int, timing: Timing) -> None:
    assert rp2040(scl_hz) == timing


def test_a_write_is_drawn_edge_by_edge() -> None:
    bus = Bus(Timing(high=40, low=60, hold=10, hd_sta=30, su_sta=30, su_sto=35, buf=50))
    done = bus.draw(1_000, write(0x7F, b""))
    falls = [1_030 + 100 * n for n in range(10)]
    assert bus.scl.edges == [edge for fall in falls for edge in ((fall, 0), (fall + 60, 1))]
    # START; seven address ones; the zeros of W and ACK and before STOP; STOP.
    assert bus.sda.edges == [(1_000, 0), (1_040, 1), (1_740, 0), (2_025, 1)]
    assert (done.start, done.stop, done.end, done.outcome) == (1_000, 2_025, 2_025, "acked")
    assert done.octets[0].rises == tuple(fall + 60 for fall in falls[:9])


def test_a_repeated_start_has_sda_fall_while_scl_is_high() -> None:
    bus = Bus(FAST)
    done = bus.draw(0, write_read(0x50, b"", b"\x00"))
    rise = done.octets[0].ninth + FAST.high + FAST.low
    assert (rise, 1) in bus.scl.edges
    assert (rise + FAST.su_sta, 0) in bus.sda.edges
    assert (rise + FAST.su_sta + FAST.hd_sta, 0) in bus.scl.edges


def test_without_a_stop_both_lines_are_let_go() -> None:
    bus = Bus(FAST)
    done = bus.draw(0, Transfer((Message(0x3C, b"\x00"),), stop=False))
    assert (done.stop, done.outcome) == (None, "unfinished")
    assert bus.scl.edges[-1] == (done.end, 1)
    assert bus.sda.edges[-1] == (done.end - FAST.low + FAST.hold, 1)


@pytest.mark.parametrize(
    ("transfer", "octets", "outcome"),
    [
        (write(0x3C, b"\x01\x02"), [0x78, 1, 2], "acked"),
        (read(0x3C, b"\x01\x02"), [0x79, 1, 2], "acked"),
        (write(0x3C, b"\x01\x02", nack=0), [0x78], "address-nack"),
        (write(0x3C, b"\x01\x02", nack=1), [0x78, 1], "data-nack"),
        (read(0x3C, b"\x01", nack=0), [0x79], "address-nack"),
        (write(0x2A5, b"\x01", ten_bit=True), [0xF4, 0xA5, 1], "acked"),
        (write(0x2A5, b"\x01", ten_bit=True, nack=1), [0xF4, 0xA5], "address-nack"),
        (write_read(0x2A5, b"\x07", b"\x01", ten_bit=True), [0xF4, 0xA5, 7, 0xF5, 1], "acked"),
        (Transfer((Message(0x50, b"\x07", nack=0), Message(0x50, b"\x01", read=True))), [0xA0], "address-nack"),
        (Transfer((Message(0x50, b"\x07\x08"),), cut=(1, 3)), [0xA0, 7], "unfinished"),
    ],
)
def test_octets_and_outcomes(transfer: Transfer, octets: list[int], outcome: str) -> None:
    done = drawn(transfer)
    assert [octet.value for octet in done.octets] == octets
    assert done.outcome == outcome


@pytest.mark.parametrize(
    ("transfer", "who", "late"),
    [
        (write(0x00, b"\xff"), "target", False),
        (write(0x00, b"\xff"), "controller", True),
        (read(0x00, b"\xff\x00"), "target", True),
        (read(0x00, b"\xff\x00"), "controller", False),
    ],
)
def test_who_holds_scl_shows_in_when_sda_changes(transfer: Transfer, who: str, late: bool) -> None:
    bus = Bus(FAST)
    hold = Hold(1, 0, 50_000, "target" if who == "target" else "controller")
    done = bus.draw(0, Transfer(transfer.messages, (hold,)))
    fall = done.octets[0].ninth + FAST.high
    assert done.octets[1].rises[0] == fall + FAST.low + 50_000
    assert (fall + FAST.hold + (50_000 if late else 0), 1) in bus.sda.edges


def test_an_address_must_fit() -> None:
    with pytest.raises(UsageError) as caught:
        write(0x80, b"")
    assert str(caught.value) == "address 0x80 does not fit 7 bits"
    with pytest.raises(UsageError) as caught:
        write(0x400, b"", ten_bit=True)
    assert str(caught.value) == "address 0x400 does not fit 10 bits"


def test_a_line_goes_forward_only() -> None:
    line = Line()
    line.to(100, 0)
    with pytest.raises(UsageError) as caught:
        line.to(99, 1)
    assert str(caught.value) == "an edge at 99 ns cannot follow one at 100 ns"
    with pytest.raises(UsageError) as caught:
        line.pulse(90, 100)
    assert str(caught.value) == "a pulse from 90 to 100 ns would swallow an edge of the line"


# Embassy's driver: what it arms follows from the length and from the FIFO of 16.
@pytest.mark.parametrize(
    ("length", "refills"), [(1, 0), (15, 0), (16, 0), (17, 1), (31, 1), (32, 2), (46, 2), (47, 3), (61, 3)]
)
def test_a_write_refills_the_fifo(length: int, refills: int) -> None:
    assert causes(write(0x3C, bytes(length))) == ["TX_EMPTY"] * refills + ["STOP_DET"]


def test_a_refill_comes_18_clocks_before_the_fifo_is_dry() -> None:
    done = drawn(write(0x3C, bytes(32)))
    first, second, _ = Firmware(1, FAST).exchange(done)
    for told, last_loaded in ((first, 16), (second, 31)):  # the address is octet 0, the FIFO holds data
        dry = done.octets[last_loaded].ninth + FAST.high
        assert 0 < dry - told.begin < 18 * (FAST.high + FAST.low)
        assert dry - told.begin > 17 * (FAST.high + FAST.low)


@pytest.mark.parametrize(("length", "batches"), [(1, 1), (16, 1), (17, 2), (32, 2), (33, 3)])
@pytest.mark.parametrize(("scl_hz", "extra"), [(100_000, ["STOP_DET"]), (400_000, []), (1_000_000, [])])
def test_a_read_is_interrupted_once_a_batch(length: int, batches: int, scl_hz: int, extra: list[str]) -> None:
    assert causes(read(0x48, bytes(length)), scl_hz) == ["RX_FULL"] * batches + extra


def test_a_long_read_waits_for_its_task() -> None:
    done = drawn(read(0x48, bytes(40)))
    told = Firmware(1, FAST).exchange(done)
    for batch, octet in ((0, 17), (1, 33)):
        wake = told[batch].wake
        assert wake is not None
        assert done.octets[octet].rises[0] - done.octets[octet - 1].ninth == FAST.high + FAST.low + 8_000
        assert done.octets[octet - 1].ninth < told[batch].begin < wake < done.octets[octet].rises[0]


@pytest.mark.parametrize(
    ("transfer", "expected"),
    [
        (write(0x3C, b"\x01", nack=0), ["TX_ABRT"]),
        (write(0x3C, b"\x01\x02", nack=1), ["TX_ABRT"]),
        (read(0x3C, b"\x01", nack=0), ["TX_ABRT"]),
        (write_read(0x50, b"\x10", bytes(8)), ["RX_FULL"]),
        (Transfer((Message(0x3C, b"\x01"),), cut=(1, 3)), ["TX_ABRT"]),
        (Transfer((Message(0x3C, b"\x01"),), stop=False), []),
        (Transfer((Message(0x3C, b"\x01"),), cut=(1, 3), stop=False), []),
    ],
)
def test_other_endings(transfer: Transfer, expected: list[str]) -> None:
    assert causes(transfer) == expected


def test_a_nack_interrupts_before_its_stop() -> None:
    done = drawn(write(0x3C, b"\x01", nack=0))
    (told,) = Firmware(1, FAST).exchange(done)
    assert done.stop is not None
    assert done.octets[0].ninth < told.begin < done.stop


def test_a_combined_transfer_beyond_the_model_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        causes(write_read(0x50, b"\x10", bytes(16)))
    assert str(caught.value) == "a combined transfer of 17 bytes: this model knows them up to 16 bytes"


@given(seed=st.integers(0, 2**32))
def test_latencies_stay_in_their_ranges(seed: int) -> None:
    told = Firmware(seed, FAST).interrupt("STOP_DET", 10_000)
    assert told.end is not None and told.ready is not None and told.wake is not None and told.wake_end is not None
    assert 350 <= told.begin - 10_000 <= 900
    assert 200 <= told.ready - told.begin <= 400
    assert 900 <= told.end - told.begin <= 1_300
    assert 2_400 <= told.wake - told.begin <= 3_600
    assert 2_500 <= told.wake_end - told.wake <= 6_000


def test_levels_are_the_intervals() -> None:
    told = [
        Interrupt("STOP_DET", 1_000, 2_000, 1_300, 4_000, 7_000),
        Interrupt("none", 20_000, None, 20_300, None, None),
    ]
    pins = SCHEMES["three-pin"](told, [Poll(10_000, 12_000, 13_000)])
    assert pins["IRQ"].edges == [(1_000, 1), (2_000, 0), (20_000, 1)]
    assert pins["PENDING"].edges == [(1_300, 1), (3_984, 0), (10_000, 1), (11_984, 0), (20_300, 1)]
    assert pins["RUN"].edges == [(4_000, 1), (7_000, 0), (12_000, 1), (13_000, 0)]


def test_one_pin_counts_pulses() -> None:
    (line,) = SCHEMES["one-pin"]([Interrupt("STOP_DET", 1_000, 2_000, 1_300, 4_000, 7_000)], []).values()
    assert line.edges == [(1_000, 1), (1_168, 0), (4_000, 1), (4_168, 0), (4_336, 1), (4_504, 0)]
    with pytest.raises(UsageError) as caught:
        SCHEMES["one-pin"]([Interrupt("STOP_DET", 1_000, 2_000, 1_300, 1_839, 7_000)], [])
    assert str(caught.value) == "the pulse code at 1839 ns begins before the gap after the last one has passed"


LEVELS = st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 1)), max_size=12)


def line_of(changes: list[tuple[int, int]]) -> Line:
    line = Line()
    for at, level in sorted(changes, key=lambda change: change[0]):
        line.to(at, level)
    return line


@given(first=LEVELS, second=LEVELS, rate_hz=st.sampled_from([1_000_000, 7_000_000, 24_000_000, 1_000_000_000]))
def test_a_sample_shows_the_lines_at_its_instant(
    first: list[tuple[int, int]], second: list[tuple[int, int]], rate_hz: int
) -> None:
    lines = [line_of(first), line_of(second)]
    block = sample_lines(lines, rate_hz, 3_000)
    expected = []
    for sample in range(to_sample(3_000, rate_hz)):
        levels = [([1] + [to for at, to in line.edges if at * rate_hz <= sample * 10**9])[-1] for line in lines]
        expected.append(levels[0] | levels[1] << 1)
    assert samples_of(block.initial, block.at, block.words, block.end) == expected
    assert np.all(np.diff(block.at) > 0)
    assert np.all(np.diff(np.concatenate(([block.initial], block.words.astype(int)))) != 0)


def samples_of(initial: int, at: np.ndarray, words: np.ndarray, end: int) -> list[int]:
    samples, state = [], initial
    changes = dict(zip(at.tolist(), words.tolist(), strict=True))
    for sample in range(end):
        state = changes.get(sample, state)
        samples.append(state)
    return samples


@given(changes=LEVELS, begin=st.integers(0, 70), length=st.integers(1, 20))
def test_a_crop_is_a_slice(changes: list[tuple[int, int]], begin: int, length: int) -> None:
    block = sample_lines([line_of(changes)], 24_000_000, 4_000)
    whole = samples_of(block.initial, block.at, block.words, block.end)
    end = min(begin + length, len(whole))
    part = crop(block, begin, end)
    assert samples_of(part.initial, part.at, part.words, part.end) == whole[begin:end]
    assert 0 not in part.at


def test_a_scenario_is_the_same_each_time_and_another_with_another_seed() -> None:
    task = Task((write(0x3C, b"\x00"), read(0x48, b"\x01")))
    one, again, other = (record(Scenario((task,), seed)) for seed in (5, 5, 6))
    assert np.array_equal(one.block.at, again.block.at) and one.truth == again.truth
    assert one.truth != other.truth


@given(
    st.sampled_from(sorted(name for name in FAULTS if not name.startswith("cut"))),  # these cut the recording
    st.sampled_from([100_000, 400_000, 1_000_000]),
    st.lists(st.tuples(st.integers(2, 8), st.booleans()), min_size=1, max_size=2),
    st.integers(0, 1 << 30),
)
def test_every_fault_strikes_every_transfer(fault: str, scl_hz: int, shape: list[tuple[int, bool]], seed: int) -> None:
    """However short, fast and close together: no interrupt is drawn inside another, nor a poll inside a poll."""
    struck = Transfer(tuple(Message(0x48, bytes(n), read=read) for n, read in shape))
    task = Task((write(0x3C, b"\x00"), struck, read(0x48, b"\x01")), scl_hz=scl_hz)
    drawn = record(Scenario((task,), seed, fault, 1))
    assert not np.array_equal(drawn.block.at, record(Scenario((task,), seed)).block.at)


def test_what_does_not_exist_is_said() -> None:
    task = Task((write(0x3C, b"\x00"),))
    with pytest.raises(UsageError) as caught:
        record(Scenario((task,), 1, "lost"))
    assert str(caught.value) == f'no fault "lost" (faults: {", ".join(FAULTS)})'
    with pytest.raises(UsageError) as caught:
        record(Scenario((Task(task.transfers, scheme="four-pin"),), 1))
    assert str(caught.value) == 'no marker scheme "four-pin" (schemes: three-pin, two-pin, irq-only, one-pin)'
