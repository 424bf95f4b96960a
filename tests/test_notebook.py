"""What a notebook shows of traces and reports, and DataFrames with durations."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa

import tracecheck
from tracecheck import notebook
from tracecheck.trace import TABLES, durations

LATE = Path(__file__).parent.parent / "captures" / "synthetic" / "synthetic-late-wake.sr"


def test_a_trace_shows_its_transfers() -> None:
    shown = tracecheck.decode(LATE)._repr_html_()
    assert "8 transfers; markers: irq, pending, run" in shown
    assert shown.count("<tr>") == 9 and "<td>0x3C</td>" in shown and "style" not in shown


def test_a_report_shows_failed_rules_first() -> None:
    report = tracecheck.analyze(LATE, LATE.parent / "three-pin.rules.toml")
    shown = report._repr_html_()
    assert "fail: " in shown and "<td>154 us</td>" in shown
    verdicts = re.findall("<td>(pass|fail|inconclusive)</td>", shown)
    assert verdicts[0] == "fail" and verdicts == sorted(verdicts, key=["fail", "inconclusive", "pass"].index)


def test_names_are_text(tmp_path: Path) -> None:
    place = tmp_path / "<script>.sr"
    shutil.copy(LATE, place)
    for shown in (tracecheck.decode(place)._repr_html_(), tracecheck.analyze(place)._repr_html_()):
        assert "<script>" not in shown and "&lt;script&gt;" in shown


def test_long_tables_are_cut_and_say_so() -> None:
    shown = notebook.table(["n"], ([i] for i in range(1000)), 1000)
    assert shown.count("<tr>") == notebook.ROWS + 1 and "and 980 more" in shown


def test_durations_are_the_same_times() -> None:
    trace = tracecheck.decode(LATE)
    plain, spans = trace.df("transfers"), trace.df("transfers", timedelta=True)
    assert spans["duration"].dtype == pd.ArrowDtype(pa.duration("ns"))
    assert spans["duration"].astype("int64[pyarrow]").tolist() == plain["duration_ns"].tolist()
    assert (spans["duration"] > pd.Timedelta("70us")).tolist() == (plain["duration_ns"] > 70_000).tolist()


def test_every_table_has_durations() -> None:
    trace = tracecheck.decode(LATE, timings=True)
    for name in TABLES:
        table = trace.table(name)
        for old, new in zip(table.column_names, durations(table).column_names, strict=True):
            assert new == old.removesuffix("_ns") or new == old
