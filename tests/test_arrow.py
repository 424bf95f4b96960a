"""Columns between NumPy and Arrow: as pyarrow would make them, without asking pandas."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracecheck.arrow import coded, column, having, integers, strings

CAPTURE = Path(__file__).parent.parent / "captures" / "synthetic" / "synthetic-late-wake.sr"


@given(st.lists(st.tuples(st.integers(-(2**31), 2**31 - 1), st.booleans()), max_size=70))
@pytest.mark.parametrize("kind", [np.int64, np.int32, np.float64, np.bool_])
def test_a_column_is_what_pyarrow_makes_of_it(kind: type, rows: list[tuple[int, bool]]) -> None:
    values = np.array([value for value, _ in rows], np.int64).astype(kind)
    null = np.array([gone for _, gone in rows], np.bool_)
    assert column(values, null).equals(pa.array(values, mask=null))
    assert column(values).equals(pa.array(values))
    column(values, null).validate(full=True)


@given(st.lists(st.text(max_size=9), max_size=9))
def test_strings(texts: list[str]) -> None:
    assert strings(texts).to_pylist() == texts


@given(st.lists(st.sampled_from([-1, 0, 1, 2]), max_size=40), st.integers(0, 40))
def test_rows_of_a_word(codes: list[int], cut: int) -> None:
    words = ["a", "b", "a"]
    indices = np.array(codes, np.int8)
    numbers = np.arange(len(codes), dtype=np.int64)
    table = pa.table({"word": coded(indices, words, indices < 0), "n": column(numbers, indices < 0)})
    table = pa.concat_tables([table.slice(0, cut), table.slice(cut)])
    for word in "abc":
        expected = [i for i, code in enumerate(codes) if code >= 0 and words[code] == word]
        assert integers(having(table, "word", word)["n"]).tolist() == expected
    assert integers(table["n"]).tolist() == [i if code >= 0 else -1 for i, code in enumerate(codes)]


@pytest.mark.parametrize(
    "command",
    [
        ["analyze"],
        ["decode"],
        ["decode", "--table=transfers", "--format=csv"],
        ["decode", "--table=bytes", "--format=jsonl"],
        ["show", "3"],
    ],
    ids=" ".join,
)
def test_the_command_line_does_not_load_pandas(command: list[str]) -> None:
    arguments = [command[0], str(CAPTURE), *command[1:]]
    code = f"import sys; from tracecheck.cli import main; main({arguments!r}); sys.exit('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_tables_without_rows_do_not_load_pandas() -> None:
    bus_only = CAPTURE.parents[1] / "sigrok-dumps" / "i2c-sht21-100khz-read-serial-hold.sr"
    code = (
        f"import sys, tracecheck; trace = tracecheck.decode({str(bus_only)!r})\n"
        "for name in ('bytes', 'messages', 'transfers', 'markers', 'anomalies', 'stretches', 'timeline'):\n"
        "    assert getattr(trace, name).num_rows >= 0\n"
        "assert trace.markers.num_rows == 0 < trace.transfers.num_rows\n"
        "sys.exit('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
