"""duration: how long markers, stretches, transfers and idle times last; and how sure that is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from rule_lines import judge, lane, messages, verdicts

from tracecheck.rules.model import DurationRule
from tracecheck.rules.quantity import parse_quantity
from tracecheck.rules.selector import Selector


def lasts(of: str, low: str | None = None, high: str | None = None, **keys: Any) -> DurationRule:
    bounds: dict[str, Any] = {key: parse_quantity(text) for key, text in (("min", low), ("max", high)) if text}
    return DurationRule(id="d", of=of, **bounds, **keys)


def test_every_interval_of_a_marker() -> None:
    assert judge("irq@10-20 irq@100-150", lasts("irq", "5us", "20us")) == [(10, "pass"), (100, "fail")]
    assert messages("irq@10-20 irq@100-150", lasts("irq", "5us", "20us")) == ["irq lasted 50.0 us"]
    assert judge("irq@10-12", lasts("irq", "5us", "20us")) == [(10, "fail")]


def test_a_missing_end_gives_a_lower_bound() -> None:
    rule = lasts("irq", "5us", "20us")
    assert judge("irq@900-", rule) == [(900, "fail")]
    assert messages("irq@900-", rule) == ["irq lasted at least 100 us: its beginning or end is not there"]
    assert judge("irq@990-", rule) == [(990, "cut")]
    assert judge("irq@-10", rule) == [(0, "cut")]
    assert judge("irq@-30", rule) == [(0, "fail")]


def test_an_interval_that_was_there_before_belongs_to_no_transfer() -> None:
    assert judge("irq@-30", lasts("irq", None, "20us", where=Selector(address=frozenset({0x3C})))) == []
    assert judge("irq@-30", lasts("irq", None, "20us"), marker_where={"irq": Selector(address=frozenset({1}))}) == []


def test_transfers_but_no_voids() -> None:
    rule = lasts("transfer", None, "20us")
    assert judge("start@10 stop@20 void@30-90 start@100 stop@190", rule) == [(10, "pass"), (100, "fail")]


def test_a_transfer_without_stop_lasts_at_least_so_long() -> None:
    rule = lasts("transfer", None, "20us")
    assert judge("start@10 missing-stop@20 start@100 missing-stop@190", rule) == [(10, "cut"), (100, "fail")]
    assert judge("start@990 ends-inside@1000", rule) == [(990, "cut")]


def test_idle_from_stop_to_the_next_start() -> None:
    rule = lasts("idle", "5us", None)
    assert judge("start@10 stop@20 start@22 stop@30 void@35-36 start@50 stop@60", rule) == [
        (20, "fail"),
        (30, "pass"),
        (60, "cut"),
    ]
    assert judge("start@10 stop@20", lasts("idle", None, "100us")) == [(20, "fail")]
    assert judge("start@10 missing-stop@20 start@30 missing-stop@40", rule) == []


def test_stretches() -> None:
    data = replace(lane("start@10 stop@100"), stretches=((20, 30, 0), (40, 80, 0)))
    assert judge(data, lasts("stretch", None, "25us")) == [(20, "pass"), (40, "fail")]


def test_a_stretch_that_the_end_cuts_lasts_at_least_so_long() -> None:
    data = replace(lane("start@10 ends-inside@1000"), stretches=((970, 1000, 0),), open_stretch=True)
    assert judge(data, lasts("stretch", None, "25us")) == [(970, "fail")]
    assert judge(data, lasts("stretch", None, "35us")) == [(970, "cut")]


def test_a_transfer_that_nobody_stretched_passes_an_upper_bound() -> None:
    data = replace(lane("start@10 stop@100 start@200 stop@300"), stretches=((20, 30, 0),))
    assert judge(data, lasts("stretch", None, "25us")) == [(20, "pass"), (200, "pass")]
    assert judge(data, lasts("stretch", "5us", "25us")) == [(20, "pass")]


# Time and uncertainty -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("samples", "verdict"), [(18, "pass"), (19, "pass"), (20, "inconclusive"), (21, "fail"), (22, "fail")]
)
def test_an_upper_bound_with_one_sample_of_uncertainty(samples: int, verdict: str) -> None:
    # Edges d samples apart lie in (d - 1, d + 1): up to 19 surely within 20, from 21 on surely over it.
    assert verdicts(f"irq@100-{100 + samples}", lasts("irq", None, "20us")) == [verdict]


@pytest.mark.parametrize(("samples", "verdict"), [(19, "fail"), (20, "inconclusive"), (21, "pass")])
def test_a_lower_bound_with_one_sample_of_uncertainty(samples: int, verdict: str) -> None:
    assert verdicts(f"irq@100-{100 + samples}", lasts("irq", "20us", None)) == [verdict]


@pytest.mark.parametrize(
    ("samples", "verdict"), [(17, "pass"), (18, "inconclusive"), (22, "inconclusive"), (23, "fail")]
)
def test_a_clock_that_is_off_by_ten_percent(samples: int, verdict: str) -> None:
    # 20 us lie between 18 and 22 samples of it.
    assert verdicts(f"irq@100-{100 + samples}", lasts("irq", None, "20us"), ppm=100_000) == [verdict]


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        ("3us", ["pass", "inconclusive", "fail", "fail"]),
        ("3.5us", ["pass", "inconclusive", "inconclusive", "fail"]),
        ("2.999999999999us", ["inconclusive", "inconclusive", "fail", "fail"]),
    ],
)
def test_bounds_are_exact_fractions(bound: str, expected: list[str]) -> None:
    assert [verdicts(f"irq@100-{100 + d}", lasts("irq", None, bound))[0] for d in (2, 3, 4, 5)] == expected


def test_a_bound_of_nothing() -> None:
    assert [verdicts(f"irq@100-{100 + d}", lasts("irq", None, "0us"))[0] for d in (1, 2)] == ["fail", "fail"]
    assert verdicts("irq@100-101", lasts("irq", "0us", None)) == ["pass"]


def test_bounds_narrower_than_the_uncertainty_are_never_decided() -> None:
    assert verdicts("irq@100-110", lasts("irq", "9.9us", "10.1us")) == ["inconclusive"]


def test_without_a_rate_times_are_inconclusive() -> None:
    assert verdicts("irq@100-110", lasts("irq", None, "20us"), rate_hz=None) == ["inconclusive"]
    assert messages("irq@100-110", lasts("irq", None, "20us"), rate_hz=None) == ["irq lasted 10 samples"]


@pytest.mark.parametrize(("samples", "verdict"), [(8, "pass"), (9, "inconclusive"), (15, "inconclusive"), (16, "fail")])
def test_a_bound_in_scl_periods(samples: int, verdict: str) -> None:
    # A median period of 4 samples is one of 3 to 5: three periods are 9 to 15 samples.
    line = f"start@10:p4 irq@20-{20 + samples} stop@60"
    assert verdicts(line, lasts("irq", None, "3scl")) == [verdict]
    assert verdicts(line, lasts("irq", None, "3scl"), rate_hz=None) == [verdict]


def test_a_bound_in_scl_periods_outside_transfers_is_inconclusive() -> None:
    assert verdicts("irq@20-30", lasts("irq", None, "3scl")) == ["inconclusive"]
