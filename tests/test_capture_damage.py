"""Files that are no captures, damaged ones, and ones made to harm: an explained error, in bounded time and memory."""

from __future__ import annotations

import os
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sr_builder import Entry, archive, chunks, deflate, metadata, session

import tracecheck.capture
from tracecheck.errors import CaptureError, UsageError

RAW = bytes([3, 3, 1, 1, 0, 2, 3] * 100)
CUT = len(deflate(RAW)) - 3
LOGIC = Entry("logic-1-1", RAW)
META = Entry("metadata", metadata())
IMPOSSIBLE = "which deflate cannot do; the file is damaged"
DAMAGED = "; the file is damaged, copy or save it again"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damage")


def read(path: Path, **options: int) -> list[tuple[int, int]]:
    """The whole way: open, and all edges."""
    capture = tracecheck.capture.open(path, **options)
    blocks = list(capture.edges([bit for bit in (0, 1) if bit < 8 * capture.unitsize]))
    return [edge for block in blocks for edge in zip(block.at.tolist(), block.words.tolist(), strict=True)]


def edges_or_error(path: Path) -> list[tuple[int, int]] | str:
    """What `read` gives, or what its error says. Any other exception fails the test."""
    try:
        return read(path)
    except CaptureError as error:
        return str(error)


def error_of(folder: Path, data: bytes) -> str:
    """What the error says behind the path."""
    path = folder / "capture.sr"
    path.write_bytes(data)
    with pytest.raises(CaptureError) as caught:
        read(path)
    assert caught.value.path == str(path)
    assert str(caught.value) == f"{path}: {caught.value.reason}"
    return caught.value.reason


def test_no_such_file(folder: Path) -> None:
    with pytest.raises(CaptureError) as caught:
        read(folder / "missing.sr")
    assert str(caught.value) == f"{folder}/missing.sr: there is no such file; check the name and the folder"


def test_a_folder(folder: Path) -> None:
    with pytest.raises(CaptureError) as caught:
        read(folder)
    assert str(caught.value) == f"{folder}: is a folder, not a capture; give a file in it"


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(CaptureError) as caught:
        read(folder / "pipe")
    assert str(caught.value) == f"{folder}/pipe: is not a regular file; save the capture to a file first"


def test_a_name_that_cannot_be_one() -> None:
    with pytest.raises(CaptureError) as caught:
        tracecheck.capture.open("a\0b.sr")
    assert str(caught.value) == "a\0b.sr: cannot be opened: embedded null byte"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate_hz": 0}, "a samplerate of 0 Hz is out of range (1 Hz to 9223372036 Hz)"),
        ({"rate_hz": 2**40}, "a samplerate of 1099511627776 Hz is out of range (1 Hz to 9223372036 Hz)"),
        ({"max_samples": -1}, "a limit of -1 samples makes no sense"),
    ],
)
def test_arguments_that_make_no_sense(folder: Path, options: dict[str, int], message: str) -> None:
    path = folder / "capture.sr"
    path.write_bytes(session(LOGIC))
    with pytest.raises(UsageError) as caught:
        read(path, **options)
    assert str(caught.value) == message


NO_CAPTURE = (
    "not a capture that tracecheck can read: it knows sigrok sessions (.sr), VCD, FST, Saleae's binary export, CSV, "
    "and raw binary where --unitsize tells its width"
)
CUT_SHORT = (
    "the ZIP directory cannot be read, the file may be cut short (File is not a zip file); copy or save it again"
)


def swallowing(data: bytes, name: str, following: str) -> bytes:
    """The directory's entry of `name` claims a comment as long as the next entry, which is then skipped."""
    damaged = bytearray(data)
    comment_length = data.rindex(name.encode()) - 46 + 32
    damaged[comment_length] = 46 + len(following)
    return bytes(damaged)


def without_header(data: bytes, name: str) -> bytes:
    """The member's local header no longer looks like one."""
    header = data.index(name.encode()) - 30
    return data[:header] + b"XX" + data[header + 2 :]


def changed(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) >= 1
    return data.replace(old, new)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty (0 bytes); record or copy it again"),
        (b"PK", NO_CAPTURE),
        (session(LOGIC)[:-30], CUT_SHORT),
        (b"PK\3\4" + bytes(100), CUT_SHORT),
        (archive([]), 'not a sigrok session: the ZIP archive has no member "metadata"'),
        (archive([LOGIC]), 'not a sigrok session: the ZIP archive has no member "metadata"'),
        (session(), 'holds no logic samples: metadata names "logic-1", but there is no such member'),
        (
            session(Entry("logic-2", RAW)),
            'holds no logic samples: metadata names "logic-1", but there is no such member',
        ),
        (
            session(Entry("analog-1-1-1", RAW), meta=b"[device 1]\nsamplerate=1 MHz\ntotal analog=1\nanalog1=A0\n"),
            "holds no logic samples (only analog ones); record it with logic channels enabled",
        ),
        (
            session(LOGIC, meta=b"[global]\nsigrok version=0.5\n"),
            "holds no logic samples (metadata names none); record it with logic channels enabled",
        ),
        (
            session(LOGIC, meta=b""),
            "holds no logic samples (metadata names none); record it with logic channels enabled",
        ),
        (
            session(LOGIC, meta=b"\0\xff garbage"),
            'metadata, line 1: "\0\\xff garbage" is neither [section] nor, inside a section, key=value',
        ),
        (
            session(LOGIC, meta=b"[global]\n\n# note\nwhat is this\n"),
            'metadata, line 4: "what is this" is neither [section] nor, inside a section, key=value',
        ),
        (
            session(LOGIC, meta=b"unitsize=1\n"),
            'metadata, line 1: "unitsize=1" is neither [section] nor, inside a section, key=value',
        ),
        (
            session(LOGIC, meta=metadata(None)),
            "metadata of device 1 has no unitsize, the bytes a sample; save it again",
        ),
        (session(LOGIC, meta=metadata(0)), 'metadata of device 1 has unitsize "0"; samples are 1 to 8 bytes'),
        (session(LOGIC, meta=metadata(99)), 'metadata of device 1 has unitsize "99"; samples are 1 to 8 bytes'),
        (session(LOGIC, meta=metadata("one")), 'metadata of device 1 has unitsize "one"; samples are 1 to 8 bytes'),
        (
            session(LOGIC, version=b"3"),
            'session version "3" is not known (versions 1 and 2 are); save it with a current PulseView',
        ),
        (
            session(LOGIC, version=b"\xff\0"),
            'session version "\\xff\0" is not known (versions 1 and 2 are); save it with a current PulseView',
        ),
        (session(LOGIC, version=b"2" * 65), 'member "version" claims 65 bytes; not a sigrok session'),
        (
            session(LOGIC, meta=bytes(1024 * 1024 + 1)),
            'member "metadata" claims 1048577 bytes; not a sigrok session',
        ),
        (
            session(Entry("logic-1-1", RAW), Entry("logic-1-3", RAW)),
            'member "logic-1-2" is missing, though there are later ones; save it again',
        ),
        (
            session(Entry("logic-1-2", RAW)),
            'member "logic-1-1" is missing, though there are later ones; save it again',
        ),
        (session(LOGIC, LOGIC), 'two members are called "logic-1-1"'),
        (session(Entry("logic-1", RAW), Entry("logic-1", RAW)), 'two members are called "logic-1"'),
        (session(META, LOGIC), 'two members are called "metadata"'),
        (
            session(Entry("logic-1", RAW), LOGIC),
            'holds both "logic-1" and "logic-1-1"; which is the capture cannot be told',
        ),
        (
            session(Entry("logic-1-1", RAW, flags=1)),
            'member "logic-1-1" is encrypted; save the session without a password',
        ),
        (
            session(Entry("logic-1-1", RAW, 12)),
            'member "logic-1-1" is compressed with bzip2; only stored and deflated members can be read',
        ),
        (
            session(Entry("logic-1-1", RAW, 77)),
            'member "logic-1-1" is compressed with method 77; only stored and deflated members can be read',
        ),
        (
            session(Entry("logic-1-1", RAW, offset=3)),
            'member "logic-1-1" has no header at byte 3; the file is damaged',
        ),
        (
            session(Entry("logic-1-1", RAW, offset=2**31)),
            'member "logic-1-1" has no header at byte 2147483648; the file is damaged',
        ),
        (
            changed(session(LOGIC), b"logic-1-1PK\5\6", b"logic-1-8PK\5\6"),
            'member "logic-1-8" has another name in its header at byte 194; the file is damaged',
        ),
        (
            # The first chunk's comment in the directory swallows the second chunk's entry.
            swallowing(session(*chunks(RAW, [350])), "logic-1-1", "logic-1-2"),
            "bytes 247 to 300 belong to no member that the ZIP directory lists; the file is damaged",
        ),
        (
            # The same, and the second chunk's header is damaged, too.
            without_header(swallowing(session(*chunks(RAW, [350])), "logic-1-1", "logic-1-2"), "logic-1-2"),
            "bytes 247 to 300 belong to no member that the ZIP directory lists; the file is damaged",
        ),
        (
            # The same, and the first chunk's compressed size covers the second chunk.
            swallowing(
                session(Entry("logic-1-1", RAW[:350], packed_size=67), Entry("logic-1-2", RAW[350:])),
                "logic-1-1",
                "logic-1-2",
            ),
            f'member "logic-1-1" ends before the 67 compressed bytes it declares{DAMAGED}',
        ),
        (
            archive([META, LOGIC, Entry("logic-1-1", RAW, offset=38 + len(deflate(META.data)))]),
            "bytes 211 to 266 belong to no member that the ZIP directory lists; the file is damaged",
        ),
        (
            session(Entry("logic-1-1", RAW, packed_size=10_000)),
            'member "logic-1-1" overlaps another part of the file; the file is damaged',
        ),
        (
            session(Entry("logic-1-1", RAW, 0, size=701)),
            'member "logic-1-1" is stored, but 700 bytes claim to be 701; the file is damaged',
        ),
        (
            session(Entry("logic-1-1", packed=bytes(10), size=2**31)),
            f'member "logic-1-1" claims {2**31} bytes from 10 compressed ones, {IMPOSSIBLE}',
        ),
        (
            session(Entry("logic-1-1", packed=bytes(10), size=2**60), zip64=True),
            f'member "logic-1-1" claims {2**60} bytes from 10 compressed ones, {IMPOSSIBLE}',
        ),
        (
            session(Entry("logic-1-1", RAW, size=0)),
            f'member "logic-1-1" claims to be empty, but has CRC {crc32(RAW):08x}; the file is damaged',
        ),
        (
            session(Entry("logic-1-1", RAW, size=699)),
            'member "logic-1-1" inflates to more than the 699 bytes it declares' + DAMAGED,
        ),
        (session(Entry("logic-1-1", RAW, size=701)), 'member "logic-1-1" ends after 700 of 701 bytes' + DAMAGED),
        (
            session(Entry("logic-1-1", RAW, packed=deflate(RAW)[:-3])),
            f'member "logic-1-1" is not complete within the {CUT} compressed bytes it declares{DAMAGED}',
        ),
        (
            session(Entry("logic-1-1", bytes(50_000_000), size=700)),
            'member "logic-1-1" inflates to more than the 700 bytes it declares' + DAMAGED,
        ),
        (
            session(Entry("logic-1-1", RAW, crc=0x1234)),
            f'member "logic-1-1" has CRC {crc32(RAW):08x}, the directory says 00001234{DAMAGED}',
        ),
        (
            session(Entry("logic-1-1", RAW, 0, crc=0x1234)),
            f'member "logic-1-1" has CRC {crc32(RAW):08x}, the directory says 00001234{DAMAGED}',
        ),
        (
            session(Entry("logic-1-1", RAW, packed=b"\x07" + bytes(20))),
            'member "logic-1-1" does not inflate (invalid deflate data)' + DAMAGED,
        ),
    ],
)
def test_what_is_wrong_is_said(folder: Path, data: bytes, reason: str) -> None:
    assert error_of(folder, data) == reason


def test_a_directory_too_large_to_be_one(folder: Path) -> None:
    data = bytearray(session(LOGIC))
    end = data.rindex(b"PK\5\6")
    size = 17 * 1024 * 1024
    data[end + 12 : end + 16] = size.to_bytes(4, "little")
    data[end:end] = bytes(size)
    reason = f"the ZIP directory alone claims {size} bytes; a sigrok session's is far smaller"
    assert error_of(folder, bytes(data)) == reason


def test_blocks_before_the_damage_are_given(folder: Path) -> None:
    path = folder / "capture.sr"
    path.write_bytes(session(LOGIC, Entry("logic-1-2", RAW, crc=1)))
    blocks = tracecheck.capture.open(path).edges([0])
    assert next(blocks).end == 700
    with pytest.raises(CaptureError, match='member "logic-1-2"'):
        list(blocks)


GOOD = session(*chunks(RAW, [100, 350], method=8), meta=metadata(2))
GOOD_STORED = session(*chunks(RAW, [101], method=0), zip64=True)


@pytest.mark.parametrize("good", [GOOD, GOOD_STORED], ids=["deflated", "stored, zip64"])
def test_cut_short_anywhere(folder: Path, good: bytes) -> None:
    for length in range(len(good)):
        error_of(folder, good[:length])


@pytest.mark.parametrize("good", [GOOD, GOOD_STORED], ids=["deflated", "stored, zip64"])
@settings(max_examples=400, deadline=2000)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=3))
def test_flipped_bytes_give_an_error_or_samples(folder: Path, good: bytes, flips: list[tuple[int, int]]) -> None:
    """Never another exception, and never other samples: the CRC guards those, if not names, rate and unitsize."""
    path = folder / "capture.sr"
    path.write_bytes(good)
    expected = read(path)
    unitsize = tracecheck.capture.open(path).unitsize
    damaged = bytearray(good)
    for place, flip in flips:
        damaged[place % len(good)] ^= flip
    path.write_bytes(damaged)
    found = edges_or_error(path)
    if isinstance(found, str):
        assert found.startswith(f"{path}: ")
    elif tracecheck.capture.open(path).unitsize == unitsize:
        assert found == expected


@settings(max_examples=200, deadline=2000)
@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\3\4", b"PK\5\6"]))
def test_any_bytes_are_refused(folder: Path, data: bytes, head: bytes) -> None:
    error_of(folder, head + data)


@settings(max_examples=200, deadline=2000)
@given(st.binary(max_size=200) | st.text(alphabet="[]devic 0123=probeunitslg-\n", max_size=80).map(str.encode))
def test_any_metadata_is_read_or_refused(folder: Path, meta: bytes) -> None:
    path = folder / "capture.sr"
    path.write_bytes(session(LOGIC, meta=metadata() + meta))
    found = edges_or_error(path)
    if isinstance(found, str):
        assert found.startswith(f"{path}: ")
