"""The recipes and the notebook run, and say what the tables say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "recipes.md"
NOTEBOOK = ROOT / "examples" / "exploring.ipynb"
CHECKED = """
assert slowest["value_ns"].is_monotonic_decreasing and slowest["verdict"].tolist()[:3] == ["fail", "fail", "pass"]
assert waves.get_title("left").startswith("transfer ") and spread.get_title("left") == "embassy-wake: fail, 45 measured"
assert int(stretched["count"].sum()) == trace.stretches.num_rows > 0
assert int(by_length["count"].sum()) == len(wakes) and by_length["max"].max() == slowest["value_ns"].max()
assert int(side_by_side["count"].sum().sum()) == len(both.dropna(subset=["address", "duration_ns"]))
assert set(both["capture"]) == {"hog", "clean"}
expected = [round(ns) for ns in slowest["value_ns"]]
assert [round(1000 * row[3]) for row in in_duckdb.fetchall()] == expected
assert [round(1000 * us) for us in in_polars["us"]] == expected
print("checked")
"""


def test_every_block_of_the_recipes_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) == PAGE.read_text().count("```python") > 5
    (tmp_path / "captures").symlink_to(ROOT / "captures")
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([*blocks, CHECKED])],
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("checked\n")
    assert (tmp_path / "slowest.png").stat().st_size > 5000


def test_the_notebook_runs_from_top_to_bottom() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    here = {"metadata": {"path": str(NOTEBOOK.parent)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=here).execute()
    kinds = [kind for cell in notebook.cells for out in cell.get("outputs", ()) for kind in out.get("data", {})]
    assert kinds.count("image/png") == 2 and kinds.count("text/html") == 3
    assert not [out for cell in notebook.cells for out in cell.get("outputs", ()) if out.get("name") == "stderr"]
    said = "".join(out["text"] for cell in notebook.cells for out in cell.get("outputs", ()) if "text" in out)
    assert said.count("embassy-wake transfer") == 2


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code and not [cell for cell in code if cell.outputs or cell.execution_count is not None]
