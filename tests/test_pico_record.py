"""`tracecheck record --emulate`: what it writes, what it says, and how it ends."""

# ruff: noqa: E501  (whole messages, as they are printed)

from __future__ import annotations

import json
import re
import struct
import sys
import zipfile
from pathlib import Path

import pytest
from elf_builder import elf

import tracecheck
from tracecheck.cli import main
from tracecheck.errors import UsageError
from tracecheck.pico.emulate import emulate

FIRMWARE = Path(__file__).parent.parent / "captures" / "pico" / "firmware"
MIXED = FIRMWARE / "mixed-400k-three-pin-s1.elf"
DEVICES = ["0x68=registers", "0x3C=display"]
Said = pytest.CaptureFixture[str]


def record(*arguments: str | Path) -> int:
    return main(["record", *map(str, arguments)])


def _program(tmp_path: Path, code: bytes) -> Path:
    path = tmp_path / "fw.elf"
    path.write_bytes(elf(code))
    return path


WFE, BRANCH_BACK, UDF, BKPT = b"\x20\xbf", b"\xfd\xe7", b"\x00\xde", b"\x00\xbe"
LOAD_60000000 = b"\x03\x20\x40\x07\x01\x68"  # movs r0, #3; lsls r0, r0, #29; ldr r1, [r0]


def test_it_writes_a_capture_and_says_what_is_in_it(tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "x.sr"
    assert record("--emulate", MIXED, "--ms", "5", "-o", out, *[a for d in DEVICES for a in ("--target", d)]) == 0
    said = capsys.readouterr()
    assert said.out == f"{out}: emulated, 5.00 ms at 24 MHz; SDA, SCL, IRQ, PENDING, RUN, ERR\n"
    assert said.err == "tracecheck: ERR (GP5) never changed\n"
    capture = tracecheck.open(out)
    assert (capture.samples, capture.rate_hz) == (120_000, 24_000_000)
    trace = tracecheck.decode(out)
    assert {m.role for m in trace.wiring.markers} == {"irq", "pending", "run"}
    assert trace.transfers.num_rows > 3


def test_the_same_arguments_give_the_same_file(tmp_path: Path) -> None:
    files = []
    for k in range(2):
        out = tmp_path / f"{k}.sr"
        assert record("--emulate", MIXED, "--ms", "2", "-o", out, "--target", DEVICES[0], "-q") == 0
        files.append(out.read_bytes())
    assert files[0] == files[1]


def test_the_rate_is_the_analyzer_s(tmp_path: Path) -> None:
    for rate, samples in (("1MHz", 2_000), ("100MHz", 200_000)):
        out = tmp_path / f"{rate}.sr"
        assert record("--emulate", MIXED, "--ms", "2", "-o", out, "--target", DEVICES[0], "--rate", rate, "-q") == 0
        assert tracecheck.open(out).samples == samples


def test_a_recording_that_is_there_is_replaced_only_if_that_is_said(tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "x.sr"
    out.write_text("of before")
    arguments = ["--emulate", MIXED, "--ms", "1", "-o", out, "--target", DEVICES[0], "--target", DEVICES[1], "-q"]
    assert record(*arguments) == 2
    said = f"tracecheck: {out}: there is a file already; --force writes over it, -o names another\n"
    assert capsys.readouterr() == ("", said)
    assert out.read_text() == "of before"
    assert record(*arguments, "--force") == 0
    assert tracecheck.open(out).samples == 24_000


def test_rules_are_judged_at_once(tmp_path: Path, capsys: Said) -> None:
    base = ["--emulate", MIXED, "--ms", "8", "-o", tmp_path / "x.sr", "--rules", "three-pin", "--rules", "embassy-rp"]
    devices = [a for d in DEVICES for a in ("--target", d)]
    assert record(*base, *devices) == 0
    assert "PASS:" in capsys.readouterr().out
    assert record(*base, *devices, "--force", "--fault", "hog-executor,transfer=3") == 1
    said = capsys.readouterr().out
    assert re.search(
        r"^  hog-executor at 3\.\d{6} ms, i2c0 transfer 3: another task runs for 300 us$", said, re.MULTILINE
    )
    assert "FAIL embassy-wake" in said


def test_a_fault_that_never_struck_and_addresses_nobody_has_are_said(tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "x.sr"
    assert record("--emulate", MIXED, "--ms", "3", "-o", out, "--fault", "nack,transfer=99") == 2
    assert capsys.readouterr().err == (
        "tracecheck: nobody answered at 0x3C, 0x68 on i2c0; put a device there with --target 0x3C=registers\n"
        'tracecheck: the fault "nack,transfer=99" never struck: no such transfer came, or nothing in it that it could '
        "hit\n"
    )


@pytest.mark.parametrize("address", ["0xD0", "0xD1", "208"])
def test_an_address_with_the_read_write_bit_in_it(address: str, tmp_path: Path, capsys: Said) -> None:
    out, display = tmp_path / "x.sr", ["--target", DEVICES[1]]
    assert record("--emulate", MIXED, "--ms", "3", "-o", out, "--target", f"i2c0:{address}=registers", *display) == 0
    assert capsys.readouterr().err == (
        "tracecheck: nobody answered at 0x68 on i2c0; put a device there with --target 0x68=registers\n"
        f"tracecheck: i2c0:{address} is taken as a 10-bit address; if it has the read/write bit in it, write 0x68\n"
    )


@pytest.mark.parametrize("target", ["0xD0=registers", "i2c1:0xD0=registers", "0x1D0=registers"])
def test_other_10_bit_addresses_are_what_they_are(target: str, tmp_path: Path, capsys: Said) -> None:
    """Where somebody answers at half the address, nothing is amiss; nor on another bus, nor above a byte."""
    devices = [*DEVICES] if target == "0xD0=registers" else [DEVICES[1]]
    arguments = [a for d in (*devices, target) for a in ("--target", d)]
    assert record("--emulate", MIXED, "--ms", "3", "-o", tmp_path / "x.sr", *arguments) == 0
    assert "10-bit" not in capsys.readouterr().err


def test_a_pass_without_the_fault_that_was_asked_for_is_no_pass(tmp_path: Path, capsys: Said) -> None:
    arguments = [
        "--emulate",
        MIXED,
        "--ms",
        "3",
        "-o",
        tmp_path / "x.sr",
        "--target",
        DEVICES[0],
        "--target",
        DEVICES[1],
    ]
    assert record(*arguments, "--fault", "nack,transfer=99", "--rules", "i2c") == 2
    assert "PASS: 10 rules passed" in capsys.readouterr().out
    assert record(*arguments, "--force", "--fault", "nack,transfer=1", "--rules", "i2c") == 0


def test_a_transfer_that_hangs_until_the_recording_ends_is_no_pass(tmp_path: Path, capsys: Said) -> None:
    """A write of 16 bytes waits for its refill for ever: the preset has a rule for it, and it is said without one, too."""
    out = tmp_path / "x.sr"
    arguments = ["--emulate", MIXED, "-o", out, "--target", DEVICES[0], "--target", DEVICES[1], "--rules", "three-pin"]
    arguments += ["--rules", "embassy-rp", "--fault", "lost-interrupt,transfer=5", "-q", "--force", "--ms"]
    assert record(*arguments, "9") == 1
    assert "1 of" in capsys.readouterr().out
    bare = [argument for argument in arguments if argument not in ("--rules", "three-pin", "embassy-rp")]
    assert record(*bare, "9") == 2
    said = capsys.readouterr()
    assert re.fullmatch(
        r"tracecheck: SCL of i2c0 is low from 5\.[0-9]{6} ms on to the end: a transfer hangs\n", said.err
    )
    assert "FAIL" not in said.out
    at = float(said.err.split()[7])
    scl = tracecheck.decode(out).bytes["end"].to_pylist()[-1] / 24_000
    assert 0 < at - scl < 0.003
    assert record(*arguments, "6") == 0, "a millisecond is a long stretch and no hang"


def test_no_fault_strikes_before_the_first_transfer() -> None:
    """The controller's line rises once while the driver sets it up."""
    for fault in ("late-interrupt", "lost-interrupt,hold=4ms", "hog-executor"):
        struck = [strike.transfer for strike in emulate(MIXED, ms=5, targets=DEVICES, faults=[fault]).strikes]
        assert struck and min(struck) == 0


def test_pins_of_its_own(tmp_path: Path) -> None:
    recording = emulate(MIXED, ms=2, targets=DEVICES, pins={"IRQ": 3, "extra": 20})
    names = [channel.name for channel in recording.channels]
    assert names == ["SDA", "SCL", "IRQ", "PENDING", "RUN", "ERR", "extra"]
    assert "extra (GP20) never changed" in recording.notes
    words = recording.block.words
    assert ((words >> 2 & 1) == (words >> 3 & 1)).all(), "both are GP3"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            UDF,
            (
                "the firmware crashed at 0.000000 ms, at 0x10000140 (main): an undefined instruction or breakpoint (code 0) "
                "was executed: a panic, or an assertion; the recording ends there"
            ),
        ),
        (
            BKPT,
            (
                "the firmware crashed at 0.000000 ms, at 0x10000140 (main): an undefined instruction or breakpoint (code 0) "
                "was executed: a panic, or an assertion; the recording ends there"
            ),
        ),
        (
            LOAD_60000000,
            (
                "the firmware crashed at 0.000016 ms, at 0x10000144 (main): read from invalid memory address: 0x60000000; the "
                "recording ends there"
            ),
        ),
        (
            WFE + BRANCH_BACK,
            (
                "the firmware deadlocked at 0.000016 ms: every task waits and no timer, interrupt or transfer is left that "
                "could wake one (it sleeps at 0x10000142 (main)); the recording ends there"
            ),
        ),
        (
            b"\xfe\xe7",
            (
                "the firmware started no I2C transfer in 1 ms; record longer with --ms, or see whether it waits for something "
                "that is not there"
            ),
        ),
    ],
)
def test_a_firmware_that_goes_wrong_is_exit_code_2_and_keeps_what_was_recorded(
    code: bytes, message: str, tmp_path: Path, capsys: Said
) -> None:
    out = tmp_path / "x.sr"
    assert record("--emulate", _program(tmp_path, code), "--ms", "1", "-o", out, "-q") == 2
    assert capsys.readouterr().err == f"tracecheck: {message}\n"
    assert tracecheck.open(out).samples >= 1


@pytest.mark.parametrize(
    "code", [b"\xfe\xe7", b"\x00\xbf\xfd\xe7", WFE + BRANCH_BACK], ids=["loop", "nop-loop", "waits"]
)
@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("_RNvCsiLxPJFG9Jv1_7___rustc17rust_begin_unwind", "__rustc::rust_begin_unwind"),
        ("_ZN4core9panicking9panic_fmt17h0123456789abcdefE", "core::panicking::panic_fmt"),
    ],
)
def test_a_panic_handler_that_loops_is_a_crash_and_no_quiet_bus(
    code: bytes, symbol: str, name: str, tmp_path: Path, capsys: Said
) -> None:
    """As of panic-halt: the recording would end in time, and its rules pass on what came before."""
    path, out = tmp_path / "fw.elf", tmp_path / "x.sr"
    path.write_bytes(elf(code, symbols={symbol: (0x1000_0141, 2)}))
    assert record("--emulate", path, "--ms", "4", "-o", out, "-q", "--rules", "i2c") == 2
    said = capsys.readouterr()
    assert re.fullmatch(
        rf"tracecheck: the firmware crashed at [0-9.]+ ms, at 0x1000014[02] \({name}\): it panicked: this is its panic "
        r"handler, which never returns; the recording ends there\n",
        said.err,
    )
    assert said.out == ""
    assert emulate(path, ms=4).ending.time_ns < 2_000_000


def test_an_endless_loop_with_interrupts_off_and_one_with_interrupts_on(tmp_path: Path, capsys: Said) -> None:
    loop = _program(tmp_path, b"\x72\xb6\xfe\xe7")  # cpsid i; b .
    assert record("--emulate", loop, "--ms", "1", "-o", tmp_path / "x.sr", "-q") == 2
    assert capsys.readouterr().err == (
        "tracecheck: the firmware crashed at 0.000008 ms, at 0x10000142 (main): an endless loop with interrupts disabled; "
        "the recording ends there\n"
    )
    assert emulate(_program(tmp_path, b"\xfe\xe7"), ms=1).ending.kind == "time"


def test_an_interrupt_nobody_handles(tmp_path: Path) -> None:
    """Interrupt 0 is enabled and pended. Its vector is the code's first word: shifts that do no harm, run as code."""
    code = struct.pack("<I", 0x1000_0161) + struct.pack("<6H", 0x4802, 0x2101, 0x6001, 0x4802, 0x6001, 0xE7FE)
    code += struct.pack("<2I", 0xE000_E100, 0xE000_E200)
    ending = emulate(_program(tmp_path, code.ljust(32, b"\0") + b"\xfe\xe7"), ms=0.1).ending
    assert (ending.kind, ending.where) == ("fault", "0x10000160 (main)")
    assert ending.reason == (
        "an endless loop in the handler of interrupt 0: was it enabled without a handler of its own?"
    )


def _writes(*buses: int) -> bytes:
    """A program that sends a byte to 0x3C on these buses at 376 kHz: TAR, HCNT, LCNT, ENABLE, DATA_CMD; then `b .`."""
    bases = {0: 0x4004_4000, 1: 0x4004_8000}
    words = [bases[bus] for bus in buses] + [0x255]
    begin = (22 * len(buses) + 2 + 3) & ~3
    code = b""
    for k in range(len(buses)):
        for load, word in ((0x4800, k), (0x4900, len(buses))):  # ldr r0, =base; ldr r1, =0x255
            offset = begin + 4 * word - ((len(code) + 4) & ~3)
            code += struct.pack("<H", load | offset // 4)
        code += struct.pack("<9H", 0x223C, 0x6042, 0x227E, 0x61C2, 0x22BB, 0x6202, 0x2201, 0x66C2, 0x6101)
    return (code + b"\xfe\xe7").ljust(begin, b"\0") + struct.pack(f"<{len(words)}I", *words)


I2C0, RESETS, PINS, SIO = 0x4004_4000, 0x4000_C000, 0x4001_4000, 0xD000_0000
CON, TAR, DATA, HCNT, LCNT, ENABLE, CLR_ABORT = (I2C0 + at for at in (0x00, 0x04, 0x10, 0x1C, 0x20, 0x6C, 0x54))
AT_376_KHZ = ((HCNT, 126), (LCNT, 187))
LOW, FREE = SIO + 0x24, SIO + 0x28
"""Output enable of GPIOs, set and cleared: their output level is 0."""


def _pokes(*steps: tuple[int, int] | int) -> bytes:
    """A program that writes (address, value) in turn; a number is that many turns of an empty loop, 3 cycles each."""
    words = list(dict.fromkeys(word for step in steps for word in ((step,) if isinstance(step, int) else step)))
    begin = (6 * len(steps) + 2 + 3) & ~3
    code = b""

    def load(register: int, word: int, after: int) -> int:
        at = len(code) + after
        return 0x4800 | register << 8 | (begin + 4 * words.index(word) - ((at + 4) & ~3)) // 4

    for step in steps:
        if isinstance(step, int):
            code += struct.pack("<3H", load(2, step, 0), 0x3A01, 0xD1FD)  # ldr r2, =n; subs r2, #1; bne
        else:
            code += struct.pack("<3H", load(1, step[0], 0), load(2, step[1], 2), 0x600A)  # str r2, [r1]
    return (code + b"\xfe\xe7").ljust(begin, b"\0") + struct.pack(f"<{len(words)}I", *words)


def test_a_firmware_with_ten_bit_addresses(tmp_path: Path) -> None:
    """Register 0x10 is pointed at and two bytes are read: 0x10 ^ 0xA5 and 0x11 ^ 0xA5."""
    code = _pokes((CON, 0x75), (TAR, 0x2A5), *AT_376_KHZ, (ENABLE, 1), (DATA, 0x10), (DATA, 0x500), (DATA, 0x300))
    out = tmp_path / "x.sr"
    assert (
        record("--emulate", _program(tmp_path, code), "--ms", "1", "-o", out, "--target", "0x2A5=registers", "-q") == 0
    )
    trace = tracecheck.decode(out)
    messages = [(m["address"], m["ten_bit"], m["direction"], bytes(m["data"])) for m in trace.messages.to_pylist()]
    assert messages == [(0x2A5, True, "write", b"\x10"), (0x2A5, True, "read", b"\xb5\xb4")]
    assert trace.transfers["outcome"].to_pylist() == ["acked"]


def test_a_firmware_that_aborts_a_transfer(tmp_path: Path) -> None:
    """16 bytes are queued; 2,000 turns of 3 cycles, 48 us, later ABORT is set: STOP comes after the byte under way."""
    queued = [(DATA, byte) for byte in range(15)] + [(DATA, 0x20F)]
    code = _pokes((TAR, 0x3C), *AT_376_KHZ, (ENABLE, 1), *queued, 2_000, (ENABLE, 3))
    recording = emulate(_program(tmp_path, code), ms=1, targets=["0x3C=display"])
    ((row,),) = [tracecheck.decode(recording.capture()).transfers.to_pylist()]
    assert (row["outcome"], row["n_bytes"], row["complete"]) == ("acked", 2, True)


SDA_PIN, SCL_PIN = 1 << 16, 1 << 17
HALF = 209
"""Turns of 5 us."""


def _recovers() -> bytes:
    """A byte to 0x3C, of which the device keeps SDA low; nine clocks and a STOP by hand; the controller anew, a byte."""
    call = ((TAR, 0x3C), *AT_376_KHZ, (ENABLE, 1), (DATA, 0x2FF))
    by_hand = ((PINS + 0x84, 5), (PINS + 0x8C, 5))
    clocks = ((LOW, SCL_PIN), HALF, (FREE, SCL_PIN), HALF) * 9
    stop = ((LOW, SCL_PIN), (LOW, SDA_PIN), HALF, (FREE, SCL_PIN), HALF, (FREE, SDA_PIN), HALF)
    again = ((RESETS, 1 << 3), (RESETS, 0), (PINS + 0x84, 3), (PINS + 0x8C, 3), *call)
    return _pokes(*call, 100_000, *by_hand, *clocks, *stop, *again)


def _with_pins(tmp_path: Path, code: bytes) -> Path:
    path = tmp_path / "fw.elf"
    pins = b"i2c0.SDA=16 i2c0.SCL=17\0"
    path.write_bytes(elf(code + pins, symbols={"TRACECHECK_PINS": (0x1000_0140 + len(code), 1)}))
    return path


def test_a_firmware_that_frees_the_bus_by_hand(tmp_path: Path) -> None:
    path = _with_pins(tmp_path, _recovers())
    freed = emulate(
        path, ms=5, targets=["0x3C=display"], faults=["hang-sda,byte=0,transfer=0,duration=forever,clocks=6"]
    )
    assert freed.hung == ()
    trace = tracecheck.decode(freed.capture())
    assert trace.transfers["outcome"].to_pylist()[-1] == "acked" and freed.transfers == 2
    report = tracecheck.analyze(freed.capture(), "embassy-rp")
    assert [f.rule for f in report.findings if f.verdict == "fail" and f.transfer == 0] == ["embassy-nack-stood-still"]


def test_a_recovery_that_does_not_help_leaves_the_bus_held(tmp_path: Path) -> None:
    path = _with_pins(tmp_path, _recovers())
    held = emulate(path, ms=5, targets=["0x3C=display"], faults=["hang-sda,byte=0,transfer=0,duration=forever"])
    assert (held.transfers, len(held.hung)) == (1, 1)
    assert tracecheck.decode(held.capture()).transfers["outcome"].to_pylist() == ["unfinished"]
    failed = {f.rule for f in tracecheck.analyze(held.capture(), "embassy-rp").findings if f.verdict == "fail"}
    assert "embassy-bus-never-released" in failed


@pytest.mark.parametrize(
    ("buses", "channels"),
    [((0,), ["SDA", "SCL"]), ((1,), ["SDA", "SCL"]), ((0, 1), ["SDA0", "SCL0", "SDA1", "SCL1"])],
)
def test_a_firmware_that_names_no_pins_is_recorded_on_the_buses_it_uses(
    buses: tuple[int, ...], channels: list[str], tmp_path: Path
) -> None:
    targets = [f"i2c{bus}:0x3C=display" for bus in buses]
    recording = emulate(_program(tmp_path, _writes(*buses)), ms=1, targets=targets)
    assert [channel.name for channel in recording.channels] == channels
    capture = recording.capture()
    for k in range(len(buses)):
        trace = tracecheck.decode(capture, sda=2 * k, scl=2 * k + 1)
        assert trace.bytes["value"].to_pylist() == [0x3C << 1, 0x55]
        assert trace.transfers["outcome"].to_pylist() == ["acked"]


def test_a_bus_that_the_firmware_uses_and_does_not_name_is_said(tmp_path: Path) -> None:
    code = _writes(0, 1)
    pins = b"i2c0.SDA=16 i2c0.SCL=17\0"
    path = tmp_path / "fw.elf"
    path.write_bytes(elf(code + pins, symbols={"TRACECHECK_PINS": (0x1000_0140 + len(code), 1)}))
    recording = emulate(path, ms=1, targets=["0x3C=display", "i2c1:0x3C=display"])
    assert [channel.name for channel in recording.channels] == ["SDA", "SCL"]
    assert (
        "the firmware used i2c1 too (1 transfer), which its TRACECHECK_PINS does not name: it is not recorded; add "
        "i2c1.SDA=GPIO i2c1.SCL=GPIO there"
    ) in recording.notes


def test_a_stack_that_overflows_is_called_so(tmp_path: Path) -> None:
    code = b"\x01\x20\x40\x07\x04\x38\x01\x60"  # movs r0, #1; lsls r0, r0, #29; subs r0, #4; str r1, [r0]
    ending = emulate(_program(tmp_path, code), ms=1).ending
    assert ending.reason == "write to undefined address: 0x1ffffffc, just below RAM: the stack overflowed"


def test_an_undefined_address_of_a_write(tmp_path: Path, capsys: Said) -> None:
    code = LOAD_60000000[:4] + b"\x01\x60"  # str r1, [r0]
    assert record("--emulate", _program(tmp_path, code), "--ms", "1", "-o", tmp_path / "x.sr", "-q") == 2
    assert "at 0x10000144 (main): write to undefined address: 0x60000000" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to record from; give an analyzer with --driver NAME (record --list), or a firmware with --emulate FIRMWARE.elf"),
        (["--emulate", "nowhere.elf"], "nowhere.elf: there is no such file; give the ELF file that cargo built"),
        (["--emulate", str(MIXED), "--ms", "0"], "--ms 0: record more than 0 and at most 600000 ms"),
        (["--emulate", str(MIXED), "--ms", "nan"], "--ms nan: record more than 0 and at most 600000 ms"),
        (["--emulate", str(MIXED), "--ms", "inf"], "--ms inf: record more than 0 and at most 600000 ms"),
        (
            ["--emulate", str(MIXED), "--ms", "600000", "--rate", "1GHz"],
            "600000 ms at 1000000000 Hz are too many samples; record less, or at a lower rate",
        ),
        (["--emulate", str(MIXED), "--rate", "fast"], ('--rate: "fast" is not a samplerate; write it like "24 MHz", "500k" '
         'or "1000000"')),
        (["--emulate", str(MIXED), "--pin", "IRQ"], '--pin: "IRQ": write NAME=GPIO, for example IRQ=2'),
        (["--emulate", str(MIXED), "--pin", "A=1", "--pin", "A=2"], '--pin: "A" is given twice'),
        (["--emulate", str(MIXED), "--pin", "A=30"], "A=30: the RP2040 has GPIO 0 to 29"),
        (["--emulate", str(MIXED), "--pin", "SDA=3"], '"SDA" is no name for a pin; give another'),
        (["--emulate", str(MIXED), "--fault", "nak"], ('no fault "nak"; did you mean "nack"? (faults: late-interrupt, '
         "lost-interrupt, extra-interrupt, stray-interrupt, storm, hog-executor, xip-cold, stretch, "
         "hang-sda, nack)")),
        (
            ["--emulate", str(MIXED), "--target", "1=display", "--target", "1=eeprom"],
            'two targets at 0x01 on i2c0: "1=display" and "1=eeprom"; both would answer at once. Give one another address',
        ),
    ],
)  # fmt: skip
def test_wrong_arguments_write_nothing(arguments: list[str], message: str, tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "x.sr"
    assert record(*arguments, "-o", out) == 2
    assert capsys.readouterr().err == f"tracecheck: {message}\n"
    assert not out.exists()


def test_a_rule_file_is_read_before_anything_is_emulated(tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "x.sr"
    assert record("--emulate", MIXED, "-o", out, "--rules", tmp_path / "nowhere.toml") == 2
    assert capsys.readouterr().err.startswith(f"tracecheck: {tmp_path / 'nowhere.toml'}: no such file")
    assert not out.exists()


def test_only_sr_is_written(tmp_path: Path, capsys: Said) -> None:
    assert record("--emulate", MIXED, "-o", tmp_path / "x.vcd") == 2
    assert capsys.readouterr().err == (
        f"tracecheck: -o {tmp_path / 'x.vcd'}: recordings are written as sigrok sessions; give a name that ends in .sr\n"
    )


def test_without_the_emulator(tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rp2040py", None)
    assert record("--emulate", MIXED, "-o", tmp_path / "x.sr") == 2
    assert capsys.readouterr().err == (
        "tracecheck: emulating a Pico needs the package rp2040py, which is not installed; try: pip install "
        "'tracecheck[pico]' (in a checkout: -e '.[pico]')\n"
    )


def test_an_output_folder_that_is_not_there(tmp_path: Path, capsys: Said) -> None:
    out = tmp_path / "no" / "x.sr"
    assert record("--emulate", MIXED, "--ms", "1", "-o", out, "-q") == 2
    assert str(out) in capsys.readouterr().err


def test_the_metadata_tell_how_to_make_it_again(tmp_path: Path) -> None:
    out = tmp_path / "x.sr"
    faults = ["--fault", "nack,transfer=1"]
    record("--emulate", MIXED, "--ms", "2.5", "-o", out, "--target", DEVICES[0], *faults, "-q")
    with zipfile.ZipFile(out) as archive:
        lines = archive.read("metadata").decode().splitlines()
    said = dict(line.split("=", 1) for line in lines if "=" in line)
    manifest = json.loads((FIRMWARE / "manifest.json").read_text())["firmware"][MIXED.stem]
    assert said["firmware"] == MIXED.name and said["firmware-sha256"] == manifest["sha256"]
    assert (said["emulated-ns"], said["target-0"], said["fault-0"]) == ("2500000", DEVICES[0], "nack,transfer=1")
    assert "/" not in said["firmware"]


def test_another_system_clock_is_said(tmp_path: Path) -> None:
    """A firmware that sets PLL_SYS to 133 MHz: 12 MHz x 133 / (6 x 2)."""
    # ldr r0, =0x40028000; movs r1, #133; str r1, [r0, #8]; ldr r1, =0x62000; str r1, [r0, #12]; b .
    code = struct.pack("<8H", 0x4803, 0x2185, 0x6081, 0x4903, 0x60C1, 0xE7FE, 0, 0) + struct.pack(
        "<II", 0x4002_8000, 0x6_2000
    )
    path = tmp_path / "fw.elf"
    path.write_bytes(elf(code))
    notes = emulate(path, ms=0.1).notes
    assert notes == (
        (
            "the firmware sets its system clock to 133 MHz; the emulated one runs at 125 MHz, so every time is another than "
            "on that board"
        ),
    )


def test_times_are_in_order_for_python(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="0 Hz is out of range"):
        emulate(MIXED, ms=1, rate_hz=0)
    told: list[float] = []
    emulate(MIXED, ms=4, targets=DEVICES, progress=told.append)
    assert told == sorted(told) and len(told) >= 3
