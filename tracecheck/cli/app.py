"""The commands and what their `--help` says. Each hands its arguments to the module of its name, loaded then."""

# ruff: noqa: PLC0415  (late imports are this module's purpose: --help must load neither numpy nor pyarrow)
# ruff: noqa: D301  (\b keeps a paragraph of help as it is written)

from __future__ import annotations

from typing import Annotated, Literal

import typer

from tracecheck import __version__
from tracecheck.cli import options as opt
from tracecheck.cli.console import destination
from tracecheck.cli.lines import Lines
from tracecheck.cli.reading import Reading

TABLES = ("bytes", "messages", "transfers", "markers", "anomalies", "stretches", "timings", "timeline")
"""As trace.TABLES, which numpy comes with; a test holds the two together."""
TableFormat = Literal["text", "csv", "jsonl", "parquet", "arrow", "sigrok"]

app = typer.Typer(
    name="tracecheck",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
rules_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(rules_app, name="rules")


def _version(asked: bool) -> None:
    if asked:
        with destination(None) as out:
            out.text(f"tracecheck {__version__}\n")
        raise typer.Exit


@app.callback()
def _tracecheck(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Did every I2C transfer's interrupts and task wakes come in order and on time?

    Reads a logic-analyzer capture of SDA, SCL and marker pins, decodes it, and judges it by rules.

    \b
      tracecheck info capture.sr              what is in it, and what was found
      tracecheck decode capture.sr            one line a transfer
      tracecheck show capture.sr 3            draws transfer 3
      tracecheck analyze capture.sr           judges it by the presets that fit
      tracecheck watch --driver fx2lafw ...   judges a bus while it is recorded
      tracecheck export capture.sr -o x.vcd   for other programs; pieces of it, too
      tracecheck convert wave.vcd -o wave.sr  from one format to another
      tracecheck record --driver fx2lafw ...  records a bus, through sigrok-cli
      tracecheck mutate good.sr --rules FILE  tests your rules with injected faults
      tracecheck record --emulate fw.elf      runs a firmware on an emulated Pico
      tracecheck compare base.sr new.sr       what got slower
      tracecheck rules list                   the presets, and the kinds of rule

    \b
    Exit codes: 0 clean, 1 findings, 2 could not check (also wrong arguments and
    files that cannot be read). Results go to standard output, all else to
    standard error.
    """


@app.command()
def analyze(
    captures: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CAPTURE",
            help="Captures, and folders of them; each is judged by itself. Without any: what tracecheck.toml says.",
        ),
    ] = None,
    rules: Annotated[
        list[str] | None,
        typer.Option(
            "--rules",
            metavar="FILE|PRESET",
            help="Judge by this rule file or preset; give it again for more. Without it (and without --expect): the "
            "presets that fit what the capture has.",
            autocompletion=opt.preset_names,
        ),
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            "--expect", metavar="RULE", help="A rule in one line: 'irq -> wake < 20us', 'never missing-stop'."
        ),
    ] = None,
    scl: opt.Scl = None,
    sda: opt.Sda = None,
    bus: opt.Buses = None,
    marker: opt.Markers = None,
    samplerate: opt.Samplerate = None,
    max_samples: opt.MaxSamples = None,
    device: opt.Device = None,
    unitsize: opt.Unitsize = None,
    output_format: opt.ReportFormat = "text",
    output: opt.OutputFile = None,
    report: opt.Reports = None,
    suite: Annotated[
        str | None,
        typer.Option(
            "--suite", metavar="FILE", help="This suite file in place of the tracecheck.toml here or in a folder above."
        ),
    ] = None,
    fail_on: Annotated[
        opt.Severity | None,
        typer.Option("--fail-on", help="Exit with 1 for failed rules of this severity and above. [default: error]"),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 2 where any instance is inconclusive.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="The verdict only: one line a capture.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Every finding, and what each rule says.")] = False,
    max_findings: Annotated[
        int,
        typer.Option(
            "--max-findings",
            metavar="N",
            min=0,
            help="Findings kept of each rule, bus and verdict; those beyond are counted. 0: all.",
        ),
    ] = 1000,
) -> int:
    """Judge captures by rules: what failed, where, by how much.

    \b
    Examples:
      tracecheck analyze                      the suite in tracecheck.toml
      tracecheck analyze capture.sr
      tracecheck analyze capture.sr --rules embassy-rp --rules board.toml
      tracecheck analyze capture.sr --expect 'irq.begin -> wake < 20us'
      tracecheck analyze capture.sr --expect 'never missing-stop' --scl D0 --sda D1
      tracecheck analyze capture.sr --marker irq=D2 --marker run=D3
      tracecheck analyze recordings/ --rules board.toml --format json -o verdicts.json
      tracecheck analyze recordings/ --rules board.toml --report junit=report.xml

    \b
    --expect takes
      TRIGGER -> RESPONSE [< BOUND] [> BOUND]    each trigger is answered in time
      ... p99 < BOUND                            so many of all are
      EVENT <- CAUSE [within BOUND]              each event has its cause before it
      every EVENT < BOUND [jitter < BOUND]       it comes again in time, evenly
      never EVENT
      order: start address data* stop irq wake   each exchange matches a pattern

    \b
    Exit codes: 0 no rule failed, 1 a rule failed, 2 something could not be
    checked: a file cannot be read, or a rule judged nothing because its marker
    is not there. Of several captures any failure gives 1, else any 2 gives 2.
    """
    from tracecheck.cli.analyze import Request, run

    return run(
        Request(
            captures=captures or [],
            suite=suite,
            rules=rules or [],
            expect=expect or [],
            lines=Lines(scl, sda, bus or (), marker or ()),
            reading=Reading(samplerate, max_samples, device, unitsize),
            output_format=output_format,
            output=output,
            reports=report or [],
            fail_on=fail_on,
            strict=strict,
            quiet=quiet,
            verbose=verbose,
            max_findings=max_findings or None,
        )
    )


@app.command()
def info(
    capture: opt.CaptureFile,
    scl: opt.Scl = None,
    sda: opt.Sda = None,
    bus: opt.Buses = None,
    marker: opt.Markers = None,
    samplerate: opt.Samplerate = None,
    max_samples: opt.MaxSamples = None,
    device: opt.Device = None,
    unitsize: opt.Unitsize = None,
    output_format: Annotated[opt.TextOrJson, typer.Option("--format", help="For people, or for programs.")] = "text",
    quiet: opt.Quiet = False,
) -> int:
    """What a capture holds: format, channels, buses, markers.

    \b
    Examples:
      tracecheck info capture.sr
      tracecheck info capture.sr --format json
      tracecheck info capture.sr --scl 6 --sda 7

    Edges are counted over the whole capture. A warning says when SCL was sampled too slowly to be decoded.
    """
    from tracecheck.cli.info import run

    lines = Lines(scl, sda, bus or (), marker or ())
    return run(capture, lines, Reading(samplerate, max_samples, device, unitsize), output_format == "json", quiet)


@app.command()
def decode(
    capture: opt.CaptureFile,
    table: Annotated[
        str | None,
        typer.Option(
            "--table",
            metavar="TABLE",
            help=f"One of {', '.join(TABLES)}. With csv, jsonl, parquet, arrow; default: transfers.",
            autocompletion=lambda incomplete: [t for t in TABLES if t.startswith(incomplete)],
        ),
    ] = None,
    output_format: Annotated[
        TableFormat | None,
        typer.Option("--format", help="Default: text; with --table csv, or what FILE's name ends with."),
    ] = None,
    output: opt.OutputFile = None,
    stack: Annotated[
        list[str] | None,
        typer.Option(
            "--stack",
            metavar="DECODER[:OPTION=VALUE]",
            help="Run this decoder of sigrok on the bus; with a comma, one on another. Give it again for more.",
        ),
    ] = None,
    scl: opt.Scl = None,
    sda: opt.Sda = None,
    bus: opt.Buses = None,
    marker: opt.Markers = None,
    rules: opt.WiringRules = None,
    samplerate: opt.Samplerate = None,
    max_samples: opt.MaxSamples = None,
    device: opt.Device = None,
    unitsize: opt.Unitsize = None,
    quiet: opt.Quiet = False,
) -> int:
    """Decode a capture: one line a transfer, or one of its tables.

    \b
    Examples:
      tracecheck decode capture.sr
      tracecheck decode capture.sr --marker irq=D2 --marker run=D3
      tracecheck decode capture.sr --table messages --format csv
      tracecheck decode capture.sr --table timeline -o timeline.parquet
      tracecheck decode capture.sr --format sigrok
      tracecheck decode capture.sr --stack eeprom24xx --stack ds1307
      tracecheck decode capture.sr --stack eeprom24xx -o annotations.csv

    \b
    In the lines, irq is the time from STOP to the interrupt that ends the transfer
    (negative: it came before STOP), wake the time from that interrupt to the
    task. Without a STOP, irq counts from START and is marked with an S.
    --format sigrok prints what sigrok-cli's I2C decoder prints, byte for byte.
    In csv and jsonl, data bytes are hex.

    \b
    --stack prints under each transfer what sigrok's decoder says of it, or gives
    the table annotations; with --format sigrok, what sigrok-cli prints for the
    same stack. Exit code 2 where a decoder failed; the rest is printed all the
    same. Needs pysigrok: pip install 'tracecheck[sigrok]'.
    """
    from tracecheck.cli.decode import Request, run

    return run(
        Request(
            capture=capture,
            lines=Lines(scl, sda, bus or (), marker or ()),
            rules=rules or [],
            reading=Reading(samplerate, max_samples, device, unitsize),
            table=table,
            output_format=output_format,
            output=output,
            quiet=quiet,
            stacks=stack or (),
        )
    )


@app.command()
def show(
    capture: opt.CaptureFile,
    transfer: Annotated[
        int, typer.Argument(metavar="TRANSFER", min=0, help="Its number on its bus, as decode prints it.")
    ],
    bus: Annotated[
        list[str] | None,
        typer.Option("--bus", metavar="NAME", help="Which bus, where there are several (or NAME:scl=..,sda=..)."),
    ] = None,
    width: Annotated[
        int | None, typer.Option("--width", metavar="N", min=40, help="Columns to draw in; default: the terminal's.")
    ] = None,
    scl: opt.Scl = None,
    sda: opt.Sda = None,
    marker: opt.Markers = None,
    rules: opt.WiringRules = None,
    samplerate: opt.Samplerate = None,
    max_samples: opt.MaxSamples = None,
    device: opt.Device = None,
    unitsize: opt.Unitsize = None,
    quiet: opt.Quiet = False,
) -> int:
    """Draw one transfer with its interrupts and wakes in the terminal.

    \b
    Examples:
      tracecheck show capture.sr 3
      tracecheck show capture.sr 12 --bus i2c1 --width 160
      tracecheck show capture.sr 0 --marker irq=D2 --marker run=D3

    \b
    Time is not to scale: a bit takes one column or more, and what is dashed
    lasts longer than it is drawn; the axis gives the times from START. A column
    in which a line goes up and down has a glyph of its own, and where a line
    changes more often than that the column is shaded.
    """
    from tracecheck.cli.show import run

    select = [name for name in bus or () if ":" not in name]
    declared = [text for text in bus or () if ":" in text]
    return run(
        capture,
        transfer,
        select,
        width,
        Lines(scl, sda, declared, marker or ()),
        rules or [],
        Reading(samplerate, max_samples, device, unitsize),
        quiet,
    )


@app.command()
def record(
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE.sr", help="Write the recording there, as a sigrok session."),
    ] = None,
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
        int | None, typer.Option("--samples", metavar="N", min=1, help="With --driver: so many samples.")
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
    """Record a bus: from a logic analyzer, or from a firmware on the emulated Pico.

    \b
    Examples:
      tracecheck record --list
      tracecheck record --driver fx2lafw --samplerate 24MHz --time 2s -o x.sr
          --channel D0=SDA --channel D1=SCL --channel D2=IRQ --rules board.toml
      tracecheck record --driver fx2lafw --samples 1000000 --trigger D0=f -o x.sr
      tracecheck record --emulate fw.elf --ms 50 -o x.sr --target 0x68=registers
      tracecheck record --emulate fw.elf -o x.sr --target 0x50=eeprom,write=3ms
      tracecheck record --emulate fw.elf -o x.sr --target i2c1:0x3C=display
      tracecheck record --emulate fw.elf -o x.sr --pin IRQ=2 --rules irq-only
      tracecheck record --emulate fw.elf -o x.sr --fault nack,chance=0.1,seed=7
      tracecheck record --emulate fw.elf -o x.sr --rules embassy-rp --rules i2c

    \b
    --driver runs sigrok-cli (on Debian: apt install sigrok-cli). A recording that
    breaks off, because the device was unplugged say, is kept as x.partial.sr.

    \b
    Targets, ADDRESS=KIND[,option=value]:
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
      hog-executor     duration=300us, interrupt=0: another task runs
      xip-cold         miss=1us: the flash cache is empty at START
      stretch          duration=100us, byte=0: the target holds SCL
      hang-sda         duration=1ms or forever, byte=1: it holds SDA
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
    check(driver, emulate, output, of_device, of_emulation, list_devices=list_devices)
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


@app.command()
def export(
    capture: opt.CaptureFile,
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="FILE|FOLDER", help="Write there; it appears whole or not at all."),
    ],
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="vcd, perfetto, sr, or all tables as csv, jsonl, parquet, arrow. Default: by FILE's name.",
        ),
    ] = None,
    around: Annotated[
        str | None,
        typer.Option("--around", metavar="WHERE", help="Only what lies around this: RULE, RULE:2, transfer:7, 3.44ms."),
    ] = None,
    margin: Annotated[
        str, typer.Option("--margin", metavar="TIME", help="With --around: so much more on either side.")
    ] = "200us",
    lines_only: Annotated[
        bool, typer.Option("--lines-only", help="With vcd: without decoded text, of which sigrok warns.")
    ] = False,
    rules: Annotated[
        list[str] | None,
        typer.Option("--rules", metavar="FILE|PRESET", help="Judge by these rules, as analyze does."),
    ] = None,
    expect: Annotated[
        list[str] | None, typer.Option("--expect", metavar="RULE", help="A rule in one line, as for analyze.")
    ] = None,
    scl: opt.Scl = None,
    sda: opt.Sda = None,
    bus: opt.Buses = None,
    marker: opt.Markers = None,
    samplerate: opt.Samplerate = None,
    max_samples: opt.MaxSamples = None,
    device: opt.Device = None,
    unitsize: opt.Unitsize = None,
    quiet: opt.Quiet = False,
) -> int:
    """Write a capture, or a piece of it, as other programs read it.

    \b
    Examples:
      tracecheck export capture.sr -o finding.sr --around embassy-wake
      tracecheck export capture.sr -o piece.sr --around transfer:7 --margin 1ms
      tracecheck export capture.sr -o capture.vcd
      tracecheck export capture.sr -o capture.pftrace --rules board.toml
      tracecheck export capture.sr --to parquet -o tables/

    \b
    Formats:
      sr        a sigrok session cut out around something, for PulseView
      vcd       the lines, and what was decoded as text, for GTKWave and others
      perfetto  transfers, interrupts, task runs and findings on tracks, for
                https://ui.perfetto.dev
      csv, jsonl, parquet, arrow
                every table, a file each, in a new folder
    One table into one file: tracecheck decode --table.

    \b
    --around takes
      RULE, RULE:2           the first finding of a rule, the second
      transfer:7, i2c1:7     a transfer, by its number on its bus
      3.44ms                 an instant
    """
    from tracecheck.cli.export import Request, run

    return run(
        Request(
            capture=capture,
            output=output,
            to=to,
            around=around,
            margin=margin,
            lines_only=lines_only,
            rules=rules or [],
            expect=expect or [],
            lines=Lines(scl, sda, bus or (), marker or ()),
            reading=Reading(samplerate, max_samples, device, unitsize),
            quiet=quiet,
        )
    )


@app.command()
def watch(
    source: Annotated[
        str | None,
        typer.Argument(metavar="[SOURCE]", help="A file, or - for standard input: raw samples or a VCD."),
    ] = None,
    driver: Annotated[
        str | None,
        typer.Option(
            "--driver", metavar="NAME", help="Watch a logic analyzer, through sigrok-cli's driver of that name."
        ),
    ] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option("--channel", metavar="D0=SCL", help="With --driver: what a channel is called; again for more."),
    ] = None,
    rules: Annotated[
        list[str] | None,
        typer.Option("--rules", metavar="FILE|PRESET", help="Judge by these rules, as analyze does."),
    ] = None,
    expect: Annotated[
        list[str] | None, typer.Option("--expect", metavar="RULE", help="A rule in one line, as for analyze.")
    ] = None,
    scl: opt.Scl = None,
    sda: opt.Sda = None,
    bus: opt.Buses = None,
    marker: opt.Markers = None,
    samplerate: opt.Samplerate = None,
    unitsize: opt.Unitsize = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="The file grows: wait for more at its end, until Ctrl-C.")
    ] = False,
    save: Annotated[
        str | None,
        typer.Option("--save", metavar="FOLDER", help="Save what lies around each failure there, as a sigrok session."),
    ] = None,
    margin: Annotated[
        str, typer.Option("--margin", metavar="TIME", help="With --save: so much on either side.")
    ] = "2ms",
    save_at_most: Annotated[
        int, typer.Option("--save-at-most", metavar="N", min=1, help="With --save: no more files than this.")
    ] = 100,
    stop_on: Annotated[
        opt.Severity | None, typer.Option("--stop-on", help="Stop at the first failure of this severity or above.")
    ] = None,
    lasting: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="Stop after so much of the stream: 10s.")
    ] = None,
    output_format: Annotated[
        Literal["text", "jsonl"], typer.Option("--format", help="A line a finding, for people or for programs.")
    ] = "text",
    fail_on: Annotated[
        opt.Severity, typer.Option("--fail-on", help="Exit with 1 for failed rules of this severity and above.")
    ] = "error",
    strict: Annotated[bool, typer.Option("--strict", help="Tell what could not be decided, and exit with 2.")] = False,
    quiet: opt.Quiet = False,
) -> int:
    """Judge a stream as it comes: findings at once, statistics at the end.

    \b
    Examples:
      tracecheck watch --driver fx2lafw --samplerate 24MHz --channel D0=SCL
          --channel D1=SDA --channel D2=IRQ --channel D3=RUN --rules board.toml
      tracecheck watch growing.bin --follow --unitsize 1 --samplerate 24MHz
          --scl 0 --sda 1 --marker irq=2
      simulator | tracecheck watch - --rules board.toml --stop-on error

    \b
    Decodes and judges as analyze does, in memory that does not grow. A finding is
    told once it is certain: after its exchange has closed (settle, 5 ms).
    Ctrl-C and SIGTERM end the watching with the statistics, not in an error.
    The last samples are kept, so that --save can write what came before, too.

    \b
    Exit codes, as of analyze: 0 no rule failed, 1 a rule failed, 2 could not check.
    """
    from tracecheck.cli.watch import Request, run

    return run(
        Request(
            source=source,
            driver=driver,
            channels=channel or [],
            rules=rules or [],
            expect=expect or [],
            lines=Lines(scl, sda, bus or (), marker or ()),
            reading=Reading(samplerate, None, None, unitsize),
            follow=follow,
            save=save,
            margin=margin,
            save_at_most=save_at_most,
            stop_on=stop_on,
            lasting=lasting,
            output_format=output_format,
            fail_on=fail_on,
            strict=strict,
            quiet=quiet,
        )
    )


@app.command()
def convert(
    capture: opt.CaptureFile,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Write there; it appears whole or not at all.")
    ],
    to: Annotated[
        str | None, typer.Option("--to", metavar="FORMAT", help="sr or vcd. Default: by FILE's name.")
    ] = None,
    line: Annotated[
        list[str] | None,
        typer.Option("--line", metavar="CHANNEL", help="Keep this channel only; give it again for more."),
    ] = None,
    samplerate: opt.Samplerate = None,
    max_samples: opt.MaxSamples = None,
    device: opt.Device = None,
    unitsize: opt.Unitsize = None,
    quiet: opt.Quiet = False,
) -> int:
    """Write a capture of any format as a sigrok session or a VCD.

    \b
    Examples:
      tracecheck convert simulation.vcd -o simulation.sr --samplerate 24MHz
      tracecheck convert export/digital_0.bin -o x.sr --samplerate 100MHz
      tracecheck convert samples.bin --unitsize 2 --samplerate 24MHz -o x.sr
      tracecheck convert capture.sr -o bus.vcd --line SCL --line SDA

    \b
    Reads sigrok sessions, VCD, FST (GTKWave), CSV of sigrok and of Saleae,
    Saleae's binary export, and raw binary; gzip or Zstandard may be around it.
    What is written has the same samples, for the channels that are kept.
    """
    from tracecheck.cli.convert import Request, run

    reading = Reading(samplerate, max_samples, device, unitsize)
    return run(Request(capture=capture, output=output, to=to, lines=line or [], reading=reading, quiet=quiet))


@app.command()
def compare(
    base: Annotated[str, typer.Argument(metavar="BASE", help="A capture, or a baseline file.")],
    new: Annotated[str | None, typer.Argument(metavar="NEW", help="The capture to compare with it.")] = None,
    save_baseline: Annotated[
        str | None, typer.Option("--save-baseline", metavar="FILE", help="Write what is compared of BASE there.")
    ] = None,
    rules: Annotated[
        list[str] | None,
        typer.Option(
            "--rules",
            metavar="FILE|PRESET",
            help="Compare the times of these rules. Default: the presets that fit.",
            autocompletion=opt.preset_names,
        ),
    ] = None,
    tolerance: Annotated[
        str, typer.Option("--tolerance", metavar="PERCENT", help="How much longer a time may be.")
    ] = "20%",
    output_format: Annotated[opt.TextOrJson, typer.Option("--format", help="For people, or for programs.")] = "text",
    scl: opt.Scl = None,
    sda: opt.Sda = None,
    bus: opt.Buses = None,
    marker: opt.Markers = None,
    samplerate: opt.Samplerate = None,
    max_samples: opt.MaxSamples = None,
    device: opt.Device = None,
    unitsize: opt.Unitsize = None,
    quiet: opt.Quiet = False,
) -> int:
    """What got slower between two captures, by rule and by shape of transfer.

    \b
    Examples:
      tracecheck compare before.sr after.sr
      tracecheck compare before.sr --save-baseline base.json
      tracecheck compare base.json after.sr --tolerance 10% --rules board.toml

    \b
    Exit codes: 0 nothing longer than the tolerance allows, 1 a time is, or a rule
    that passed fails now, 2 nothing in common or something cannot be read.
    """
    from tracecheck.cli.compare import Request, run

    return run(
        Request(
            base=base,
            new=new,
            rules=rules or [],
            lines=Lines(scl, sda, bus or (), marker or ()),
            reading=Reading(samplerate, max_samples, device, unitsize),
            tolerance=tolerance,
            save=save_baseline,
            output_format=output_format,
            quiet=quiet,
        )
    )


@app.command()
def mutate(
    capture: opt.CaptureFile,
    rules: Annotated[
        list[str] | None,
        typer.Option(
            "--rules",
            metavar="FILE|PRESET",
            help="The rules to test; give it again for more.",
            autocompletion=opt.preset_names,
        ),
    ] = None,
    expect: Annotated[
        list[str] | None, typer.Option("--expect", metavar="RULE", help="A rule in one line, as analyze takes it.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Which places are taken; the same N, the same.")] = 0,
    sites: Annotated[
        int,
        typer.Option(
            "--sites", metavar="N", min=1, help="Places of each sort: each fault, bound and shape of transfer."
        ),
    ] = 1,
    fail_on: Annotated[
        opt.Severity, typer.Option("--fail-on", help="A fault is caught by a failed rule of this severity or above.")
    ] = "note",
    scl: opt.Scl = None,
    sda: opt.Sda = None,
    bus: opt.Buses = None,
    marker: opt.Markers = None,
    samplerate: opt.Samplerate = None,
    max_samples: opt.MaxSamples = None,
    device: opt.Device = None,
    unitsize: opt.Unitsize = None,
    output_format: Annotated[opt.TextOrJson, typer.Option("--format", help="For people, or for programs.")] = "text",
    output: opt.OutputFile = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="The verdict only.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Every fault that could not be seen, too.")] = False,
) -> int:
    """Test your rules: inject faults into a capture that passes, and see which rules catch which.

    \b
    Examples:
      tracecheck mutate good.sr --rules board.toml
      tracecheck mutate good.sr --rules three-pin --rules embassy-rp --rules i2c
      tracecheck mutate good.sr --rules board.toml --fail-on error
      tracecheck mutate good.sr --rules board.toml --seed 7 --sites 5
      tracecheck mutate good.sr --rules board.toml --format json -o mutants.json

    \b
    Interrupts and wakes are left out, doubled, swapped, and made 1.5 times as late
    as each rule allows; START, STOP and ACK are taken away, the clock is held,
    pulses and wrong bits are put in, the recording is cut. Each is done to the
    edges and judged as a recording would be. What survives is a blind spot of the
    rules, listed with its transfer. What this scheme of marker pins cannot show is
    told apart: docs/mutate.md has the table.

    \b
    Exit codes: 0 every fault that can be seen was caught, 1 some survived, 2 could
    not check: no rules, or the capture does not pass to begin with.
    """
    from tracecheck.cli.mutate import Request, run

    return run(
        Request(
            capture=capture,
            rules=rules or [],
            expect=expect or [],
            seed=seed,
            sites=sites,
            fail_on=fail_on,
            lines=Lines(scl, sda, bus or (), marker or ()),
            reading=Reading(samplerate, max_samples, device, unitsize),
            output_format=output_format,
            output=output,
            quiet=quiet,
            verbose=verbose,
        )
    )


@rules_app.callback()
def _rules() -> None:
    """Rule files: what ships, and what is wrong with yours.

    \b
    Examples:
      tracecheck rules list
      tracecheck rules show embassy-rp
      tracecheck rules explain embassy-wake
      tracecheck rules show i2c --raw > mine.toml
      tracecheck rules lint mine.toml
      tracecheck rules init good.sr -o mine.toml
    """


@rules_app.command("list")
def rules_list() -> int:
    """The presets that ship with tracecheck, and the kinds of rule there are."""
    from tracecheck.cli.rules import list_all

    return list_all()


@rules_app.command("show")
def rules_show(
    name: Annotated[
        str, typer.Argument(metavar="FILE|PRESET", help="A preset or a rule file.", autocompletion=opt.preset_names)
    ],
    raw: Annotated[bool, typer.Option("--raw", help="The TOML of a preset, to begin a file of your own with.")] = False,
) -> int:
    """Every rule of a preset or file, in words, with its reason."""
    from tracecheck.cli.rules import show_one

    return show_one(name, raw=raw)


@rules_app.command("explain")
def rules_explain(
    name: Annotated[str, typer.Argument(metavar="ID|KIND", help="A rule's id, or a kind of rule.")],
    rules: Annotated[
        list[str] | None,
        typer.Option("--rules", metavar="FILE|PRESET", help="Where the rule is; default: the presets."),
    ] = None,
    as_format: Annotated[opt.TextOrJson, typer.Option("--format", help="Words, or an object for programs.")] = "text",
) -> int:
    """What a rule asks and why, of which transfers, within which bounds, and what passes and fails it.

    \b
    Examples:
      tracecheck rules explain embassy-refill-deadline
      tracecheck rules explain response
      tracecheck rules explain wake-after-interrupt --rules board.toml --format json
    """
    from tracecheck.cli.rules import explain_one

    return explain_one(name, files=rules or [], as_json=as_format == "json")


@rules_app.command("lint")
def rules_lint(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Rule files.")],
) -> int:
    """Every mistake in rule files, each with file, line and column. Exit code 0: none, 2: some."""
    from tracecheck.cli.rules import lint_all

    return lint_all(files)


@rules_app.command("init")
def rules_init(
    capture: opt.CaptureFile,
    output: opt.OutputFile = None,
    margin: Annotated[
        str, typer.Option("--margin", metavar="PERCENT", help="How far beyond the longest time seen a bound is put.")
    ] = "50%",
    force: Annotated[bool, typer.Option("--force", help="Write over FILE where there is one.")] = False,
    scl: opt.Scl = None,
    sda: opt.Sda = None,
    bus: opt.Buses = None,
    marker: opt.Markers = None,
    rules: opt.WiringRules = None,
    samplerate: opt.Samplerate = None,
    max_samples: opt.MaxSamples = None,
    device: opt.Device = None,
    unitsize: opt.Unitsize = None,
    quiet: opt.Quiet = False,
) -> int:
    """A rule file learned from a good capture, commented, to be edited.

    \b
    Examples:
      tracecheck rules init good.sr
      tracecheck rules init good.sr -o mine.toml --margin 100%
      tracecheck rules init good.sr -o mine.toml --marker irq=D2 --marker run=D3

    \b
    Written down are the pins, the presets that fit, how long interrupts and
    wakes took, and for each shape of transfer its orders and its count of
    interrupts. On the capture it was learned from the file passes.
    """
    from tracecheck.cli.learn import run

    lines = Lines(scl, sda, bus or (), marker or ())
    reading = Reading(samplerate, max_samples, device, unitsize)
    return run(capture, output, margin, lines, rules or [], reading, force=force, quiet=quiet)
