"""The benchmark's own arithmetic, and that it says what it did not measure. No time is judged here."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import captures
from benchmarks.speed import inflates, ratios, session, targets
from benchmarks.speed.__main__ import count
from benchmarks.speed.children import ChildError, Usage, Worker, run
from benchmarks.speed.imports import modules_of
from benchmarks.speed.kinds import KINDS
from benchmarks.speed.page import Run, page, verdicts
from benchmarks.speed.plot import draw
from benchmarks.speed.session import Figures, StartUp

ROOT = Path(__file__).parent.parent
CPU = {
    "zlib": 0.5,
    "libdeflate": 0.1,
    "edges": 0.12,
    "decode": 0.16,
    "tables": 0.2,
    "tables+rules": 0.28,
    "analyze": 0.25,
    "decode process": 0.6,
    "analyze process": 0.5,
    "sigrok-cli": 40.0,
}
PEAKS = {
    "tables": 190_000_000,
    "tables+rules": 194_000_000,
    "analyze": 80_000_000,
    "decode process": 130_000_000,
    "analyze process": 90_000_000,
    "sigrok-cli": 20_000_000,
}
IMPORTS = {
    "tables": 100_000_000,
    "tables+rules": 100_000_000,
    "analyze": 60_000_000,
    "decode process": 100_000_000,
    "analyze process": 60_000_000,
}
FACTS: dict[str, int | str] = {"rows": 1_000_000, "rules": 10, "presets": "i2c", "judged": 1, "findings": 0}


def figures(kind: str = "b400k30", samples: int = 1_000_000_000, **other: Any) -> Figures:
    made = Figures(kind, samples, 8_000_000, CPU, dict.fromkeys(CPU, 3), {1: 0.4, 2: 0.24}, PEAKS, IMPORTS, FACTS)
    return replace(made, **other)


def everything(**other: Any) -> list[Figures]:
    return [figures(kind, **other) for kind in KINDS]


def a_run(these: Sequence[Figures], sigrok: str | None = "sigrok-cli 0.7.2") -> Run:
    return Run(these, StartUp(0.2, {"without findings": 0.5, "with findings": 0.7}), 5, sigrok, "a machine", "today")


def of(what: str, these: Sequence[Figures]) -> targets.Judged:
    (target,) = [target for target in targets.TARGETS if target.what == what]
    return targets.judge(target, these)


def test_ratios_are_what_their_names_say() -> None:
    one = figures()
    assert ratios.times("tables", "zlib")(one) == pytest.approx(0.4)
    assert ratios.faster("tables")(one) == pytest.approx(200)
    assert ratios.faster("analyze process")(one) == pytest.approx(80)
    assert ratios.rules_over_decode(one) == pytest.approx(0.75)
    assert ratios.over_imports("tables")(one) == 90_000_000
    assert ratios.of_limit("tables")(one) == pytest.approx(90 / (40 + 64))
    assert ratios.of_limit("analyze")(one) == pytest.approx(0.5)
    assert ratios.two_cores(one) == pytest.approx(0.6)


def test_what_is_not_there_is_no_ratio() -> None:
    without = figures(cpu={k: v for k, v in CPU.items() if k != "sigrok-cli"}, cores={})
    assert ratios.faster("tables")(without) is None
    assert ratios.two_cores(without) is None


def test_the_worst_capture_decides() -> None:
    slow = figures("a100k30", cpu={**CPU, "tables": 0.45})
    found = of("decode to Arrow tables, in zlib inflates", [*everything(), slow])
    assert (found.verdict, found.worst, found.where) == ("missed", pytest.approx(0.9), "a100k30, 1 G")
    assert (found.missed, found.measured) == (1, 5)
    assert found.off == pytest.approx(0.5)


def test_at_least_is_missed_from_below() -> None:
    slow = figures("dense", cpu={**CPU, "tables": 0.5})
    found = of("decode to Arrow tables, faster than sigrok-cli", [*everything(), slow])
    assert (found.verdict, found.worst, found.where) == ("missed", pytest.approx(80), "dense, 1 G")
    assert found.off == pytest.approx(0.2)
    exactly = [replace(each, cpu={**CPU, "tables": 0.4}) for each in everything()]
    assert of("decode to Arrow tables, faster than sigrok-cli", exactly).verdict == "reached"


@pytest.mark.parametrize(
    ("these", "missing"),
    [
        ([], "no capture of 100 M samples"),
        (everything(samples=10_000_000), "no capture of 100 M samples"),
        (everything()[1:], "no i400k02 of 100 M samples"),
        ([replace(f, cpu={"tables": 0.1}) for f in everything()], "sigrok-cli is not installed"),
    ],
)
def test_what_was_not_measured_is_not_reached(these: list[Figures], missing: str) -> None:
    found = of("decode to Arrow tables, faster than sigrok-cli", these)
    assert (found.verdict, found.missing) == ("not measured", missing)


def test_what_was_missed_is_missed_though_not_all_was_measured() -> None:
    found = of("tables and rules together, in decodes", [figures("dense", cpu={**CPU, "tables+rules": 0.4})])
    assert found.verdict == "missed"


def test_one_core_is_no_two() -> None:
    found = of("wall time on two cores, in that on one", everything(cores={}))
    assert (found.verdict, found.missing) == ("not measured", "there is one core only")


def test_the_page_says_what_was_reached_and_by_how_much_not() -> None:
    one = a_run([*everything(samples=100_000_000), *everything()])
    assert verdicts(one) == "12 targets reached, 1 missed, 0 not measured"
    text = page(one, "x.svg")
    assert (
        "| wall time on two cores, in that on one | at most 0.65x | 0.60x (i400k02, 1 G) | reached on 4 captures |"
        in text
    )
    assert (
        "with findings, in imports of pyarrow | at most 3x | 3.50x (whole process) | **missed** by 17%, on 1 of 1"
        in text
    )
    assert text.count("\n## 100 M samples\n") == text.count("\n## 1 G samples\n") == 1
    assert "| b400k30 | 36% | 7% | 14% | 14% | 29% |" in text
    assert "![Samples a second, by kind of capture and by its length](x.svg)" in text


def test_the_page_says_that_sigrok_is_not_there() -> None:
    cpu = {name: seconds for name, seconds in CPU.items() if name != "sigrok-cli"}
    peaks = {name: peak for name, peak in PEAKS.items() if name != "sigrok-cli"}
    one = a_run(everything(cpu=cpu, peak=peaks), None)
    text = page(one, "x.svg")
    assert verdicts(one) == "9 targets reached, 1 missed, 3 not measured"
    assert text.count("not measured: sigrok-cli is not installed") == 3
    assert (
        "**sigrok-cli is not installed here: nothing is compared with it, and no such target counts as reached.**"
        in text
    )


def test_the_plot_is_an_image_and_the_same_each_time(tmp_path: Path) -> None:
    these = [*everything(samples=100_000_000), figures(), figures("dense", cpu={"tables": 1.0, "decode process": 2.0})]
    for name in ("a.svg", "b.svg"):
        draw(these, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    texts = {element.text for element in ET.parse(tmp_path / "a.svg").iter("{http://www.w3.org/2000/svg}text")}
    assert {*KINDS, "sigrok-cli", "In process, 100 M samples", "Whole processes, b400k30"} <= texts


def test_every_kind_that_is_made_is_explained() -> None:
    assert KINDS.keys() == captures.KINDS.keys()
    assert set(targets.LONG_KINDS) <= set(KINDS)


class FakeWorker:
    log: list[str] = []  # noqa: RUF012

    def __init__(self, capture: Path, cores: int | None = None) -> None:
        self.cores = cores

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, job: str) -> Usage:
        self.log.append(job if self.cores is None else f"{job} on {self.cores}")
        return Usage(1.0, 1.0)


@pytest.mark.parametrize(("seconds", "runs"), [(1.0, 3), (11.0, 1)])
def test_rounds_are_interleaved_and_a_slow_peer_runs_once(
    monkeypatch: pytest.MonkeyPatch, seconds: float, runs: int
) -> None:
    log = FakeWorker.log = []

    def fake(command: Sequence[str], **_: object) -> Usage:
        log.append("sigrok-cli" if command[0] == "sigrok-cli" else f"{command[3]} process")
        return Usage(1.0, seconds if command[0] == "sigrok-cli" else 1.0, 7)

    monkeypatch.setattr(session, "Worker", FakeWorker)
    monkeypatch.setattr(session, "run", fake)
    taken = session._times(Path("x.sr"), 5, with_sigrok=True)
    names = [*session.IN_PROCESS, *session.PROCESSES, "sigrok-cli"]
    assert {name: len(each) for name, each in taken.items()} == {
        **dict.fromkeys(session.IN_PROCESS, 5),
        **dict.fromkeys(session.PROCESSES, 3),
        "sigrok-cli": runs,
    }
    warm = len(session.IN_PROCESS)
    assert log[:warm] == list(session.IN_PROCESS)
    assert log[warm : warm + len(names)] == names
    assert log[warm + len(names)] == names[1]


def test_cores_are_compared_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    log = FakeWorker.log = []
    monkeypatch.setattr(session, "Worker", FakeWorker)
    monkeypatch.setattr(session.os, "sched_getaffinity", lambda _: {0, 1})
    assert session._on_cores(Path("x.sr"), 2) == {1: 1.0, 2: 1.0}
    assert log == ["tables on 1", "tables on 2"] * 3
    monkeypatch.setattr(session.os, "sched_getaffinity", lambda _: {1})
    assert session._on_cores(Path("x.sr"), 2) == {}


def test_memory_of_imports_is_that_of_the_same_imports() -> None:
    """Asked of a small process, as the benchmark is one: a child's peak is never below that of who started it."""
    modules = modules_of(["decode", str(session.SMALL["without findings"])])
    assert {"numpy", "tracecheck._i2c"} <= set(modules)
    program = "import sys; from benchmarks.speed.imports import imported; print(imported(tuple(sys.argv[1:])))"
    peaks = [
        int(subprocess.run([sys.executable, "-c", program, *these], capture_output=True, check=True, cwd=ROOT).stdout)
        for these in (modules, ["json"])
    ]
    assert peaks[0] > peaks[1] + 10_000_000


def test_who_measures_is_small() -> None:
    program = "import sys, benchmarks.speed.__main__; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "benchmarks.speed.session" in done.stdout.split()
    assert not {"tracecheck", "numpy", "pyarrow", "matplotlib"} & set(done.stdout.split())


def test_a_process_that_fails_is_told_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(ChildError, match=r"exit code 3: so it goes$"):
        run([sys.executable, "-c", "import sys; print('so it goes', file=sys.stderr); sys.exit(3)"])
    with (
        pytest.raises(ChildError, match=r"(?s)decode: ended early: .*missing\.sr"),
        Worker(tmp_path / "missing.sr") as worker,
    ):
        worker.run("decode")


@pytest.mark.parametrize("inflate", [inflates.zlib_inflate, inflates.libdeflate_inflate])
def test_an_inflate_that_falls_short_is_no_figure(tmp_path: Path, inflate: Any) -> None:
    path = captures.cached(tmp_path, "noisy", 300_000)
    inflate(path)
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes(200) + whole[middle + 200 :])
    with pytest.raises((ValueError, inflates.zlib.error)):
        inflate(path)


@pytest.mark.parametrize(("text", "samples"), [("10M", 10_000_000), ("1G", 10**9), ("1.5k", 1500), ("7", 7)])
def test_samples_are_written_short(text: str, samples: int) -> None:
    assert count(text) == samples
    assert targets.spell(10 * samples).replace(" ", "") in {"100M", "10G", "15k", "70"}


def command(*arguments: str, cache: Path, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.speed", "--cache", str(cache), *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": path, "HOME": str(cache.parent / "home")},
        check=False,
        timeout=240,
    )


def test_a_tiny_run_writes_the_page_and_its_plot(tmp_path: Path) -> None:
    """On a machine without sigrok-cli, which is said and is no pass."""
    wanted = tmp_path / "speed.md"
    sizes = ["--sizes", "200k", "--kinds", "giant", "--rounds", "1"]
    done = command(*sizes, "--write", str(wanted), cache=tmp_path / "cache", path="/nonexistent")
    assert done.returncode == 0, done.stderr
    assert done.stdout == wanted.read_text()
    assert "sigrok-cli is not installed: measured without it" in done.stderr.splitlines()
    assert "**sigrok-cli is not installed here" in done.stdout
    assert "\n## 200 k samples\n" in done.stdout
    assert "](speed.svg)" in done.stdout
    ET.parse(tmp_path / "speed.svg")
    (made,) = (tmp_path / "cache").iterdir()
    row = next(line for line in done.stdout.splitlines() if line.startswith("| giant |"))
    assert all(float(cell.strip(" x")) > 0 for cell in row.split("|")[2:5])

    made.write_bytes(made.read_bytes()[:-100])
    wanted.unlink()
    again = command(*sizes, "--write", str(wanted), cache=tmp_path / "cache", path="/nonexistent")
    assert again.returncode == 2
    assert "giant, 200,000 samples: " in again.stderr
    assert f"{sys.executable} -m benchmarks.speed.worker {made}: zlib: ended early" in again.stderr
    assert "\n## Start-up\n" in again.stdout and "\n## 200 k samples\n" not in again.stdout
    assert not wanted.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--sizes", "many"], "'many' is no number of samples; write 500000, 10M or 1G"),
        (["--kinds", "fast"], "invalid choice: 'fast'"),
        (["--rounds", "0"], "--rounds: at least one"),
    ],
)
def test_wrong_arguments_are_told(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = command(*arguments, cache=tmp_path, path="/nonexistent")
    assert done.returncode == 2
    assert said in done.stderr
