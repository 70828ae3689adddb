"""The reports of a check, each held against what its format demands: published schemas, and the limits of services."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from playhead.allowances import Allowance
from playhead.checking.code_quality import code_quality
from playhead.checking.document import SCHEMA, check_document
from playhead.checking.github import workflow_commands
from playhead.checking.inventory import WorkflowClass
from playhead.checking.judgement import Explanation, Judgement, Kind, Site
from playhead.checking.junit import junit_xml
from playhead.checking.markdown import MARKER, check_markdown
from playhead.checking.outcome import Base, Check, Outcome, Standing
from playhead.checking.sarif import sarif_log
from playhead.diagnosis.document import SCHEMA as DIAGNOSIS_SCHEMA
from tests.replay.json_schema import problems
from tests.replay.shop import Shop, project, shop

__all__ = ["project", "shop"]

SCHEMAS = Path(__file__).parent / "schemas"
GITHUB_COMMENT_LIMIT = 65_536
ALLOWANCE = Allowance("old.json", "recorded <before> the rewrite | of 2020", date(2999, 12, 31))


def judgement(kind: Kind = Kind.DIVERGES, line: int | None = 14, **fields: Any) -> Judgement:
    return replace(
        Judgement(
            kind,
            f"{kind.value} at event 11",
            ("  recorded  A", "  now       B"),
            event_id=11,
            site=None if line is None else Site("app/orders.py", line, "Order.run"),
            workflow_type="Order",
            workflow_id="order-1",
            run_id="run-1",
            events=23,
            temporal="nondeterminism",
            document={"recorded": {"type": "A"}, "now": {"type": "B"}},
        ),
        **fields,
    )


def outcome(history: str, standing: Standing = Standing.BREAKS, **fields: Any) -> Outcome:
    return replace(Outcome(history, standing, judgement()), **fields)


@pytest.fixture
def everything(tmp_path: Path) -> Check:
    """A check with an outcome of every standing, in a project that is a folder of a repository."""
    explanation = Explanation("a table\n  why", "| a | b |\n|---|---|", ("A new step at line 14.",), {"rows": 1})
    return Check(
        (
            outcome("h/a.json", judgement=judgement(explanation=explanation)),
            outcome("h/b, c.json"),
            outcome("h/old.json", Standing.OLD, before=judgement()),
            outcome("h/allowed.json", Standing.ALLOWED, allowance=ALLOWANCE),
            outcome("h/fine.json", Standing.AGREES, judgement=judgement(Kind.AGREES, None, event_id=0)),
            outcome("h/torn.json", Standing.UNCHECKED, judgement=Judgement(Kind.UNREADABLE, "unreadable", ("  torn",))),
        ),
        folder=str(tmp_path / "shop"),
        classes=(WorkflowClass("Order", "app.orders.Order", Site("app/orders.py", 9), (), False),),
        uncovered=(WorkflowClass("Trip", "app.trips.Trip", Site("app/trips.py", 7), (), False),),
        idle=(Allowance("gone.json", "why", date(2999, 12, 31)),),
        base=Base("origin/main", "c0ffee"),
        seconds=1.25,
    )


def test_a_real_check_writes_every_report(shop: Shop) -> None:
    """By its options, all at once, each as its schema says; and GitHub is told without being asked for."""
    pytest.importorskip("jsonschema")
    pytest.importorskip("xmlschema")
    shop.edit("app/prices.py", "charge", "invoice")
    shop.write("histories/torn.json", "{")
    files = {name: f"reports/{name}" for name in ("junit", "sarif", "json", "markdown", "code-quality")}
    options = [word for name, file in files.items() for word in (f"--{name}", file)]
    summary = shop.write("summary.md", "before\n")
    done = shop.run(
        "check",
        *options,
        environment={
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_WORKSPACE": str(shop.root.parent),
        },
    )
    assert done.returncode == 1, done.stderr
    read = {name: (shop.root / file).read_text() for name, file in files.items()}
    assert sarif_errors(json.loads(read["sarif"])) == []
    assert junit_errors(read["junit"]) == []
    document = json.loads(read["json"])
    assert problems(document, json.loads(SCHEMA.read_text())) == []
    assert problems(document["histories"][0]["diagnosis"], json.loads(DIAGNOSIS_SCHEMA.read_text())) == []
    assert document["histories"][0]["site"] == {"file": "app/orders.py", "line": 14, "function": "Order.run"}
    assert read["markdown"].startswith(MARKER)
    assert summary.read_text() == "before\n" + read["markdown"]
    line = f"file={shop.root.name}/app/orders.py,line=14"
    assert (
        f"::error {line},title=Playhead%3A diverges (2 histories)::The activity of line 14 is called `invoice` now"
        in (done.stdout)
    )
    assert f"::error file={shop.root.name}/histories/torn.json,line=1,title=Playhead%3A unreadable::" in done.stdout
    assert json.loads(read["code-quality"])[0]["location"] == {
        "path": f"{shop.root.name}/app/orders.py",
        "lines": {"begin": 14},
    }


def test_json_is_as_its_schema_says(everything: Check) -> None:
    """For every standing; the schema forbids what it does not describe."""
    made = check_document(everything)
    assert problems(made, json.loads(SCHEMA.read_text())) == []
    assert made["counts"] == {"agrees": 1, "breaks": 2, "broke before": 1, "allowed": 1, "not checked": 1}
    assert made["passes"] is False


def test_junit_is_as_its_schema_says(everything: Check, tmp_path: Path) -> None:
    """A test case for each history: breaks fail, old and allowed ones are skipped, unreadable ones are errors."""
    text = junit_xml(everything, str(tmp_path)).decode()
    assert junit_errors(text) == []
    suite = fromstring(text)[0]
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6",
        "failures": "2",
        "errors": "1",
        "skipped": "2",
    }
    children = {case.get("name"): [child.tag for child in case] for case in suite}
    assert children == {
        "h/a.json": ["failure"],
        "h/b, c.json": ["failure"],
        "h/old.json": ["skipped"],
        "h/allowed.json": ["skipped"],
        "h/fine.json": [],
        "h/torn.json": ["error"],
    }
    assert "shop/app/orders.py:14" in (suite[0][0].text or "")


def test_junit_stands_any_text(tmp_path: Path) -> None:
    """What XML cannot say, as in the message of an error, is replaced."""
    odd = "\x00\x1b[31m]]>&\ud800\uffff <b>"
    made = Check((outcome("a\x1b.json", judgement=judgement(headline=odd, lines=(odd,))),), str(tmp_path))
    text = junit_xml(made, str(tmp_path)).decode()
    assert junit_errors(text) == []
    assert fromstring(text)[0][0].get("name") == "a\ufffd.json"
    assert fromstring(text)[0][0][0].get("message") == "\ufffd\ufffd[31m]]>&\ufffd\ufffd <b>"


def test_sarif_is_as_its_schema_says(everything: Check, tmp_path: Path) -> None:
    """One result for each line; old ones are unchanged, allowed ones suppressed with the reason."""
    log = sarif_log(everything, str(tmp_path))
    assert sarif_errors(log) == []
    results = log["runs"][0]["results"]
    assert [(one["level"], one["baselineState"], len(one.get("suppressions", []))) for one in results] == [
        ("error", "new", 0),
        ("error", "new", 0),
        ("note", "unchanged", 0),
        ("note", "new", 1),
    ]
    assert results[0]["properties"]["histories"] == ["h/a.json", "h/b, c.json"]
    assert results[0]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "shop/app/orders.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 14},
    }
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    assert [rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in results] == [True] * 4


def test_a_finding_is_the_same_when_lines_move(everything: Check, tmp_path: Path) -> None:
    """Services tell by its fingerprint whether they know it."""
    moved = replace(
        everything,
        outcomes=tuple(
            replace(one, judgement=replace(one.judgement, site=Site("app/orders.py", 99, "Order.run")))
            if one.judgement.site
            else one
            for one in everything.outcomes
        ),
    )

    def prints(check: Check) -> list[str]:
        return [one["fingerprint"] for one in code_quality(check, str(tmp_path))]

    assert prints(moved) == prints(everything)
    assert len(set(prints(everything))) == 2


def test_annotations_are_escaped(tmp_path: Path) -> None:
    """A line break, a percent sign, or in a property a comma or colon, would end them."""
    odd = judgement(lines=("100%\r\nsure: yes, no::",), site=Site("a,b:c%.py", 3), headline="diverges, so: 5%")
    [command] = workflow_commands(Check((outcome("h.json", judgement=odd),), str(tmp_path)), str(tmp_path))
    properties, _, message = command.removeprefix("::error ").partition("::")
    assert properties == "file=a%2Cb%3Ac%25.py,line=3,title=Playhead%3A diverges%2C so%3A 5%25"
    assert message == "100%25%0D%0Asure: yes, no::%0Ah.json: diverges, so: 5%25"


def test_no_annotation_is_lost_without_a_word(tmp_path: Path) -> None:
    """GitHub shows ten of a step; the tenth says how many there are besides."""
    many = Check(tuple(outcome(f"{n}.json", judgement=judgement(line=n)) for n in range(1, 31)), str(tmp_path))
    commands = workflow_commands(many, str(tmp_path))
    assert len(commands) == 10
    assert commands[-1] == "::error title=Playhead::And 21 more: see the summary of the job."


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        (Site("app/orders.py", 14), "file=shop/app/orders.py,line=14"),
        (Site("../lib/steps.py", 3), "file=lib/steps.py,line=3"),
        (Site("/usr/lib/python3/site-packages/steps.py", 3), "file=shop/app/orders.py,line=9"),
        (None, "file=shop/app/orders.py,line=9"),
    ],
)
def test_what_is_annotated_is_in_the_repository(
    everything: Check, tmp_path: Path, site: Site | None, expected: str
) -> None:
    """The line that is to blame; where there is none or it is somebody else's, the workflow class."""
    one = replace(everything, outcomes=(outcome("h.json", judgement=judgement(site=site)),), uncovered=(), idle=())
    [command] = workflow_commands(one, str(tmp_path))
    assert command.startswith(f"::error {expected},")


def test_a_history_without_code_is_annotated_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no line of code that could be."""
    monkeypatch.chdir(tmp_path)
    gone = judgement(Kind.NOT_REPLAYABLE, None, workflow_type="Gone")
    [command] = workflow_commands(Check((outcome("h/a.json", judgement=gone),), str(tmp_path)), str(tmp_path))
    assert command.startswith("::error file=h/a.json,line=1,")


def test_markdown_tells_of_everything(everything: Check, tmp_path: Path) -> None:
    """What breaks with its table, the rest in lists, and nothing in it becomes a tag or a cell by accident."""
    text = check_markdown(everything, str(tmp_path))
    assert text.startswith(f"{MARKER}\n## Playhead: 2 histories break\n")
    assert "### `shop/app/orders.py:14`: diverges at event 11\n\n`h/a.json`\n\n| a | b |" in text
    assert "<details><summary>1 more at this line</summary>\n\n- `h/b, c.json`: diverges at event 11\n" in text
    assert "- `h/old.json`: diverges at event 11, it broke before (diverges at event 11)" in text
    assert "allowed until 2999-12-31: recorded &lt;before> the rewrite \\| of 2020" in text
    assert "No history covers app.trips.Trip (app/trips.py:7)." in text


def test_markdown_fits_into_a_comment(tmp_path: Path) -> None:
    """However many lines break, and it says how many are left out."""
    long = Explanation("", "x" * 3000, (), {})
    outcomes = tuple(outcome(f"{n}.json", judgement=judgement(line=n, explanation=long)) for n in range(1, 100))
    text = check_markdown(Check(outcomes, str(tmp_path)), str(tmp_path))
    assert 50_000 < len(text) < GITHUB_COMMENT_LIMIT
    shown = text.count("\n### ")
    assert f"*{99 - shown} more places: the log of the job has them all.*" in text


def sarif_errors(log: Any) -> list[str]:
    """What the schema of SARIF says against a log."""
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((SCHEMAS / "sarif-2.1.0-rtm.5.json").read_text())
    validator = jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())
    return [error.message for error in validator.iter_errors(log)]


def junit_errors(text: str) -> list[str]:
    """What the schema of JUnit XML says against a report."""
    xmlschema = pytest.importorskip("xmlschema")
    return [str(error.reason) for error in xmlschema.XMLSchema(SCHEMAS / "junit-10.xsd").iter_errors(text)]
