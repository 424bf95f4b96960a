"""Runs as CI reads them: the cases, JUnit XML, GitHub annotations, the step summary."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from junitparser import JUnitXml
from report_runs import HOSTILE, NAMES, expecting, hostile, judged, many_findings, rendered, run_of, unreadable

from tracecheck.cli import main
from tracecheck.report import step_summary
from tracecheck.report.cases import cases
from tracecheck.report.judged import Run, Terms
from tracecheck.report.visible import visible

LATE, CLEAN = "synthetic-late-wake.sr", "synthetic-clean-three-pin-400k.sr"
TERMS = [
    Terms(),
    Terms(fail_on="warning"),
    Terms(fail_on="note", strict=True),
    Terms(verdict="fail"),
    Terms(verdict="fail", strict=True),
]


@pytest.mark.parametrize("terms", TERMS, ids=str)
def test_cases_say_what_the_exit_code_says(terms: Terms) -> None:
    codes = set()
    for name in NAMES:
        one = judged(name, terms=terms)
        outcomes = [case.outcome for case in cases(one)]
        assert (1 if "failed" in outcomes else 2 if "unchecked" in outcomes else 0) == one.exit_code, name
        codes.add(one.exit_code)
    assert codes == {0, 1, 2}


def test_an_expectation_nobody_can_judge_is_unchecked() -> None:
    case, whole = cases(expecting("synthetic-clean-irq-only.sr", ["irq -> wake < 20us"]))
    said = "not checked: it needs wake, and there is no marker run; add --marker run=CHANNEL."
    assert (case.outcome, case.said) == ("unchecked", said)
    assert (whole.outcome, whole.said) == ("unchecked", "none of 1 rules found anything to judge")


def _counts(text: str) -> dict[str, tuple[int, int, int, int]]:
    document = JUnitXml.fromstring(text.encode())
    return {suite.name: (suite.tests, suite.failures, suite.errors, suite.skipped) for suite in document}


def test_junit_has_a_suite_a_capture_and_a_case_a_rule() -> None:
    run = Run((judged(CLEAN), judged(LATE), unreadable()))
    text = rendered(run, "junit")
    rules = len(judged(CLEAN).report.rules)
    assert _counts(text) == {CLEAN: (rules, 0, 0, 0), LATE: (rules, 1, 0, 0), "gone.sr": (1, 0, 1, 0)}
    root = ElementTree.fromstring(text)
    assert {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": str(2 * rules + 1),
        "failures": "1",
        "errors": "1",
        "skipped": "0",
    }
    (failure,) = root.iter("failure")
    assert failure.get("message") == (
        "1 of 10 failed: at 1.914875 ms, i2c0 transfer 3 (write 0x3C, 3 bytes): wake came 154 us after irq.begin; "
        "measured 154 us ± 41.7 ns, allowed at most 50.0 us: 207 % over (before 2.50 us, after 2.58 us, median 2.75 us)"
    )
    (case,) = (case for case in root.iter("testcase") if case.find("failure") is not None)
    (result,) = (r for r in judged(LATE).report.rules if r.failed)
    assert case.attrib == {
        "classname": LATE,
        "name": result.rule.id,
        "time": "0.0",
        "file": result.rule.source,
        "line": str(result.rule.line),
    }
    (error,) = root.iter("error")
    assert error.get("message") == "could not be read: there is no such file"


@pytest.mark.parametrize("terms", TERMS, ids=str)
def test_junit_is_red_exactly_where_the_exit_code_is(terms: Terms) -> None:
    run = run_of(*NAMES, terms=terms)
    for one, (_, failures, errors, _) in zip(run.captures, _counts(rendered(run, "junit")).values(), strict=True):
        assert (1 if failures else 2 if errors else 0) == one.exit_code, one.path


_COMMAND = re.compile(r"::(?P<level>error|warning|notice) (?P<properties>[^:]*)::(?P<message>.*)")


def _annotations(text: str) -> tuple[list[dict[str, str]], str]:
    """The workflow commands as the runner reads them, and the line that sums up."""
    *commands, last = text.splitlines()
    found = []
    for line in commands:
        command = _COMMAND.fullmatch(line)
        assert command is not None, line
        properties = dict(part.split("=", 1) for part in command["properties"].split(","))
        values = {"level": command["level"], "message": command["message"], **properties}
        for code, character in (("%3A", ":"), ("%2C", ","), ("%0A", "\n"), ("%25", "%")):
            values = {key: value.replace(code, character) for key, value in values.items()}
        found.append(values)
    return found, last


def test_github_annotates_the_rule_in_its_file() -> None:
    run = Run((judged(CLEAN), judged(LATE), unreadable()))
    found, last = _annotations(rendered(run, "github"))
    (result,) = (r for r in judged(LATE).report.rules if r.failed)
    assert found == [
        {
            "level": "error",
            "file": result.rule.source,
            "line": str(result.rule.line),
            "title": f"tracecheck: {result.rule.id}",
            "message": f"{LATE}: 1 of 10 failed: at 1.914875 ms, i2c0 transfer 3 (write 0x3C, 3 bytes): wake came "
            "154 us after irq.begin; measured 154 us ± 41.7 ns, allowed at most 50.0 us: 207 % over "
            "(before 2.50 us, after 2.58 us, median 2.75 us)",
        },
        {
            "level": "error",
            "file": "gone.sr",
            "title": "tracecheck: capture",
            "message": "gone.sr: could not be read: there is no such file",
        },
    ]
    assert last == "tracecheck: fail; 3 captures: 1 passed, 1 failed, 1 could not be checked"


@pytest.mark.parametrize(("captures", "shown"), [(9, 9), (10, 10), (11, 10), (500, 10)])
def test_github_takes_ten_of_a_level_and_the_last_says_how_many_more(captures: int, shown: int) -> None:
    run = Run(tuple(unreadable(f"{i}.sr") for i in range(captures)))
    found, last = _annotations(rendered(run, "github"))
    assert len(found) == shown
    more = captures - 9
    tail = f"{more} more of {captures}; the step's summary has them" if captures > 10 else f"{captures - 1}.sr: "
    assert found[-1]["message"].startswith(tail)
    assert last == f"tracecheck: inconclusive; {captures} captures: {captures} could not be checked"


def test_github_says_nothing_of_a_failure_that_is_wanted() -> None:
    wanted = Terms(verdict="fail")
    run = Run((judged(LATE, terms=wanted), judged(CLEAN, terms=wanted)))
    found, last = _annotations(rendered(run, "github"))
    assert [note["message"] for note in found] == [
        f"{CLEAN}: every rule passed, but the suite expects this capture to fail"
    ]
    assert last == "tracecheck: fail; 2 captures: 1 passed (1 by failing as expected), 1 failed"


def test_the_step_summary_is_appended_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    monkeypatch.chdir(Path(__file__).parent.parent / "captures" / "synthetic")
    arguments = ["analyze", LATE, "--rules", "three-pin.rules.toml"]
    assert main([*arguments, "--format", "github"]) == 1
    text = path.read_text()
    assert text.startswith("before\n### tracecheck: 1 capture: 1 failed\n\n| capture |")
    assert f"| {LATE} | **failed** | " in text
    assert "Transfer 3 on i2c0: write 0x3C, 3 bytes" in text
    assert main(arguments) == 1
    assert path.read_text() == text
    capfd.readouterr()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    assert main([*arguments, "--format", "github"]) == 2
    said = "the step summary ($GITHUB_STEP_SUMMARY) cannot be written: Is a directory"
    assert capfd.readouterr().err == f"tracecheck: {tmp_path}: {said}\n"


def test_the_step_summary_is_bounded() -> None:
    run = Run(tuple(unreadable(f"{i}.sr") for i in range(5000)))
    text = step_summary.render(run)
    assert len(text) < 20_000
    assert "4900 more captures are not listed." in text
    assert "4950 more are not listed." in text


@pytest.mark.parametrize("name", ["text", "json", "junit", "sarif", "github"])
def test_hostile_names_are_spelled_out(name: str) -> None:
    text = rendered(hostile(), name)
    if name == "json":
        return  # JSON escapes by itself; what it means is the name as it is
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\uffff]", text)


def test_junit_of_hostile_names_gives_them_back() -> None:
    text = rendered(hostile(), "junit")
    document = ElementTree.fromstring(text.encode("utf-8"))
    assert [suite.get("name") for suite in document] == [visible(HOSTILE, line=True)] * 2
    assert {note.get("value") for note in document.iter("property") if note.get("name") == "note"} == {
        visible(HOSTILE, line=True)
    }


def test_hostile_names_make_no_annotations_of_their_own() -> None:
    found, _ = _annotations(rendered(hostile(), "github"))
    assert [(note["file"], note.get("line")) for note in found] == [
        (visible(HOSTILE), str(line)) for line in (found[0]["line"], 3)
    ]
    assert all(note["message"].startswith(visible(HOSTILE)) for note in found)


def test_hostile_names_are_no_markup_in_the_step_summary() -> None:
    text = step_summary.render(hostile())
    outside = re.sub(r"````text\n.*?````", "", text, flags=re.DOTALL)
    assert "<script" not in outside
    assert set(re.findall(r"<[^>]*>", outside)) == {"<details>", "<summary>", "</summary>", "</details>"}
    assert [line.count("|") - line.count("\\|") for line in outside.splitlines() if line.startswith("|")] == [6] * 4


def test_a_hundred_thousand_findings_are_bounded() -> None:
    run = many_findings()
    (result,) = run.judged[0].report.rules
    assert result.failed == 100_000
    begun = time.process_time()
    sizes = {name: len(rendered(run, name)) for name in ("text", "junit", "sarif", "github")}
    sizes["summary"] = len(step_summary.render(run))
    assert all(size < 200_000 for size in sizes.values()), sizes
    assert time.process_time() - begun < 10
    assert "100000 of 100000 failed" in rendered(run, "junit")


def test_no_captures_and_no_findings() -> None:
    nothing: Any = Run(())
    assert _counts(rendered(nothing, "junit")) == {}
    assert rendered(nothing, "github") == "tracecheck: inconclusive; no captures\n"
    assert rendered(run_of(CLEAN), "github") == "tracecheck: pass; 1 capture: 1 passed\n"
