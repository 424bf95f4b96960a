"""The HTML report: what stands in the page, how much of it, and that nothing in it is anything but text."""

from __future__ import annotations

import os
import re
import time
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sr_builder import Entry, archive, chunks, metadata

import tracecheck
from tracecheck.cli import main
from tracecheck.report.html.histogram import histogram
from tracecheck.report.html.page import pieces
from tracecheck.report.html.scene import Excerpt, Focus, focus_of, scenes
from tracecheck.report.html.svg import CHAR
from tracecheck.report.html.timescale import Hole, Timescale
from tracecheck.report.html.waveform import waveform
from tracecheck.report.judged import Judged, Run, judge
from tracecheck.rules.expect import expect
from tracecheck.rules.file import load
from tracecheck.rules.measured import Measured
from tracecheck.rules.model import RuleSet

CAPTURES = Path(__file__).parent.parent / "captures"
SYNTHETIC = CAPTURES / "synthetic"
HOSTILE = b"\"><script>alert(1)<'&\n\xff.sr"


def judged(name: str, rules: str = "three-pin") -> Judged:
    return judge(tracecheck.open(SYNTHETIC / f"{name}.sr"), load(str(SYNTHETIC / f"{rules}.rules.toml")))


def page(*captures: Judged) -> str:
    return "".join(pieces(Run(captures, single=len(captures) == 1)))


def texts(svg: str) -> list[str]:
    return [e.text or "" for e in ElementTree.fromstring(svg).iter("text")]


def test_a_failing_capture_has_its_finding_drawn() -> None:
    whole = page(judged("synthetic-late-wake"))
    assert whole.count('<svg class="wave failed"') == whole.count("<article")
    assert "wake came 154 us after irq.begin" in whole
    assert '<svg class="overview"' in whole and '<svg class="histogram"' in whole


def test_a_clean_capture_has_no_finding_and_says_so() -> None:
    whole = page(judged("synthetic-clean-three-pin-400k"))
    assert "<article" not in whole and '<span class="pill pass">pass</span>' in whole
    assert '<svg class="histogram"' in whole


def test_nothing_can_be_loaded() -> None:
    whole = page(judged("synthetic-late-wake"))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', whole)
    assert policy is not None and policy[1].startswith("default-src 'none'; style-src 'sha256-")
    assert (
        not re.search(r"""(src|href)\s*=\s*["']?(?!#)\S*:""", whole)
        and "@import" not in whole
        and "style=" not in whole
    )


def test_a_failed_bound_says_by_how_much_and_what_came_before_and_after() -> None:
    whole = page(judged("synthetic-late-wake"))
    assert "<i>allowed</i> ≤ 50.0 us, 207 % over</span>" in whole
    assert "<i>neighbours</i> before 2.50 us, after 2.58 us</span>" in whole


def test_names_are_text_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / os.fsdecode(HOSTILE)
    place.write_bytes((SYNTHETIC / "synthetic-late-wake.sr").read_bytes())
    out = tmp_path / "report.html"
    assert (
        main(
            [
                "analyze",
                str(place),
                "--rules",
                str(SYNTHETIC / "three-pin.rules.toml"),
                "--format",
                "html",
                "-o",
                str(out),
                "-q",
            ]
        )
        == 1
    )
    whole = out.read_bytes().decode("utf-8")
    assert whole.count("<script") == 1
    assert "&gt;&lt;script&gt;alert(1)&lt;" in whole and "\\n\\udcff.sr" in whole


def test_channel_labels_are_text_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "x.sr"
    label = "</svg><script>alert('1')</script>"
    data = np.tile(np.array([3, 7], np.uint8), 50).tobytes()
    probes = {1: "SCL", 2: "SDA", 3: label}
    place.write_bytes(
        archive([Entry("version", b"2"), Entry("metadata", metadata(1, "24 MHz", probes)), *chunks(data)])
    )
    capture = tracecheck.open(place)
    out = tmp_path / "report.html"
    main(
        [
            "analyze",
            str(place),
            "--marker",
            "irq=2",
            "--expect",
            "irq.begin <- start within 1us",
            "--format",
            "html",
            "-o",
            str(out),
            "-q",
        ]
    )
    assert capture.channels[2].name == label
    whole = out.read_text(encoding="utf-8")
    assert whole.count("<script") == 1 and "&lt;/svg&gt;&lt;script&gt;" in whole


def test_a_hundred_thousand_findings_make_a_bounded_page(tmp_path: Path) -> None:
    place = tmp_path / "x.sr"
    data = np.tile(np.array([3, 7], np.uint8), 100_001).tobytes()
    probes = {1: "SCL", 2: "SDA", 3: "IRQ"}
    place.write_bytes(archive([Entry("version", b"2"), Entry("metadata", metadata(1, "1 MHz", probes)), *chunks(data)]))
    rules = RuleSet().with_rules([expect("irq.begin <- start within 1us", 1)])
    one = judge(tracecheck.open(place), rules, max_findings=None)
    failed = one.report.rules[0].failed
    assert failed > 90_000
    begun = time.process_time()
    whole = page(one)
    assert len(whole) < 2_000_000 and time.process_time() - begun < 30
    assert whole.count("<article") == 6 and whole.count('<tr class="finding') == 994
    assert f"{failed - 1000} more of this rule are counted, not listed" in whole


def test_a_capture_that_cannot_be_read_stands_in_the_index(tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    good = str(SYNTHETIC / "synthetic-clean-two-pin.sr")
    assert main(["analyze", good, str(tmp_path / "none.sr"), "--format", "html", "-o", str(out), "-q"]) == 2
    whole = out.read_text(encoding="utf-8")
    assert "2 captures: 1 passed, 1 could not be checked" in whole and "Could not be read:" in whole


def test_an_output_that_is_a_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", str(SYNTHETIC / "synthetic-late-wake.sr"), "--format", "html", "-o", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"tracecheck: {tmp_path}: this is a folder; name a file in it\n"


def test_every_synthetic_and_real_capture_makes_a_page() -> None:
    for path in sorted((*SYNTHETIC.glob("*.sr"), *(CAPTURES / "sigrok-dumps").glob("r*.sr"))):
        one = judge(tracecheck.open(path), RuleSet())
        whole = page(one)
        assert whole.rstrip().endswith("</html>")
        for svg in re.findall(r'<svg class="(?:wave|histogram|overview|spark).*?</svg>', whole, re.DOTALL):
            ElementTree.fromstring(svg)


def test_a_waveform_shows_span_and_bound() -> None:
    one = judged("synthetic-late-wake")
    finding = next(f for f in one.report.findings if f.kind == "response")
    (scene,) = scenes(one, [finding])
    svg = waveform(scene, "late")
    assert {"154 us", "≤ 50.0 us", "3C W", "START", "SCL", "SDA"} <= set(texts(svg))
    root = ElementTree.fromstring(svg)
    (limit,) = (float(e.get("x1", "")) for e in root.iter("line") if e.get("class") == "limit")
    (over,) = (e for e in root.iter("rect") if e.get("class") == "over")
    assert abs(float(over.get("x", "")) - limit) <= 1
    # Every edge of SCL is in the drawing.
    (scl,) = (e.get("d", "") for e in root.iter("path") if e.get("class") == "line scl")
    assert scl.count("V") == len(scene.waves[0].edges)


@pytest.mark.parametrize(
    ("kind", "focus"),
    [
        ("response", Focus(2400, 2400, 2640, 2424, 2520)),
        ("precedence", Focus(2400, 2160, 2400, 2376, 2280)),
        ("integrity", Focus(2400, 2400, 2400, None, None)),
    ],
)
def test_what_a_finding_measured(kind: str, focus: Focus) -> None:
    from tracecheck.rules.finding import Finding  # noqa: PLC0415

    found = Finding(
        "r", kind, "error", "fail", "i2c0", 0, 2400, 100_000, 10_000.0, 1000.0, 5000.0, 41.7, "m", "", "", 0
    )
    assert focus_of(found, 24_000_000) == focus


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=40, unique=True))
def test_time_never_runs_backwards(at: list[int]) -> None:
    at.sort()
    scale = Timescale(at[0], at[-1], at[1:-1], 0.1)
    xs = scale.xs(np.array(at))
    assert (np.diff(xs) > 0).all() and xs[0] == 0 and xs[-1] == scale.width
    for gap in scale.shortened:
        assert gap.width < (gap.end - gap.begin) * 0.1


def test_what_is_left_out_has_one_width_whatever_it_lasts() -> None:
    widths = {Timescale(0, 10**7, [], 1.0, [Hole(10, end, 3)]).x(end) for end in (1000, 10**6)}
    assert len(widths) == 1


def test_an_excerpt_reads_like_the_capture() -> None:
    capture = tracecheck.open(SYNTHETIC / "synthetic-late-wake.sr")
    bits = [0, 1, 2]
    ranges = [(9000, 12_000), (11_000, 30_000), (43_000, 60_000)]
    excerpt = Excerpt(capture, bits, ranges)
    for start, stop in (*ranges, (9500, 11_500), (44_000, 44_001)):
        for chosen in (bits, [1], [2, 0]):
            mine = list(excerpt.edges(chosen, start=start, stop=stop))
            real = list(capture.edges(chosen, start=start, stop=stop))
            for part in ("at", "words"):
                found, wanted = (np.concatenate([getattr(b, part) for b in blocks]) for blocks in (mine, real))
                assert found.tolist() == wanted.tolist()
            assert mine[0].initial == real[0].initial and mine[-1].end == real[-1].end


def test_percentiles_are_by_nearest_rank() -> None:
    measured = Measured(np.array([1, 5, 9]), np.array([50, 49, 1]), None, None, None, "count")
    assert [(p.name, p.value) for p in measured.percentiles] == [
        ("min", "1"), ("p50", "1"), ("p90", "5"), ("p99", "5"), ("max", "9"),
    ]  # fmt: skip


@given(
    st.lists(st.integers(1, 10**6), min_size=1, max_size=200),
    st.none() | st.floats(1, 10**6),
    st.none() | st.floats(1, 10**6),
    st.sampled_from([None, 1000 / 24]),
)
def test_no_line_of_a_histogram_runs_through_its_scale(
    measured: list[int], lower: float | None, upper: float | None, scale: float | None
) -> None:
    values, counts = np.unique(measured, return_counts=True)
    drawn = ElementTree.fromstring(histogram(Measured(values, counts, scale, lower, upper, "samples"), "x"))
    lines = [each for each in drawn.iter() if each.tag.endswith("line") and each.get("class") in ("limit", "rank")]
    boxes = []
    for each in drawn.iter():
        if each.tag.endswith("text") and each.get("class") == "tick":
            x, width = float(each.get("x", 0)), len(each.text or "") * CHAR
            left = x - width * {"middle": 0.5, "end": 1.0}.get(each.get("text-anchor", ""), 0.0)
            boxes.append((left, left + width, float(each.get("y", 0)) - 8, float(each.get("y", 0))))
    for left, right, top, foot in boxes:
        for line in lines:
            beside = not left < float(line.get("x1", 0)) < right
            assert beside or float(line.get("y2", 0)) <= top or float(line.get("y1", 0)) >= foot
    for one, other in combinations(boxes, 2):
        assert one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]
