"""`tracecheck record`: its arguments and its help."""

from __future__ import annotations

from typing import Annotated

import typer

from tracecheck.cli import options as opt


def record(
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE.sr", help="Write the recording there, as a sigrok session."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over FILE.sr where there is one.")] = False,
    driver: Annotated[
        str | None,
        typer.Option("--driver", metavar="NAME", help="Record from this kind of analyzer, through sigrok-cli."),
    ] = None,
    list_devices: Annotated[
        bool, typer.Option("--list", help="Show the analyzers that answer now, and their channels.")
    ] = False,
    samplerate: Annotated[
        str | None,
        typer.Option("--samplerate", metavar="RATE", help="With --driver: samples per second; default: the device's."),
    ] = None,
    time: Annotated[
        str | None, typer.Option("--time", metavar="TIME", help="With --driver: so long; default: until Ctrl-C.")
    ] = None,
    samples: Annotated[
        str | None, typer.Option("--samples", metavar="N", help="With --driver: so many samples, as 1000000 or 1M.")
    ] = None,
    trigger: Annotated[
        str | None,
        typer.Option("--trigger", metavar="CHANNEL=f", help="With --driver: begin where this happens (0 1 r f e)."),
    ] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option("--channel", metavar="D0=SCL", help="With --driver: record this one, under this name."),
    ] = None,
    emulate: Annotated[
        str | None,
        typer.Option("--emulate", metavar="FIRMWARE.elf", help="Run this firmware on the emulated Pico."),
    ] = None,
    ms: Annotated[
        float | None,
        typer.Option("--ms", metavar="MS", help="With --emulate: milliseconds to record, from reset on; default: 50."),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="ADDRESS=KIND[,..]", help="A device on the bus; give it again for more."),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", metavar="KIND[,..]", help="Something that goes wrong; give it again for more."),
    ] = None,
    pin: Annotated[
        list[str] | None,
        typer.Option(
            "--pin", metavar="NAME=GPIO", help="Record this pin too; the firmware's TRACECHECK_PINS names its own."
        ),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option("--rate", metavar="RATE", help="With --emulate: samples per second; default: 24MHz."),
    ] = None,
    rules: Annotated[
        list[str] | None,
        typer.Option("--rules", metavar="FILE|PRESET", help="Judge the recording at once, as analyze does."),
    ] = None,
    quiet: opt.Quiet = False,
) -> int:
    """Record a bus: from a logic analyzer, or from an emulated Pico.

    \b
    Examples:
      tracecheck record --list
      tracecheck record --driver fx2lafw --samplerate 24MHz --time 2s -o x.sr
          --channel D0=SDA --channel D1=SCL --channel D2=IRQ --rules board.toml
      tracecheck record --driver fx2lafw --samples 1M --trigger D0=f -o x.sr
      tracecheck record --emulate fw.elf --ms 50 -o x.sr --target 0x68=registers
      tracecheck record --emulate fw.elf -o x.sr --target 0x50=eeprom,write=3ms
      tracecheck record --emulate fw.elf -o x.sr --target i2c1:0x3C=display
      tracecheck record --emulate fw.elf -o x.sr --pin IRQ=2 --rules irq-only
      tracecheck record --emulate fw.elf -o x.sr --fault nack,chance=0.1,seed=7
      tracecheck record --emulate fw.elf -o x.sr --rules embassy-rp --rules i2c

    \b
    --driver runs sigrok-cli (on Debian: apt install sigrok-cli, for fx2lafw also
    sigrok-firmware-fx2lafw). A recording that breaks off, because the device was
    unplugged say, is kept as x.partial.sr (or x.partial-2.sr, and so on). Without
    --force nothing is recorded where FILE.sr is there already.

    \b
    Targets, ADDRESS=KIND[,option=value], the address without the read/write bit
    (from 0x80 on it has 10 bits):
      registers   256 registers; byte i holds i ^ 0xA5 at reset
      eeprom      256 bytes; does not answer for write=5ms after it was written
      display     takes what it is given, reads 0
      absent      nobody: the address is not acknowledged
    Each takes stretch=TIME (SCL low after each byte), hold=TIME (SDA after SCL),
    nack-after=N (data byte N of a write is not acknowledged).

    \b
    Faults, KIND[,key=value]; transfer=3+7 says which, or chance=0.1,seed=7, else
    every one; bus=i2c1 where it is not i2c0:
      late-interrupt   delay=50us, interrupt=0 (the transfer's first)
      lost-interrupt   interrupt=0, hold=forever
      extra-interrupt  after=100us (from STOP)
      stray-interrupt  after=10us (from START)
      storm            times=40, interrupt=0: its handler runs again and again
      hog-executor     duration=300us, interrupt=0: another task runs
      xip-cold         miss=1us: the flash cache is empty at START
      stretch          duration=100us, byte=0: the target holds SCL
      hang-sda         duration=1ms or forever, byte=1, clocks=0: it holds SDA
      nack             byte=0 (the address)

    \b
    Needs rp2040py: pip install 'tracecheck[pico]'. What the emulation assumes
    stands in the recording's metadata. Emulated captures say what firmware does
    on a model of the chip; they are no measurement of silicon.

    \b
    Exit codes: 0 recorded (and no rule failed), 1 a rule failed, 2 the recording
    broke off, the firmware crashed, deadlocked, left a transfer hanging or
    started none, a fault never struck, or something could not be run.
    """
    from tracecheck.cli.record_from import check

    of_device = {
        "--samplerate": samplerate, "--time": time, "--samples": samples, "--trigger": trigger, "--channel": channel
    }  # fmt: skip
    of_emulation = {"--ms": ms, "--target": target, "--fault": fault, "--pin": pin, "--rate": rate}
    check(driver, emulate, output, of_device, of_emulation, list_devices=list_devices, force=force)
    if list_devices:
        from tracecheck.cli.record_device import list_all

        return list_all(driver)
    assert output is not None
    if driver is not None:
        from tracecheck.cli import record_device

        return record_device.run(
            record_device.Request(
                driver=driver,
                output=output,
                samplerate=samplerate,
                time=time,
                samples=samples,
                trigger=trigger,
                channels=channel or (),
                rules=rules or (),
                quiet=quiet,
            )
        )
    assert emulate is not None
    from tracecheck.cli.record import Request, run

    return run(
        Request(
            firmware=emulate,
            ms=50.0 if ms is None else ms,
            output=output,
            targets=target or [],
            faults=fault or [],
            pins=pin or [],
            rate=rate or "24MHz",
            rules=rules or [],
            quiet=quiet,
        )
    )
