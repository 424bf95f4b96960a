"""Options that several commands share, spelled once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from tracecheck.report.formats import FORMATS

CaptureFile: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="CAPTURE", help="A capture file, or - for standard input; the format is recognised by content."
    ),
]
Scl: TypeAlias = Annotated[
    str | None, typer.Option("--scl", metavar="CHANNEL", help="Channel of SCL, by name or bit number.")
]
Sda: TypeAlias = Annotated[
    str | None, typer.Option("--sda", metavar="CHANNEL", help="Channel of SDA, by name or bit number.")
]
Buses: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--bus", metavar="NAME:scl=..,sda=..", help="One bus of several; give it again for each."),
]
Markers: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--marker",
        metavar="NAME=CHANNEL[:CODING]",
        help="A marker pin; irq, pending and run have their roles. CODING: level (the default), level-low, pulse-count "
        "(1 pulse is irq, 2 are run), pulse-count=N.",
    ),
]
WiringRules: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--rules", metavar="FILE|PRESET", help="Take buses and markers from this rule file."),
]
Samplerate: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--samplerate",
        metavar="RATE",
        help='Where the file says none or a wrong one: "24MHz", "500k". VCD and CSV with times go on its grid.',
    ),
]
MaxSamples: TypeAlias = Annotated[
    int | None, typer.Option("--max-samples", metavar="N", help="Refuse captures that declare more samples.")
]
Device: TypeAlias = Annotated[
    int | None,
    typer.Option("--device", metavar="N", help="Of a session that holds several devices, the one to read."),
]
Unitsize: TypeAlias = Annotated[
    int | None,
    typer.Option("--unitsize", metavar="BYTES", help="The file is raw binary, with so many bytes a sample."),
]
Stacks: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--stack",
        metavar="DECODER[:OPTION=VALUE]",
        help="Run this decoder of sigrok on the bus; with a comma, one on another. Give it again for more.",
    ),
]
OutputFile: TypeAlias = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write the result there; it appears whole or not at all."),
]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="No notes, no progress.")]
Severity: TypeAlias = Literal["error", "warning", "note"]
TextOrJson: TypeAlias = Literal["text", "json"]
ReportFormat: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help=f"What is printed, or written with -o: {', '.join(FORMATS)}. Default: as FILE ends, or text.",
        autocompletion=lambda incomplete: [name for name in FORMATS if name.startswith(incomplete)],
    ),
]
Reports: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--report", metavar="FORMAT=FILE", help="Write this format there as well; give it again for more."),
]


def preset_names(incomplete: str) -> list[str]:
    """Presets that begin so: for shell completion, which must not load the rule language."""
    folder = Path(__file__).parent.parent / "rules" / "presets"
    return sorted(f.stem for f in folder.glob("*.toml") if f.stem.startswith(incomplete))
