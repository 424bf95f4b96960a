"""Text that is written as it is decoded: as its slow twin has it, wherever batches are cut, in flat memory."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pieces import in_pieces
from reference_text import message_texts, text_of

import tracecheck
from tracecheck._text import Cells, lines
from tracecheck.capture.memory import ArrayCapture
from tracecheck.capture.model import Capture, EdgeBlock
from tracecheck.capture.sr import SrCapture
from tracecheck.decoding import stream
from tracecheck.decoding.find import wire
from tracecheck.decoding.stream import decode_capture
from tracecheck.decoding.wiring import Wiring
from tracecheck.report.style import Style
from tracecheck.report.transfers import TransferText
from tracecheck.timebase import instant_text
from tracecheck.trace import Trace

CAPTURES = Path(__file__).parent.parent / "captures"
NAMES = (
    "synthetic/synthetic-clean-two-buses.sr",
    "synthetic/synthetic-partial-byte.sr",
    "synthetic/synthetic-clean-ten-bit.sr",
    "synthetic/synthetic-cut-begin.sr",
    "synthetic/synthetic-clean-one-pin.sr",
    "synthetic/synthetic-clean-nacks.sr",
    "synthetic/synthetic-late-wake.sr",
    "pico/pico-nack.sr",
    "sigrok-dumps/i2c-sht21-100khz-read-serial-hold.sr",
    "sigrok-dumps/rtc_ds1307_200khz_no_samplerate.sr",
)


def written(capture: Capture, wiring: Wiring, settle: int, style: Style, *, whole: bool) -> TransferText:
    """The text of a capture's decode, `head` with all lines behind it."""
    text = TransferText(wiring, settle, capture.rate_hz, style, whole=whole)
    pieces = text.pieces(decode_capture(capture, text.needed))
    text.head += "\n" + "".join(piece.text for piece in pieces)
    return text


@pytest.mark.parametrize("edges", [7, 100, 1 << 20])
@pytest.mark.parametrize("name", NAMES)
def test_text_is_that_of_the_twin(name: str, edges: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = SrCapture.edges
    trace = tracecheck.decode(CAPTURES / name)
    capture = tracecheck.open(CAPTURES / name)
    monkeypatch.setattr(SrCapture, "edges", lambda *args, **options: in_pieces(whole(*args, **options), edges))
    monkeypatch.setattr(stream, "BATCH_EVENTS", 1)
    for width in (None, 20, 60, 90, 200):
        text = written(capture, trace.wiring, trace.settle, Style(width or 80), whole=width is None)
        assert text.head == text_of(trace, width), width
    assert text.transfers == len(trace.transfers) > 0
    assert text.anomalies == sum(kind != "simultaneous" for kind in trace.anomalies["kind"].to_pylist())


def test_colours_are_round_outcomes_alone() -> None:
    trace = tracecheck.decode(CAPTURES / "synthetic/synthetic-clean-nacks.sr")
    assert trace.capture is not None
    text = written(trace.capture, trace.wiring, trace.settle, Style(colour=True), whole=True).head
    assert "\x1b[33maddress-nack\x1b[0m  " in text
    assert text.count("\x1b[33m") == text.count("nack") > 0
    assert text.count("\x1b[2m") == 1 + text.count("void")
    for code in ("\x1b[33m", "\x1b[2m", "\x1b[0m"):
        text = text.replace(code, "")
    assert text == text_of(trace)


MESSAGES = st.lists(
    st.fixed_dictionaries(
        {
            "address": st.none() | st.sampled_from([0, 0x50, 0x7F, 0x150, 0x3FF]),
            "ten_bit": st.booleans(),
            "direction": st.sampled_from(["write", "read"]),
            "restart": st.booleans(),
            "acked": st.sampled_from([None, False, True]),
            "data": st.binary(max_size=40),
        }
    ),
    max_size=4,
)
MOMENTS = st.integers(-1, 2 << 62) | st.integers(0, 2000) | st.integers(0, 2 * 10**9)
TRANSFERS = st.lists(st.tuples(MOMENTS.filter(lambda t: t < 1 << 63), st.integers(0, 10**7), MESSAGES), max_size=12)


@given(TRANSFERS, st.none() | st.integers(0, 120), st.booleans(), st.booleans())
def test_lines_are_those_of_the_twin(
    transfers: list[tuple[int, int, list[dict[str, Any]]]], room: int | None, timed: bool, several: bool
) -> None:
    names, words = ["i2c0 ", "längst"], ["acked", "-", "unfinished"]
    wanted = ""
    for i, (at, number, messages) in enumerate(transfers):
        when = instant_text(at) if timed else str(at)
        line = f"{when:>14}  {names[i % 2] if several else ''}{number:>5}  {words[i % 3]}  {words[1]}"
        wanted += f"{line}  {message_texts(messages, room)}".rstrip() + "\n"
    flat = [message for _, _, messages in transfers for message in messages]
    counts = np.array([len(messages) for _, _, messages in transfers], np.int64)
    last = np.cumsum(counts)
    texts = [word.encode() for word in words]
    found = lines(
        np.array([at for at, _, _ in transfers], np.int64),
        timed,
        Cells([name.encode() for name in names], np.arange(len(last)) % 2) if several else None,
        np.array([number for _, number, _ in transfers], np.int64),
        [Cells(texts, np.arange(len(last)) % 3), Cells(texts, np.ones(len(last), np.int64))],
        last - counts,
        last,
        columns_of(flat),
        np.frombuffer(b"".join(one["data"] for one in flat), np.uint8),
        -1 if room is None else room,
    )
    assert found == wanted


def test_a_line_of_very_many_cells_has_room() -> None:
    """One line that fills its buffer: what stands between its cells is counted, however many there are."""
    one, texts = np.zeros(1, np.int64), [bytes([97 + i % 26]) * 700 for i in range(200)]
    cells = [Cells([text], one) for text in texts]
    found = lines(one + 7, False, None, one, cells, one, one, columns_of([]), np.zeros(0, np.uint8), -1)
    assert found == f"{7:>14}  {0:>5}  {'  '.join(text.decode() for text in texts)}\n"


def columns_of(messages: Sequence[dict[str, Any]]) -> dict[str, np.ndarray[Any, Any]]:
    lengths = np.array([len(one["data"]) for one in messages], np.int32)
    return {
        "address": np.array([-1 if one["address"] is None else one["address"] for one in messages], np.int16),
        "ten_bit": np.array([one["ten_bit"] for one in messages], np.uint8),
        "direction": np.array([one["direction"] == "read" for one in messages], np.uint8),
        "restart": np.array([one["restart"] for one in messages], np.uint8),
        "acked": np.array([-1 if one["acked"] is None else one["acked"] for one in messages], np.int8),
        "n_bytes": lengths,
        "data": np.cumsum(lengths, dtype=np.int64) - lengths,
    }


def test_what_does_not_go_together_is_refused() -> None:
    one = np.zeros(1, np.int64)
    message = {"address": 1, "ten_bit": 0, "direction": "read", "restart": 0, "acked": 1, "data": b"ab"}

    def refused(match: str, cells: Cells | None = None, **changed: Any) -> None:
        of, values = columns_of([message]), np.frombuffer(b"ab", np.uint8)
        given = {"at": one, "number": one, "first": one, "last": one + 1, "values": values}
        given |= {name: changed[name] for name in changed if name in given}
        of |= {name: changed[name] for name in changed if name in of}
        each = [] if cells is None else [cells]
        with pytest.raises(ValueError, match=match):
            lines(
                given["at"], True, None, given["number"], each, given["first"], given["last"], of, given["values"], -1
            )

    refused("columns of transfers differ in length", number=np.zeros(2, np.int64))
    refused("columns of messages differ in length", acked=np.zeros(2, np.int8))
    refused("messages that are not there", last=one + 2)
    refused("messages that are not there", first=one - 1)
    refused("data that are not there", values=np.zeros(1, np.uint8))
    refused("data that are not there", data=one + 1)
    refused("data that are not there", n_bytes=np.array([-1], np.int32))
    refused("no address of I2C", address=np.array([4096], np.int16))
    refused("cells and transfers differ in number", Cells([b"x"], np.zeros(2, np.int64)))
    with pytest.raises(ValueError, match="a cell has no text"):
        Cells([b"x"], one + 1)
    with pytest.raises(TypeError, match="bytes"):
        Cells(["x"], one)  # type: ignore[list-item]


class Repeated(Capture):
    """A capture so many times in a row; read once, as threads that read ahead take memory by their own clock."""

    def __init__(self, capture: Capture, times: int) -> None:
        self._capture, self._times = capture, times
        self.path, self.format, self.rate_hz = capture.path, capture.format, capture.rate_hz
        self.unitsize, self.channels = capture.unitsize, capture.channels

    @property
    def samples(self) -> int:
        return self._capture.samples * self._times

    def edges(self, bits: Sequence[int], *, start: int = 0, stop: int | None = None) -> Iterator[EdgeBlock]:
        assert (start, stop) == (0, None)
        blocks = list(self._capture.edges(bits))
        for time in range(self._times):
            moved = time * self._capture.samples
            for block in blocks:
                yield EdgeBlock(block.at + moved, block.words, block.initial, block.begin + moved, block.end + moved)


@pytest.mark.parametrize("name", ["synthetic/synthetic-clean-two-buses.sr", "synthetic/synthetic-late-wake.sr"])
@pytest.mark.parametrize("buses", [1, 2])
def test_memory_does_not_grow(name: str, buses: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One bus, several, and markers; a whole trace of the same shows what growing is."""
    monkeypatch.setattr(stream, "BATCH_EVENTS", 1 << 10)
    once = tracecheck.open(CAPTURES / name)
    wiring = wire(once)
    if buses == 1:
        wiring = Wiring(wiring.buses[:1], ())

    def text(times: int) -> None:
        drawn = TransferText(wiring, 1000, once.rate_hz, Style(), whole=True)
        for piece in drawn.pieces(decode_capture(Repeated(once, times), drawn.needed)):
            assert piece.text.endswith("\n")
        assert drawn.transfers >= 4 * times

    def trace(times: int) -> None:
        Trace("", once.rate_hz, wiring).collect(decode_capture(Repeated(once, times), wiring))

    few, many = 100, 400
    text(1)
    grown = peak(text, many) - peak(text, few)
    assert grown < 100_000
    assert peak(trace, many) - peak(trace, few) > 1_000_000


def peak(do: Callable[[int], None], times: int) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        do(times)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_no_transfers_leave_the_head() -> None:
    capture = ArrayCapture(np.full(100, 3, np.uint8), 1_000_000, ("SCL", "SDA"))
    wiring = wire(capture)
    text = written(capture, wiring, 5000, Style(), whole=True)
    assert text.head.splitlines() == [f"{'time':>14}  {'#':>5}  {'outcome':<12}  transfer"]
    assert text.summary == "0 transfers"
