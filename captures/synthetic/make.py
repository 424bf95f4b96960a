"""Makes every synthetic capture of this folder and expected.json; the same bytes each time.

    python captures/synthetic/make.py [FOLDER]

The truth in expected.json is what was drawn. The verdicts were reasoned out from the rules' definitions, case by case
below; no analysis was run to get them.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracecheck.synth.faults import FAULTS
from tracecheck.synth.scenario import Scenario, Task, record
from tracecheck.synth.script import Transfer, read, write, write_read

HERE = Path(__file__).parent
DISPLAY, SENSOR, EEPROM, WIDE = 0x3C, 0x48, 0x50, 0x2A5

# Short writes, reads, a combined transfer and a write longer than the FIFO; faults strike the write at number 3.
USUAL: tuple[Transfer, ...] = (
    write(DISPLAY, b"\x00\xae"),
    read(SENSOR, b"\x19\x80"),
    write_read(EEPROM, b"\x10", b"\xde\xad\xbe\xef"),
    write(DISPLAY, b"\x00\x21\x07"),
    write(DISPLAY, bytes(range(0x40, 0x54))),
    read(SENSOR, b"\x1a\x00\x55\xff"),
    read(EEPROM, bytes(range(20))),
    write(DISPLAY, b"\xaf"),
)
STRUCK, LONG, LAST = 3, 4, len(USUAL) - 1


@dataclass(frozen=True)
class Verdict:
    """What a rule file must say: the exit code, and the transfers each rule fails on.

    None stands for outside any exchange, or for all of them together.
    """

    rules: str
    failed: dict[str, list[int | None]] = field(default_factory=dict)
    inconclusive: tuple[str, ...] = ()

    @property
    def exit(self) -> int:
        return 1 if self.failed else 2 if self.inconclusive else 0


@dataclass(frozen=True)
class Case:
    """One capture; `synthetic-NAME.sr`."""

    name: str
    what: str
    scenario: Scenario
    verdicts: tuple[Verdict, ...]


def _clean(name: str, what: str, rules: str, *tasks: Task, seed: int) -> Case:
    return Case(name, what, Scenario(tasks, seed), (Verdict(f"{rules}.rules.toml"),))


def _faulty(fault: str, *failed: str, at: int = STRUCK, transfer: int | None = STRUCK, seed: int) -> Case:
    expected: dict[str, list[int | None]] = {rule: [transfer] for rule in failed}
    scenario = Scenario((Task(USUAL),), seed, fault, at)
    return Case(fault, FAULTS[fault].what, scenario, (Verdict("three-pin.rules.toml", expected),))


CASES = (
    _clean("clean-three-pin-100k", "nothing wrong, 100 kHz", "three-pin", Task(USUAL, scl_hz=100_000), seed=100),
    # Eight STARTs 0.4 to 0.9 ms apart, and more than ten interrupts, each with its wake 2 to 4 us later.
    Case(
        "clean-three-pin-400k",
        "nothing wrong, 400 kHz",
        Scenario((Task(USUAL),), 101),
        (Verdict("three-pin.rules.toml"), Verdict("steady.rules.toml")),
    ),
    _clean("clean-three-pin-1m", "nothing wrong, 1 MHz", "three-pin", Task(USUAL, scl_hz=1_000_000), seed=102),
    _clean("clean-two-pin", "IRQ and RUN only", "two-pin", Task(USUAL, scheme="two-pin"), seed=103),
    _clean("clean-one-pin", "one pin with pulse counts", "one-pin", Task(USUAL, scheme="one-pin"), seed=104),
    Case(
        "clean-irq-only",
        "an interrupt marker and no other: wakes cannot be judged",
        Scenario((Task(USUAL, scheme="irq-only"),), 105),
        (
            Verdict("irq-only.rules.toml"),
            Verdict(
                "irq-only-asks-for-wakes.rules.toml", inconclusive=("wake-after-interrupt", "task-not-before-interrupt")
            ),
        ),
    ),
    _clean(
        "clean-timer-polls",
        "a timer polls the task inside transfers and after the wake, without an interrupt",
        "three-pin",
        Task(USUAL, polls=(40_000, 800_000)),
        seed=106,
    ),
    _clean(
        "clean-two-buses",
        "two buses at once, each with its own task and markers, as on the two cores",
        "two-buses",
        Task(USUAL, scheme="two-pin", suffix="0"),
        Task(USUAL[::-1], scl_hz=100_000, scheme="two-pin", bus="i2c1", suffix="1", begin=180_000),
        seed=107,
    ),
    _clean(
        "clean-combined",
        "a repeated START in every other transfer",
        "three-pin",
        Task(
            (
                write_read(EEPROM, b"\x00", b"\x01"),
                write(DISPLAY, b"\x40\x18"),
                write_read(EEPROM, b"\x00\x20", bytes(range(0xA0, 0xAA))),
                read(SENSOR, b"\x19"),
            )
        ),
        seed=109,
    ),
    _clean(
        "clean-ten-bit",
        "10-bit addresses: writes, and a read after a repeated START",
        "three-pin",
        Task(
            (
                write(WIDE, b"\x01\x02", ten_bit=True),
                write_read(WIDE, b"", b"\x33\x44\x55", ten_bit=True),
                write(DISPLAY, b"\x00"),
                read(SENSOR, b"\x19\x80"),
                write(0x3FF, b"\xff", ten_bit=True),
            )
        ),
        seed=110,
    ),
    _clean(
        "clean-nacks",
        "NACKs as outcomes: a scan that finds nobody, a busy EEPROM, a data byte refused",
        "outcomes",
        Task(
            (
                write(0x51, b"\x00", nack=0),
                write(EEPROM, b"\x10\x01\x02"),
                write(EEPROM, b"\x20\x03", nack=0),
                write(DISPLAY, b"\x00\xae\xa8", nack=2),
                read(SENSOR, b"\x19\x80"),
                read(0x52, b"\x00", nack=0),
                write(EEPROM, b"\x20\x03"),
            )
        ),
        seed=111,
    ),
    # No irq: the STOP gets no response, the count is 0. No wake rule sees it: without an irq nothing asks for a wake.
    _faulty("lost-interrupt", "interrupt-after-stop", "one-interrupt", seed=200),
    # 60 us is beyond 20 us; the wake is as quick after it as ever.
    _faulty("late-interrupt", "interrupt-after-stop", seed=201),
    # run before irq; after the irq neither ready nor wake until the timeout 6 ms later.
    _faulty(
        "swapped-interrupt", "task-not-before-interrupt", "wake-after-interrupt", "ready-after-interrupt", seed=202
    ),
    # The exchange has closed 5 ms after its STOP and START lies more than 5 ms back: it belongs to no transfer.
    _faulty("spurious-interrupt", "interrupt-has-cause", transfer=None, seed=203),
    # It has a START, a ready and a wake of its own; only the count of 2 is wrong.
    _faulty("extra-interrupt", "one-interrupt", seed=204),
    # Judged by the driver's preset. Five of the six handlers are entered without a wake since the one before; the write
    # of 20 bytes takes two interrupts, three are let pass; and after STOP each must have its wake before the next.
    Case(
        "interrupt-storm",
        FAULTS["interrupt-storm"].what,
        Scenario((Task(USUAL),), 217, "interrupt-storm", LONG),
        (
            Verdict(
                "driver.rules.toml",
                {
                    "embassy-long-write-no-storm": [LONG],
                    "embassy-long-write-order": [LONG],
                    "embassy-wake": [LONG],
                    "embassy-wake-prompt": [LONG],
                },
            ),
        ),
    ),
    # Three bytes of a full FIFO have gone out, and 14 must have before it asks for more. It has a wake in time, and
    # with the two that the write takes it is the one more that is let pass: only its place is wrong.
    Case(
        "early-interrupt",
        FAULTS["early-interrupt"].what,
        Scenario((Task(USUAL),), 218, "early-interrupt", LONG),
        (Verdict("driver.rules.toml", {"embassy-long-write-order": [LONG]}),),
    ),
    # The timeout's poll is the first run after the irq, 6 ms late. The next START waits for it: one round in seven is
    # 5 ms longer than the others. One wake of more than ten is late, so that nine of ten are not, but the longest is.
    Case(
        "lost-wake",
        FAULTS["lost-wake"].what,
        Scenario((Task(USUAL),), 205, "lost-wake", STRUCK),
        (
            Verdict("three-pin.rules.toml", {"wake-after-interrupt": [STRUCK], "ready-after-interrupt": [STRUCK]}),
            Verdict(
                "steady.rules.toml",
                {"loop-comes-round": [STRUCK], "loop-is-steady": [None], "wakes-are-quick": [None]},
            ),
        ),
    ),
    # Ready in time, polled 150 us late.
    _faulty("late-wake", "wake-after-interrupt", seed=206),
    # 35 us; the task is polled 37 us after the irq's begin, within 50 us.
    _faulty("long-handler", "handler-short", seed=207),
    # The level never ends; ready was set, the task is never polled. In the last transfer: later ones would show no irq.
    _faulty("irq-stuck-high", "handler-short", "wake-after-interrupt", at=LAST, transfer=LAST, seed=208),
    # Unfinished, so rules about acked writes leave it alone; there is no STOP to respond to.
    _faulty("missing-stop", "bus-integrity", seed=209),
    # An outcome and no anomaly; only the rule that expects an ACK objects.
    _faulty("nack", "ack-expected", seed=210),
    _faulty("partial-byte", "bus-integrity", seed=211),
    _faulty("stretch", "stretch-bound", seed=212),
    # Below the spike filter: the bytes decode as sent, and the spike is on record.
    _faulty("glitch-scl", "bus-integrity", seed=213),
    _faulty("glitch-sda", "bus-integrity", seed=214),
    # What the ends cut is reported apart and fails nothing.
    _faulty("cut-off", at=LAST - 1, transfer=None, seed=215),
    _faulty("cut-begin", at=0, transfer=None, seed=216),
)


def make(folder: Path) -> None:
    """Writes all captures and expected.json into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    described = {}
    for case in CASES:
        recording = record(case.scenario)
        recording.write(folder / f"synthetic-{case.name}.sr", f"captures/synthetic/make.py {case.name}")
        described[f"synthetic-{case.name}.sr"] = _described(case, recording.block.end, recording.truth)
    (folder / "expected.json").write_text(_spread(described, 5) + "\n", encoding="utf-8")


def _described(case: Case, samples: int, truth: dict[str, Any]) -> dict[str, Any]:
    scenario = case.scenario
    fault = None
    if scenario.fault is not None:
        at = None if FAULTS[scenario.fault].begin else scenario.at
        fault = {"name": scenario.fault, "bus": scenario.tasks[0].bus, "transfer": at}
    return {
        "what": case.what,
        "origin": "synthetic",
        "generator": {"module": "tracecheck.synth", "seed": scenario.seed, "rate_hz": scenario.rate_hz},
        "samples": samples,
        "fault": fault,
        "verdicts": [
            {"rules": v.rules, "failed": v.failed, "inconclusive": list(v.inconclusive), "exit": v.exit}
            for v in case.verdicts
        ],
        "truth": truth,
    }


def _spread(value: Any, depth: int, indent: str = "") -> str:
    """JSON with one line for each value `depth` levels down, so that a transfer is a line."""
    if depth == 0 or not isinstance(value, dict | list) or not value:
        return json.dumps(value)
    deeper = indent + "  "
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {_spread(item, depth - 1, deeper)}" for key, item in value.items()]
    else:
        parts = [_spread(item, depth - 1, deeper) for item in value]
    left, right = "{}" if isinstance(value, dict) else "[]"
    return f"{left}\n{deeper}" + f",\n{deeper}".join(parts) + f"\n{indent}{right}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=HERE, help="where to write (default: beside this file)")
    folder: Path = parser.parse_args().folder
    make(folder)
    print(f"{len(CASES)} captures in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
