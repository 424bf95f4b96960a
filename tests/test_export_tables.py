"""Tables as files hold what the tables hold."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import tracecheck
from tracecheck.export.tables import BATCH_ROWS, WRITERS, plain
from tracecheck.trace import TABLES, Trace

CAPTURES = Path(__file__).parent.parent / "captures" / "synthetic"


@pytest.fixture(scope="module")
def traces() -> list[Trace]:
    names = ("synthetic-clean-two-buses.sr", "synthetic-partial-byte.sr", "synthetic-stretch.sr")
    return [tracecheck.decode(CAPTURES / name, timings=True) for name in names]


def written(table: pa.Table, kind: str) -> bytes:
    file = io.BytesIO()
    WRITERS[kind](table, file)
    return file.getvalue()


@pytest.mark.parametrize("name", TABLES)
def test_parquet_and_arrow_keep_rows_types_and_documentation(name: str, traces: list[Trace]) -> None:
    for trace in traces:
        table = trace.table(name)
        for found in (
            pq.read_table(io.BytesIO(written(table, "parquet"))),
            pa.ipc.open_file(written(table, "arrow")).read_all(),
        ):
            assert found.to_pylist() == table.to_pylist()
            assert found.schema.names == table.schema.names
            assert found.schema.metadata[b"tracecheck.table"] == name.encode()
            assert found.schema.field(0).metadata[b"doc"] == table.schema.field(0).metadata[b"doc"]
            assert [f.type.value_type if pa.types.is_dictionary(f.type) else f.type for f in found.schema] == [
                f.type.value_type if pa.types.is_dictionary(f.type) else f.type for f in table.schema
            ]


@pytest.mark.parametrize("name", TABLES)
def test_json_lines_are_the_rows(name: str, traces: list[Trace]) -> None:
    for trace in traces:
        rows = trace.table(name).to_pylist()
        for row in rows:
            row.update({key: value.hex() for key, value in row.items() if isinstance(value, bytes)})
        assert [json.loads(line) for line in written(trace.table(name), "jsonl").splitlines()] == rows


@pytest.mark.parametrize("name", TABLES)
def test_csv_is_the_rows(name: str, traces: list[Trace]) -> None:
    for trace in traces:
        table = plain(trace.table(name))
        options = pyarrow.csv.ConvertOptions(
            column_types=table.schema, strings_can_be_null=True, quoted_strings_can_be_null=False
        )
        found = pyarrow.csv.read_csv(io.BytesIO(written(trace.table(name), "csv")), convert_options=options)
        assert found.to_pylist() == table.to_pylist()


def test_csv_is_plain_text(traces: list[Trace]) -> None:
    lines = written(traces[0].messages, "csv").decode().splitlines()
    assert lines[0].replace('"', "") == (
        "bus,transfer,index,address,address_kind,ten_bit,direction,restart,acked,data,start,end,t_ns"
    )
    assert lines[1].replace('"', "") == "i2c0,0,0,60,normal,false,write,false,true,00ae,10192,11998,424666"


@pytest.mark.parametrize("kind", WRITERS)
def test_a_table_without_rows_is_a_whole_file(kind: str, traces: list[Trace]) -> None:
    empty = traces[0].anomalies
    assert len(empty) == 0
    data = written(empty, kind)
    match kind:
        case "csv":
            assert data.decode().replace('"', "") == "kind,bus,transfer,sample,t_ns,width_ns,detail\n"
        case "jsonl":
            assert data == b""
        case "parquet":
            assert pq.read_table(io.BytesIO(data)).num_rows == 0
        case _:
            assert pa.ipc.open_file(data).read_all().num_rows == 0


@pytest.mark.parametrize("kind", WRITERS)
def test_batches_do_not_show(kind: str, traces: list[Trace]) -> None:
    rows = traces[1].bytes
    many = pa.concat_tables([rows] * (BATCH_ROWS // len(rows) + 2))
    assert len(many) > BATCH_ROWS
    data = written(many, kind)
    match kind:
        case "csv":
            assert data.count(b"\n") == len(many) + 1
        case "jsonl":
            assert data.count(b"\n") == len(many)
        case "parquet":
            assert pq.read_table(io.BytesIO(data)).equals(many.unify_dictionaries())
        case _:
            assert pa.ipc.open_file(data).read_all().to_pylist()[-1] == many.slice(len(many) - 1).to_pylist()[0]
