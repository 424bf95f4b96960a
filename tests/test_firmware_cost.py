"""firmware/cost: what a mark costs comes out of busy cycles, and the markers' README says what comes out."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).parent.parent
ELFS = ROOT / "captures" / "pico" / "firmware"


@pytest.fixture(scope="module")
def cost() -> Iterator[ModuleType]:
    loader = importlib.machinery.SourceFileLoader("firmware_cost", str(ROOT / "firmware" / "cost"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module
    loader.exec_module(module)
    yield module
    del sys.modules[loader.name]


def _table(cost: ModuleType, monkeypatch: pytest.MonkeyPatch, **busy: int) -> str:
    monkeypatch.setattr(cost, "marks", lambda _: (100, 50))
    cycles = {"unmarked": 0, "irq-only": 0, "two-pin": 0, "three-pin": 0, "one-pin": 0} | {
        scheme.replace("_", "-"): number for scheme, number in busy.items()
    }
    runs = {scheme: SimpleNamespace(ending=SimpleNamespace(busy_cycles=number)) for scheme, number in cycles.items()}
    return str(cost.rows(runs))


def test_a_mark_costs_what_its_scheme_adds_over_the_one_without_it(
    cost: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 interrupts and 50 polls."""
    table = _table(
        cost, monkeypatch, unmarked=10_000, irq_only=11_000, two_pin=12_000, three_pin=12_500, one_pin=14_000
    )
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    assert [(number, time) for _, number, time in cells] == [
        ("10", "80 ns"),
        ("20", "160 ns"),
        ("10", "80 ns"),
        ("40", "320 ns"),
        ("20", "160 ns"),
        ("60", "480 ns"),
    ]


def test_check_holds_the_page_to_the_table(
    cost: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = _table(cost, monkeypatch, irq_only=1_000, two_pin=2_000, three_pin=2_500, one_pin=4_000)
    page = cost.page_with(f"before\n{cost.BEGIN}\nold\n{cost.END}\nafter\n", table)
    assert page.startswith("before\n") and page.endswith("\nafter\n") and table in page
    assert cost.compare(page, table) == 0
    assert cost.compare(page.replace("| 10 |", "| 11 |"), table) == 1
    assert "the table says something else; run firmware/cost and commit it" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="is not there"):
        cost.page_with("no table here", table)


def test_the_page_says_what_the_committed_firmware_costs(cost: ModuleType) -> None:
    """RUN and PENDING; the others are against a firmware without marks, which only the toolchain's machine has."""
    elfs = {scheme: ELFS / f"mixed-400k-{scheme}-s1.elf" for scheme in ("irq-only", "two-pin", "three-pin")}
    runs = cost.runs_of(elfs)
    _, polls = cost.marks(runs["three-pin"])
    busy = {scheme: recording.ending.busy_cycles for scheme, recording in runs.items()}
    page = cost.PAGE.read_text(encoding="utf-8")
    assert polls > 200
    assert cost.row("RUN, a poll: both edges", (busy["two-pin"] - busy["irq-only"]) / polls) in page
    assert cost.row("PENDING, a wake: both edges", (busy["three-pin"] - busy["two-pin"]) / polls) in page
