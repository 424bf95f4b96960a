"""The page: targets, ratios, times, memory, cores, and where the time goes. Every figure in it is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from . import ratios, session
from .kinds import KINDS
from .ratios import MB
from .session import SIGROK, Figures, StartUp
from .targets import TARGETS, Judged, judge, judge_start_up, spell

STAGES = {
    "libdeflate": "inflate, CRC",
    "edges": "scan for edges",
    "decode": "I2C, markers' edges",
    "tables": "Arrow tables",
    "tables+rules": "rules",
}
"""Each job does what the one before it does, and one thing more."""


@dataclass(frozen=True, slots=True)
class Run:
    """All of one run. `sigrok`: its version, None where it is not installed."""

    captures: Sequence[Figures]
    start_up: StartUp
    rounds: int
    sigrok: str | None
    machine: str
    date: str


def page(run: Run, plot: str) -> str:
    """Markdown; `plot` is the picture's name beside it."""
    return "\n\n".join(_parts(run, plot)) + "\n"


def judged(run: Run) -> list[Judged]:
    return [*(judge(target, run.captures) for target in TARGETS), *judge_start_up(run.start_up)]


def verdicts(run: Run) -> str:
    """One line: `9 targets reached, 2 missed, 1 not measured`."""
    found = [each.verdict for each in judged(run)]
    return (
        f"{found.count('reached')} targets reached, {found.count('missed')} missed, "
        f"{found.count('not measured')} not measured"
    )


def _parts(run: Run, plot: str) -> Iterator[str]:
    yield "# Speed"
    yield (
        "Synthetic captures at 24 MS/s, made by `benchmarks/captures.py` and measured by `make bench`. Times are CPU "
        f"time, user and system together, medians of {run.rounds} interleaved rounds of one run (of {session.FEW} from "
        f"{spell(session.LONG)} samples on), in process after a first round that is not counted. zlib inflates in "
        "windows of 256 KiB and compares no CRC; libdeflate is the one that is compiled into tracecheck, in its own "
        "windows, and computes CRCs."
    )
    if run.sigrok is None:
        yield "**sigrok-cli is not installed here: nothing is compared with it, and no such target counts as reached.**"
    if run.captures:
        yield f"![Samples a second, by kind of capture and by its length]({plot})"
    yield f"## Targets\n\n{verdicts(run)}.\n\n{_targets(judged(run))}"
    for samples in sorted({f.samples for f in run.captures}):
        these = [f for f in run.captures if f.samples == samples]
        yield f"## {spell(samples)} samples\n\n{_ratios(these)}\n\nMilliseconds:\n\n{_milliseconds(these)}"
        yield f"Where the time goes, in shares of tables and rules together:\n\n{_stages(these)}"
        yield f"Peak memory in MB, over that of a process that imports the same:\n\n{_memory(these)}"
        yield f"Wall time of decoding to tables, in milliseconds:\n\n{_cores(these)}"
    yield f"## Start-up\n\nCPU time of whole processes on committed captures.\n\n{_start_up(run.start_up)}"
    yield f"## What was measured\n\n{_kinds(run.captures)}"
    yield (
        "- decode: edges become rows in NumPy, with all anomalies; tables: the same in Arrow, all tables but the "
        "timeline; analyze: decoded and judged as `tracecheck.analyze` does, no tables kept.\n"
        "- `tracecheck decode` and `analyze` are whole processes that print text, with the interpreter's start and all "
        f"imports, run at most {session.PROCESS_RUNS} times; so does sigrok-cli (`-P i2c -A i2c`), and once where it "
        f"takes longer than {session.PATIENCE_S} s."
    )
    sigrok = run.sigrok or "no sigrok-cli"
    yield f"{run.machine}, {sigrok}; {run.date}."


def _title(name: str) -> str:
    """`tracecheck decode` for what is a process of ours."""
    return f"`tracecheck {name.split(maxsplit=1)[0]}`" if name in session.PROCESSES else name.replace("+", " + ")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    marks = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, marks, *rows))


def _targets(found: Sequence[Judged]) -> str:
    rows = []
    for each in found:
        bound = f"{'at least' if each.least else 'at most'} {each.bound:g}x"
        worst = "" if each.worst is None else f"{_short(each.worst)} ({each.where})"
        rows.append([each.what, bound, worst, _said(each)])
    return _table(["", "target", "worst", ""], rows)


def _said(each: Judged) -> str:
    if each.verdict == "missed":
        return f"**missed** by {each.off:.0%}, on {each.missed} of {each.measured} captures"
    if each.verdict == "not measured":
        return f"not measured: {each.missing}"
    return f"reached on {each.measured} captures" if each.measured > 1 else "reached"


def _short(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.0f}x" if ratio >= 10 else f"{ratio:.2f}x"


_RATIOS: dict[str, Callable[[Figures], float | None]] = {
    "tables / zlib": ratios.times("tables", "zlib"),
    "tables / libdeflate": ratios.times("tables", "libdeflate"),
    "(tables + rules - decode) / decode": ratios.rules_over_decode,
    "sigrok-cli / tables": ratios.faster("tables"),
    "sigrok-cli / analyze": ratios.faster("analyze"),
    "sigrok-cli / `tracecheck decode`": ratios.faster("decode process"),
    "sigrok-cli / `tracecheck analyze`": ratios.faster("analyze process"),
}


def _ratios(these: Sequence[Figures]) -> str:
    rows = [[f.kind, *(_short(ratio(f)) for ratio in _RATIOS.values())] for f in these]
    return _table(["", *_RATIOS], rows)


def _milliseconds(these: Sequence[Figures]) -> str:
    names = [*session.IN_PROCESS, *session.PROCESSES, SIGROK]
    rows = [[f.kind, *(f"{f.cpu[name] * 1e3:,.1f}" if name in f.cpu else "" for name in names)] for f in these]
    return _table(["", *map(_title, names)], rows)


def _stages(these: Sequence[Figures]) -> str:
    rows = []
    for f in these:
        steps = [0.0, *(f.cpu[name] for name in STAGES)]
        rows.append([f.kind, *(f"{(after - before) / steps[-1]:.0%}" for before, after in pairwise(steps))])
    return _table(["", *STAGES.values()], rows)


def _memory(these: Sequence[Figures]) -> str:
    head = ["", "rows", "allowed with tables", "tables", "tables + rules", "allowed without", "analyze"]
    head += [_title(name) for name in session.PROCESSES]
    rows = []
    for f in these:
        kept, flat = (f"{ratios.limit(job, f) / MB:.1f}" for job in ("tables", "analyze"))
        over = {job: f"{(f.peak[job] - f.imports[job]) / MB:.1f}" for job in f.imports}
        cells = [f.kind, f"{f.facts['rows']:,}", kept, over["tables"], over["tables+rules"], flat, over["analyze"]]
        own = f"{f.peak[SIGROK] / MB:.1f}" if SIGROK in f.peak else ""
        rows.append([*cells, *(over[name] for name in session.PROCESSES), own])
    return _table([*head, "sigrok-cli, all"], rows)


def _cores(these: Sequence[Figures]) -> str:
    rows = []
    for f in these:
        walls = [f"{f.cores[n] * 1e3:,.1f}" for n in (1, 2)] if f.cores else ["", ""]
        rows.append([f.kind, *walls, _short(ratios.two_cores(f)) or "not measured: there is one core"])
    return _table(["", "one core", "two cores", "two / one"], rows)


def _start_up(start_up: StartUp) -> str:
    rows = [["`import pyarrow`", f"{start_up.pyarrow * 1e3:,.0f}", ""]]
    for name, seconds in start_up.analyze.items():
        rows.append([f"analyze, {name}", f"{seconds * 1e3:,.0f}", _short(seconds / start_up.pyarrow)])
    return _table(["", "ms", "in imports of pyarrow"], rows)


def _kinds(captures: Sequence[Figures]) -> str:
    longest = {f.kind: f for f in sorted(captures, key=lambda f: f.samples)}
    rows = []
    for kind in dict.fromkeys(f.kind for f in captures):
        f = longest[kind]
        size = f"{f.file_bytes / MB:,.2f} ({spell(f.samples)})"
        rows.append([kind, KINDS[kind], f"{f.facts['rules']} ({f.facts['presets']})", size])
    return _table(["kind", "", "rules that fit", "MB of file"], rows)
