"""The guard on instruction counts: what it adds up, when it fails, and when it says that it did not run."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

GUARD = Path(__file__).parent.parent / "benchmarks" / "guard.py"

PROFILE = """\
positions: line
events: Ir

ob=(1) /usr/bin/python3.11
fl=(1) ???
fn=(1) eval
0 1000
cob=(2) /somewhere/tracecheck/_i2c.cpython-311-x86_64-linux-gnu.so
cfn=(2) feed
calls=3 0
0 500

ob=(2)
fn=(2)
0 70
+2 5
cob=(3) /lib/libc.so.6
cfn=(3) memcpy
calls=1 0
0 900
* 20

ob=(4) /somewhere/tracecheck/_inflate.cpython-311-x86_64-linux-gnu.so
fn=(4) scan
0 11
cob=(2)
cfn=(2)
calls=1 0
0 95

ob=(3)
fn=(3)
0 900

totals: 2006
"""


@pytest.fixture(scope="module")
def guard() -> dict[str, Any]:
    return runpy.run_path(str(GUARD))


def test_only_the_cores_own_instructions_count(guard: dict[str, Any]) -> None:
    assert guard["spent"](PROFILE) == {"_i2c": 95, "_inflate": 11}


def test_a_whole_process_is_its_total(guard: dict[str, Any]) -> None:
    total = guard["start_up"].total
    assert total(PROFILE) == 2006
    with pytest.raises(guard["CannotCountError"], match="no totals"):
        total(PROFILE.replace("totals", "summary"))


@pytest.mark.parametrize(
    ("now", "passes", "said"),
    [
        (1000, True, "+0.00%"),
        (1020, True, "+2.00%"),
        (1021, False, "+2.10%: slower; find the cause, or say why and update the baseline (--update)"),
        (980, True, "-2.00%"),
        (979, True, "-2.10%: faster; update the baseline (--update), so that this is held too"),
    ],
)
def test_two_per_cent_are_the_limit(guard: dict[str, Any], now: int, passes: bool, said: str) -> None:
    assert guard["judged"](now, 1000) == (passes, said)


@pytest.mark.parametrize("key", ["compiler", "processor"])
def test_under_other_circumstances_it_does_not_run(
    guard: dict[str, Any], key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor does that count as a pass."""
    baseline = {"compiler": "GCC: (Debian) 12.2.0", "processor": "x86_64 avx2", "instructions": {"_i2c": 1}}
    here = {name: value for name, value in baseline.items() if name != "instructions"} | {key: "another"}
    assert guard["compared"]("decoding", baseline, here, lambda: {"_i2c": 1}) == guard["NOT_RUN"] == 3
    assert capsys.readouterr().out == (
        f"NOT RUN: decoding: the baseline's {key} is {baseline[key]}, here it is another\n"
        "to compare two states of the sources here: --update on the first, then without on the second\n"
    )


def test_a_module_that_grew_fails_and_the_others_are_told(
    guard: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    def counted() -> dict[str, int]:
        return {"_i2c": 1100, "_inflate": 2000}

    baseline = {"compiler": "c", "processor": "p", "instructions": {"_i2c": 1000, "_inflate": 2000}}
    assert guard["compared"]("decoding", baseline, {"compiler": "c", "processor": "p"}, counted) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("FAIL  decoding, _i2c ") and first.endswith(
        "+10.00%: slower; find the cause, or say why and update the baseline (--update)"
    )
    assert second.startswith("pass  decoding, _inflate ") and second.endswith(" 2,000 before, +0.00%")


def test_the_baseline_is_of_modules_that_decoding_runs(guard: dict[str, Any]) -> None:
    baseline = json.loads(GUARD.with_suffix(".json").read_text())
    assert {"_i2c", "_inflate"} <= baseline["decoding"]["instructions"].keys()
    start_up = guard["start_up"]
    assert baseline["start-up"]["instructions"].keys() == start_up.CAPTURES.keys()
    captures = [*guard["CAPTURES"], *start_up.CAPTURES.values()]
    assert all((GUARD.parent.parent / capture).exists() for capture in captures)


@pytest.mark.parametrize(
    ("decoding", "start", "code"),
    [(0, 0, 0), (1, 0, 1), (0, 1, 1), (3, 1, 1), (1, 3, 1), (0, 3, 3), (3, 0, 3), (3, 3, 3)],
)
def test_a_part_that_did_not_run_is_no_pass(
    guard: dict[str, Any], monkeypatch: pytest.MonkeyPatch, decoding: int, start: int, code: int
) -> None:
    codes = {"decoding": decoding, "start-up": start}
    inside = guard["main"].__globals__
    monkeypatch.setitem(inside, "compared", lambda what, *_: codes[what])
    monkeypatch.setitem(inside, "circumstances", dict)
    monkeypatch.setattr(guard["shutil"], "which", lambda _: "valgrind")
    monkeypatch.setattr("sys.argv", ["guard.py"])
    assert guard["main"]() == code
