"""trace.plot and report.plot: what is drawn is what the tables say, and what cannot be drawn is said."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

import tracecheck
from tracecheck.errors import ExtraError, UsageError
from tracecheck.rules.verdict import Report
from tracecheck.trace import Trace

PICO = Path(__file__).parent.parent / "captures" / "pico"
RULES = PICO / "three-pin.rules.toml"


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    with mpl.rc_context(), pytest.MonkeyPatch.context() as patch:
        plt.switch_backend("agg")
        patch.setattr(plt, "show", None)
        yield
        plt.close("all")


@pytest.fixture(scope="module")
def trace() -> Trace:
    return tracecheck.decode(PICO / "pico-hog-executor.sr", rules=RULES)


@pytest.fixture(scope="module")
def report(trace: Trace) -> Report:
    return tracecheck.check(trace, RULES)


def texts(ax: plt.Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_a_transfer_has_its_lines_and_bytes(trace: Trace) -> None:
    ax = trace.plot(1)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["SCL", "SDA", "irq", "pending", "run", "i2c0"]
    assert ax.get_title("left") == "transfer 1: write-read 0x68, 3 bytes"
    assert ax.get_xlabel() == "us from START"
    data = [value for transfer, _, data in trace.message_bytes("i2c0") if transfer == 1 for value in data]
    drawn = sorted(
        (t for t in ax.texts if t.get_text() not in {"S", "Sr", "P", "N"}), key=lambda t: t.get_position()[0]
    )
    assert [t.get_text() for t in drawn] == ["68 W", f"{data[0]:02X}", "68 R", *(f"{v:02X}" for v in data[1:])]
    assert [mark for mark in texts(ax) if mark in {"S", "Sr", "P", "N"}] == ["S", "Sr", "N", "P"]


def test_the_wave_of_a_marker_is_to_scale(trace: Trace) -> None:
    ax = trace.plot(3)
    (irq,) = [line for line in ax.lines if line.get_color() == "tab:green"][:1]
    x, y = np.asarray(irq.get_xdata()), np.asarray(irq.get_ydata())
    rises = x[1:][np.diff(y) > 0]
    markers = trace.df("markers")
    mine = markers[(markers["marker"] == "irq") & (markers["transfer"] == 3)]
    assert rises == pytest.approx(mine["from_start_ns"].astype(float) / 1000, abs=0.05)


def test_every_transfer_of_a_capture_can_be_drawn(trace: Trace) -> None:
    _, ax = plt.subplots()
    for transfer in range(0, trace.transfers.num_rows, 4):
        ax.clear()
        assert trace.plot(transfer, "i2c0", ax=ax) is ax


def test_without_a_samplerate_time_is_samples(trace: Trace) -> None:
    assert trace.capture is not None
    bare = Trace("x", None, trace.wiring, capture=trace.capture).collect([trace.batch()])
    bare.capture = replaced = type(trace.capture).__new__(type(trace.capture))
    replaced.__dict__.update(trace.capture.__dict__)
    replaced.rate_hz = None
    assert bare.plot(1).get_xlabel() == "samples from START"


def test_a_report_s_trace_has_its_capture() -> None:
    kept = tracecheck.analyze(PICO / "pico-stretch.sr", RULES, keep_trace=True).trace
    assert kept.plot(0).get_title("left").startswith("transfer 0: ")


def test_a_rule_has_its_bound_and_percentiles(report: Report) -> None:
    ax = report.plot("embassy-wake")
    assert ax.get_title("left") == "embassy-wake: fail, 45 measured"
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["p50 2.42 us", "p99 302 us", "at most 100 us"]
    assert [line.get_xdata()[0] for line in ax.lines] == pytest.approx([2.4167, 302.29, 100], rel=1e-3)
    assert sum(bar.get_height() for bar in ax.patches) == 45
    assert (ax.get_xscale(), ax.get_xlabel()) == ("log", "us")


def test_counts_are_bars(report: Report) -> None:
    ax = report.plot("embassy-long-write-interrupts")
    assert (ax.get_xlabel(), sum(bar.get_height() for bar in ax.patches)) == ("count", 7)


def test_what_every_rule_measured_can_be_drawn(report: Report) -> None:
    _, ax = plt.subplots()
    measured = [result for result in report.rules if result.stats is not None]
    assert len(measured) > 10
    for result in measured:
        ax.clear()
        report.plot(result.rule.id, ax=ax)
        assert sum(bar.get_height() for bar in ax.patches) == result.stats.count


def test_what_cannot_be_drawn_is_said(trace: Trace, report: Report) -> None:
    few = replace(report, rules=tuple(r for r in report.rules if r.rule.id in {"embassy-wake", "i2c-void"}))
    nowhere = Trace("x", trace.rate_hz, trace.wiring).collect([trace.batch()])
    said = {
        "no transfer 99 on i2c0 (transfers: 0 to 22)": lambda: trace.plot(99),
        "no transfer -1 on i2c0 (transfers: 0 to 22)": lambda: trace.plot(-1),
        'no bus "i2c1"; did you mean "i2c0"? (buses: i2c0)': lambda: trace.plot(0, "i2c1"),
        'no rule "embasy-wake"; did you mean "embassy-wake"? (rules: embassy-wake, i2c-void)': lambda: few.plot(
            "embasy-wake"
        ),
        'rule "i2c-void" measured nothing (rules that did: embassy-wake)': lambda: few.plot("i2c-void"),
        "x: waves are read from the capture, and this trace was built without one": lambda: nowhere.plot(0),
    }
    for message, plot in said.items():
        with pytest.raises(UsageError) as caught:
            plot()
        assert str(caught.value) == message


def test_without_matplotlib_it_is_said(trace: Trace, report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    for plot in (lambda: trace.plot(0), lambda: report.plot("embassy-wake")):
        with pytest.raises(ExtraError) as caught:
            plot()
        assert (
            str(caught.value)
            == "plots need matplotlib; try: pip install 'tracecheck[plot]' (in a checkout: -e '.[plot]')"
        )
