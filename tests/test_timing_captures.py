"""Bus timing of the real captures: docs/i2c-timing.md's table is what tracecheck computes.

    python tests/test_timing_captures.py

writes it anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import tracecheck

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "i2c-timing.md"
MODES = ("i2c-standard", "i2c-fast")
BEGIN, END = "<!-- computed: tests/test_timing_captures.py -->\n", "<!-- end -->\n"


def computed() -> str:
    """One row a capture and mode: what fails, and what its samplerate cannot decide."""
    lines = ["| capture | samples a second | mode | fails | cannot be decided |", "| --- | --- | --- | --- | --- |"]
    for path in sorted((ROOT / "captures" / "sigrok-dumps").glob("*.sr")):
        for mode in MODES:
            report = tracecheck.analyze(path, mode)
            names = {r.rule.id: r.rule.id.removeprefix(f"{mode}.") for r in report.rules}
            fails = [names[r.rule.id] for r in report.rules if r.failed]
            vague = [names[r.rule.id] for r in report.rules if r.beyond_the_rate]
            rate = f"{report.rate_hz:,}" if report.rate_hz else "not known"
            lines.append(f"| {path.stem} | {rate} | {mode} | {', '.join(fails)} | {', '.join(vague)} |")
    return "\n".join(lines) + "\n"


def test_the_table_of_the_real_captures_is_what_is_computed() -> None:
    assert PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip() == computed().strip()


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(
        re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{computed()}\n{END}", text, flags=re.DOTALL), "utf-8"
    )
