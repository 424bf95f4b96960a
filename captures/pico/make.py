"""Makes every capture of this folder and expected.json; the same samples each time.

    python captures/pico/make.py [FOLDER]         (needs the extra: pip install 'tracecheck[pico]')

Each is a firmware of firmware/ (built from the sources in the project's firmware/ folder) on the emulated Pico. The
expected verdicts were reasoned out from what was injected and what the driver's source does, the reason beside each.
Those marked `unseen` use seeds and lengths that nobody had looked at when the embassy-rp preset was finished.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracecheck.pico.emulate import Recording, emulate

HERE = Path(__file__).parent
DEVICES = ("0x68=registers", "0x3C=display", "0x50=eeprom", "0x21=absent")
FUSSY = ("0x68=registers", "0x3C=display,nack-after=3")


@dataclass(frozen=True)
class Case:
    """One capture, `pico-NAME.sr`: its arguments, and what `rules` must say of it.

    `failed`: the transfers each rule fails on. `inconclusive`: rules that judge nothing and must not pass.
    """

    name: str
    what: str
    firmware: str
    rules: str
    ms: float = 25
    faults: tuple[str, ...] = ()
    targets: tuple[str, ...] = DEVICES
    failed: dict[str, list[int | None]] = field(default_factory=dict)
    inconclusive: tuple[str, ...] = ()
    exit: int = 0
    unseen: bool = False

    def record(self) -> Recording:
        elf = HERE / "firmware" / f"{self.firmware}.elf"
        return emulate(elf, ms=self.ms, targets=self.targets, faults=self.faults)


def _clean(name: str, what: str, firmware: str, ms: float = 25, *, unseen: bool = False, **more: Any) -> Case:
    scheme = next(word for word in ("three-pin", "two-pin", "one-pin", "irq-only") if word in firmware)
    return Case(f"clean-{name}", what, firmware, f"{scheme}.rules.toml", ms, unseen=unseen, **more)


LATE = ("embassy-interrupt-late", "embassy-interrupt-prompt")
WAKES = ("embassy-wake", "embassy-wake-prompt")


def _on(rules: tuple[str, ...], *transfers: int | None) -> dict[str, list[int | None]]:
    return {rule: list(transfers) for rule in rules}


CASES = (
    # ---- nothing wrong: every shape of call, three speeds, four schemes ----
    _clean("writes-100k", "writes of 1 to 40 bytes", "writes-100k-three-pin-s1", 60),
    _clean("writes-1m", "writes of 1 to 40 bytes", "writes-1m-three-pin-s1"),
    _clean("reads-400k", "reads of 1 to 40 bytes", "reads-400k-three-pin-s1"),
    _clean("reads-100k", "reads of 1 to 40 bytes", "reads-100k-three-pin-s1", 60),
    _clean("write-read-400k", "a register's address, then up to 40 bytes", "write-read-400k-three-pin-s1"),
    _clean("mixed-two-pin", "all shapes, IRQ and RUN", "mixed-400k-two-pin-s1"),
    _clean("mixed-one-pin", "all shapes, pulse counts", "mixed-400k-one-pin-s1"),
    _clean("nack-address-400k", "calls to nobody among others", "nack-address-400k-three-pin-s1"),
    _clean("nack-data", "a display that refuses its fourth byte", "nack-data-400k-three-pin-s1", targets=FUSSY),
    _clean("eeprom", "pages written, polled for with NACKs, read back", "eeprom-400k-three-pin-s1", 40),
    Case(
        "clean-mixed-irq-only",
        "all shapes, the interrupt alone: the wake rules judge nothing, and that is no pass",
        "mixed-400k-irq-only-s1",
        "irq-only.rules.toml",
        inconclusive=WAKES,
        exit=2,
    ),
    Case("clean-blocking", "blocking calls: no interrupts", "blocking-400k-three-pin-s1", "blocking.rules.toml"),
    # ---- one fault each ----
    # A short write and a read that waits once: 50 us after STOP, more than 20.
    Case(
        "late-interrupt",
        "interrupts held back for 50 us",
        "mixed-400k-three-pin-s1",
        "three-pin.rules.toml",
        faults=("late-interrupt,transfer=4+9",),
        failed=_on(LATE, 4, 9),
        exit=1,
    ),
    # A write_read of 8 bytes has one interrupt, RX_FULL; without it the task waits for ever and nothing follows.
    Case(
        "lost-interrupt",
        "an interrupt that never comes: the task hangs",
        "mixed-400k-three-pin-s1",
        "three-pin.rules.toml",
        faults=("lost-interrupt,transfer=6",),
        failed=_on(("embassy-write-read-interrupts",), 6),
        exit=1,
    ),
    # A write of 40 bytes refills twice; its third interrupt is the one for STOP, and 17 bytes are the most between two.
    Case(
        "lost-last-interrupt",
        "a long write whose STOP is never told",
        "mixed-400k-three-pin-s1",
        "three-pin.rules.toml",
        faults=("lost-interrupt,transfer=10,interrupt=2",),
        failed=_on(("embassy-write-ends-with-interrupt", "embassy-long-write-interrupts"), 10),
        exit=1,
    ),
    # A write of 40 bytes needs its FIFO filled again; without TX_EMPTY SCL stays low for the 15 ms left.
    Case(
        "lost-interrupt-long-write",
        "a long write whose FIFO nobody fills again: SCL is held to the end",
        "mixed-400k-three-pin-s1",
        "three-pin.rules.toml",
        faults=("lost-interrupt,transfer=10",),
        failed=_on(("embassy-bus-held", "embassy-bus-never-released"), 10),
        exit=1,
    ),
    # The firmware gives up after 3 ms and goes on: the same call, once without its interrupt.
    Case(
        "lost-interrupt-timeout",
        "an interrupt that never comes, a call that is given up",
        "timeout-400k-three-pin-s1",
        "three-pin.rules.toml",
        faults=("lost-interrupt,transfer=6",),
        failed=_on(("embassy-write-read-interrupts",), 6),
        exit=1,
    ),
    # 100 us after STOP nothing on the bus can have led to it; transfer 4 is a short write, which has its one already.
    Case(
        "extra-interrupt",
        "an interrupt pended for nothing, 100 us after STOP",
        "mixed-400k-three-pin-s1",
        "three-pin.rules.toml",
        faults=("extra-interrupt,transfer=4+8",),
        failed=_on(LATE, 4, 8) | _on(("embassy-short-write-one-interrupt",), 4),
        exit=1,
    ),
    # 10 us after START the address is going out: no wait of a call can end there, and START is 10 us ago. Transfer 4 is
    # a short write, 9 a read, 10 a long write. The task asks again for what it waits for, and goes on.
    Case(
        "stray-interrupt",
        "an interrupt pended for nothing, 10 us after START",
        "mixed-400k-three-pin-s1",
        "three-pin.rules.toml",
        faults=("stray-interrupt,transfer=4+9+10",),
        failed=_on(("embassy-interrupt-prompt",), 4, 9, 10)
        | _on(("embassy-short-write-order", "embassy-short-write-one-interrupt"), 4)
        | _on(("embassy-read-order",), 9)
        | _on(("embassy-long-write-order",), 10),
        exit=1,
    ),
    # Before the NACK of calls to nobody: nothing was sent that could need a refill.
    Case(
        "stray-interrupt-nack",
        "an interrupt pended for nothing before a NACK",
        "nack-address-400k-three-pin-s1",
        "three-pin.rules.toml",
        faults=("stray-interrupt,transfer=6+12",),
        failed=_on(("embassy-interrupt-prompt", "embassy-nack-order"), 6, 12),
    ),
    # 40 handlers of 1.6 us and no time for the task between: 64 us, more than 20 after what led to the first, and more
    # than the 48 us of 18 SCL periods in transfer 10, a write of 40 bytes. Each but the last has no wake of its own.
    Case(
        "storm",
        "an interrupt that is pending again 40 times as its handler returns",
        "mixed-400k-three-pin-s1",
        "three-pin.rules.toml",
        faults=("storm,transfer=4+9+10",),
        failed=_on((*LATE, *WAKES), 4, 9, 10)
        | _on(("embassy-short-write-order", "embassy-short-write-one-interrupt"), 4)
        | _on(("embassy-read-order", "embassy-read-no-storm"), 9)
        | _on(("embassy-long-write-order", "embassy-long-write-no-storm", "embassy-refill-deadline"), 10),
        exit=1,
    ),
    Case(
        "storm-nack",
        "an interrupt that is pending again 20 times after a NACK",
        "nack-address-400k-three-pin-s1",
        "three-pin.rules.toml",
        faults=("storm,transfer=6+12,times=20",),
        failed=_on((*LATE, *WAKES, "embassy-nack-no-storm", "embassy-nack-order"), 6, 12),
        exit=1,
    ),
    # 300 us are more than 100, and in transfer 7, a write of 31 bytes, more than the 48 us of 18 SCL periods.
    Case(
        "hog-executor",
        "another task keeps the executor for 300 us",
        "mixed-400k-three-pin-s1",
        "three-pin.rules.toml",
        faults=("hog-executor,transfer=3+7",),
        failed=_on(WAKES, 3, 7) | _on(("embassy-refill-deadline",), 7),
        exit=1,
    ),
    # Some 50 lines between interrupt and poll, a microsecond each: late, but no error. The handler of transfer 9 is
    # long, too; in transfer 2 another interrupt (a timer's) had warmed what both share.
    Case(
        "xip-cold",
        "the flash cache is empty at START",
        "mixed-400k-three-pin-s1",
        "three-pin.rules.toml",
        faults=("xip-cold,transfer=2+9",),
        failed=_on(("embassy-wake-prompt",), 2, 9) | _on(("embassy-handler-short",), 9),
    ),
    Case(
        "stretch",
        "a target that holds SCL for 300 us",
        "mixed-400k-three-pin-s1",
        "board.rules.toml",
        faults=("stretch,transfer=5+9,byte=1,duration=300us",),
        failed=_on(("board-does-not-stretch",), 5, 9),
        exit=1,
    ),
    # SDA held in a write of 14 bytes: the controller sends a 1, reads 0 and gives up at once, so the interrupt comes
    # before the STOP that ends it a millisecond later. The driver has then cleared STOP_DET already: that STOP's own is
    # still there when transfer 5 waits for its end, and the call returns before its bytes are out.
    Case(
        "hang-sda",
        "a target that holds SDA for 1 ms",
        "mixed-400k-three-pin-s1",
        "board.rules.toml",
        faults=("hang-sda,transfer=4,byte=3",),
        failed=_on(("embassy-short-write-order", "embassy-write-stop-late"), 4)
        | _on(("embassy-write-ends-with-interrupt",), 4, 5),
        exit=1,
    ),
    Case(
        "nack",
        "a display that does not answer twice",
        "mixed-400k-three-pin-s1",
        "board.rules.toml",
        faults=("nack,transfer=5+8",),
        failed=_on(("board-acknowledges",), 5, 8),
        exit=1,
    ),
    # ---- what the driver itself does, without any fault ----
    # Up to embassy-rp 0.10 a dropped call leaves its transfer without an end: once the FIFO is empty SCL stays low
    # until the next call, 6 ms later, disables the controller. No interrupt tells anybody, and the one for room in the
    # FIFO was all: a write of more than 17 bytes has two.
    Case(
        "cancelled",
        "long writes dropped by a select",
        "cancel-400k-three-pin-s1",
        "three-pin.rules.toml",
        failed=_on(
            (
                "embassy-write-ends-with-interrupt",
                "embassy-long-write-interrupts",
                "embassy-bus-held",
                "embassy-write-stop-late",
            ),
            0,
            2,
            4,
        )
        # The last one is still held when the recording ends.
        | {"embassy-bus-held": [0, 2, 4, 6], "embassy-bus-never-released": [6]},
        exit=1,
    ),
    # At 100 kHz the task runs 8 us before the STOP that follows a NACK and clears STOP_DET too early; the next write
    # finds it set and returns at once. Transfer 22 goes to nobody, its caller is told that all went well (ERR rises).
    # Transfer 28 is the write right after the NACK of 27.
    Case(
        "stale-stop-det",
        "calls to nobody at 100 kHz: the next ones return too early",
        "nack-address-100k-three-pin-s1",
        "three-pin.rules.toml",
        60,
        failed=_on(("embassy-nack-interrupt",), 22)
        | _on(("embassy-write-ends-with-interrupt", "embassy-works-after-a-fault"), 28),
        exit=1,
    ),
    # ---- unseen: seeds and lengths that played no part while the preset was made ----
    _clean("unseen-mixed-100k", "all shapes", "mixed-100k-three-pin-s12", 57, unseen=True),
    _clean("unseen-mixed-400k", "all shapes", "mixed-400k-three-pin-s13", 31, unseen=True),
    _clean("unseen-mixed-1m", "all shapes", "mixed-1m-three-pin-s14", 23, unseen=True),
    _clean("unseen-mixed-100k-two-pin", "all shapes", "mixed-100k-two-pin-s15", 49, unseen=True),
    _clean("unseen-mixed-1m-one-pin", "all shapes", "mixed-1m-one-pin-s16", 19, unseen=True),
    _clean("unseen-eeprom-1m", "pages written, polled for, read back", "eeprom-1m-three-pin-s18", 37, unseen=True),
    _clean("unseen-nack-address-100k", "calls to nobody", "nack-address-100k-three-pin-s19", 73, unseen=True),
    # A neighbour that works for 30 to 80 us at a time: more than 20, less than 100.
    Case(
        "unseen-busy",
        "a task that makes the other one wait",
        "busy-100k-three-pin-s17",
        "three-pin.rules.toml",
        61,
        failed=_on(("embassy-wake-prompt",), 0, 2, 7, 8, 9, 10, 12, 19, 21, 22),
        unseen=True,
    ),
    # 35 us after STOP are more than 20. Transfer 17 is a write of 35 bytes: two bytes are left when its interrupt is
    # due, these take 20 us, and 15 us pass with the bus held.
    Case(
        "unseen-late-interrupt",
        "interrupts held back for 35 us, 1 MHz",
        "mixed-1m-three-pin-s14",
        "three-pin.rules.toml",
        23,
        faults=("late-interrupt,transfer=11+17+22,delay=35us",),
        failed=_on(("embassy-interrupt-late",), 11, 22) | _on(("embassy-interrupt-prompt",), 11, 17, 22),
        exit=1,
        unseen=True,
    ),
    Case(
        "unseen-lost-interrupt",
        "the interrupt of a read of 14 bytes never comes",
        "mixed-100k-three-pin-s12",
        "three-pin.rules.toml",
        57,
        faults=("lost-interrupt,transfer=9",),
        failed=_on(("embassy-read-interrupts",), 9),
        exit=1,
        unseen=True,
    ),
    # A read of more than 16 bytes: nobody asks for the second batch, and SCL stays low for the 17 ms left.
    Case(
        "unseen-lost-interrupt-long-read",
        "the first batch of a long read is never told: SCL is held to the end",
        "mixed-400k-three-pin-s13",
        "three-pin.rules.toml",
        31,
        faults=("lost-interrupt,transfer=14",),
        failed=_on(("embassy-bus-held", "embassy-bus-never-released"), 14),
        exit=1,
        unseen=True,
    ),
    Case(
        "unseen-extra-interrupt",
        "interrupts pended for nothing",
        "mixed-1m-three-pin-s14",
        "three-pin.rules.toml",
        19,
        faults=("extra-interrupt,chance=0.2,seed=5,after=150us",),
        failed=_on(LATE, 2, 5, 13, 14, 19) | _on(("embassy-short-write-one-interrupt",), 19),
        exit=1,
        unseen=True,
    ),
    # 15 handlers of 1.6 us: 24 us, more than 20 after the STOP of transfer 28, a write of one byte. In transfer 24
    # bytes go on meanwhile, but its refill comes later than 18 SCL periods of 1 MHz.
    Case(
        "unseen-storm",
        "an interrupt that is pending again 15 times, 1 MHz",
        "mixed-1m-three-pin-s14",
        "three-pin.rules.toml",
        23,
        faults=("storm,chance=0.2,seed=6,times=15",),
        failed=_on(WAKES, 24, 28)
        | _on(("embassy-long-write-order", "embassy-long-write-no-storm", "embassy-refill-deadline"), 24)
        | _on(("embassy-short-write-order", "embassy-short-write-one-interrupt", *LATE), 28),
        exit=1,
        unseen=True,
    ),
    # 130 us after START the first byte is under way at 100 kHz, 36 us after the ACK of the address. The recording ends
    # inside transfer 22, whose order therefore nobody knows.
    Case(
        "unseen-stray-interrupt",
        "interrupts pended for nothing, 100 kHz",
        "mixed-100k-three-pin-s12",
        "three-pin.rules.toml",
        57,
        faults=("stray-interrupt,chance=0.25,seed=7,after=130us",),
        failed=_on(LATE, 0, 5, 8, 11, 14, 15, 16, 19, 22)
        | _on(("embassy-read-order",), 0, 8, 11, 14, 15)
        | _on(("embassy-long-write-order",), 5, 16, 19),
        exit=1,
        unseen=True,
    ),
    Case(
        "unseen-hog-executor",
        "another task keeps the executor for 200 us",
        "mixed-100k-two-pin-s15",
        "two-pin.rules.toml",
        49,
        faults=("hog-executor,chance=0.25,seed=3,duration=200us",),
        failed=_on(WAKES, 0),
        exit=1,
        unseen=True,
    ),
    Case(
        "unseen-xip-cold",
        "the flash cache is empty at START",
        "mixed-100k-three-pin-s12",
        "three-pin.rules.toml",
        41,
        faults=("xip-cold,chance=0.3,seed=9",),
        failed=_on(("embassy-wake-prompt",), 1, 2, 5, 8, 11),
        unseen=True,
    ),
    Case(
        "unseen-stretch",
        "a sensor that holds SCL for 250 us after its address",
        "mixed-1m-three-pin-s14",
        "board.rules.toml",
        23,
        faults=("stretch,chance=0.2,seed=4,byte=0,duration=250us",),
        failed=_on(("board-does-not-stretch",), 7, 9, 14, 17, 21, 22),
        exit=1,
        unseen=True,
    ),
    # The controller reads zeros and cannot make its STOP: SDA is low until the recording ends.
    Case(
        "unseen-hang-sda",
        "a target that never lets go of SDA",
        "mixed-400k-three-pin-s13",
        "board.rules.toml",
        130,
        faults=("hang-sda,transfer=12,byte=1,duration=forever",),
        failed=_on(("i2c-stuck-low", "embassy-bus-never-released", "board-keeps-calling"), 12),
        exit=1,
        unseen=True,
    ),
    Case(
        "unseen-nack",
        "a display that refuses a byte now and then",
        "mixed-400k-three-pin-s13",
        "board.rules.toml",
        31,
        faults=("nack,chance=0.15,seed=8,byte=1",),
        failed=_on(("board-acknowledges",), 20, 25),
        exit=1,
        unseen=True,
    ),
)


def make(folder: Path) -> None:
    """Write all captures and expected.json into `folder`."""
    expected: dict[str, Any] = {}
    for case in CASES:
        recording = case.record()
        name = f"pico-{case.name}.sr"
        recording.write(folder / name)
        expected[name] = facts(case, recording)
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


def facts(case: Case, recording: Recording) -> dict[str, Any]:
    """What is known of a capture before anybody analyzes it: how it was made, what struck, what must be found."""
    return {
        "origin": "emulated",
        "what": case.what,
        "firmware": case.firmware,
        "firmware_sha256": recording.provenance.sha256,
        "ms": case.ms,
        "targets": case.targets,
        "faults": case.faults,
        "strikes": [
            {"kind": s.kind, "transfer": s.transfer, "t_ns": s.time_ns, "detail": s.detail} for s in recording.strikes
        ],
        "unseen": case.unseen,
        "rules": case.rules,
        "failed": case.failed,
        "inconclusive": sorted(case.inconclusive),
        "exit": case.exit,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=HERE)
    make(parser.parse_args().folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
