"""The patch written out: new code under `if workflow.patched(...)`, what was recorded under `else`.

Works on stretches of statements around the rows that differ. New code stays as it is written; the old code is the same
statement with the recorded name, id or order in it where that is all that has changed, and otherwise a call made from
what was recorded. Whether it is right is not decided here: `proof` replays with it.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from playhead.diagnosis.alignment import Alignment, Change, Row
from playhead.diagnosis.blocks import Stretch, indented, loads, quoted, stored_names, stretch_of, text_of
from playhead.diagnosis.oldbranch import CHANGES_OF_CALL, CannotPatch, OldBranch
from playhead.diagnosis.oldcode import Writer
from playhead.diagnosis.source import Function, Source
from playhead.diagnosis.steps import ENDS, StepKind
from playhead.diagnosis.versions import passed_patches, patch_calls
from playhead_engine.history import History

if TYPE_CHECKING:
    from playhead.diagnosis.diagnosis import Diagnosis

_ENDINGS = frozenset({Change.ENDS_EARLIER, Change.OTHER_KIND})


@dataclass(frozen=True, slots=True)
class PatchedSource:
    """A file with a patch in it.

    Attributes:
        lines: Its lines.
        patch_id: The patch.
        notes: What to look at before applying it.
    """

    lines: list[str]
    patch_id: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Edit:
    """Lines to put in the place of others.

    Attributes:
        first: The first line to replace, from 1; text is put before it where `last` is less.
        last: The last line to replace.
        lines: What to put there.
    """

    first: int
    last: int
    lines: list[str]


def patched_source(
    diagnosis: Diagnosis, history: History, source: Source, *, leaves_early: bool = False
) -> PatchedSource:
    """The file with the patch that lets a recorded run go on.

    Args:
        diagnosis: What differs.
        history: What was recorded.
        source: The file.
        leaves_early: Where the code ends earlier, put the way out that is new into the branch, not the steps that are
            missed.

    Raises:
        CannotPatch: The differences are not of a kind that a patch can be written for.
    """
    return _Patching(diagnosis, history, source, leaves_early).done()


class _Patching:
    def __init__(self, diagnosis: Diagnosis, history: History, source: Source, leaves_early: bool) -> None:
        self._leaves_early = leaves_early
        self._alignment = diagnosis.alignment
        self._diagnosis = diagnosis
        self._history = history
        self._source = source
        self._module = workflow_module(source)
        self._old = OldBranch(self._alignment, history, source, self._module)
        self._patch_id = _patch_id(self._alignment, source, history)

    def done(self) -> PatchedSource:
        edits = [self._edit(numbers) for numbers in _runs(self._alignment)]
        edits.sort(key=lambda edit: edit.first)
        for one, other in pairwise(edits):
            if other.first <= one.last:
                raise CannotPatch(f"the changes around line {other.first} overlap; a person has to sort them out")
        lines = list(self._source.lines)
        for edit in reversed(edits):
            lines[edit.first - 1 : edit.last] = edit.lines
        if self._old.needs_timedelta:
            lines.insert(_after_imports(self._source), "from datetime import timedelta\n")
        return PatchedSource(lines, self._patch_id, tuple(dict.fromkeys(self._old.notes)))

    # One run of rows that differ

    def _edit(self, numbers: list[int]) -> _Edit:
        rows = [self._alignment.rows[number] for number in numbers]
        for row in rows:
            if row.change is Change.PATCH_MISSING and row.recorded is not None:
                raise CannotPatch(
                    f"the call of patched({row.recorded.name!r}) is there and is not reached: let this run come to it "
                    "again, at the place where it did"
                )
        if self._leaves_early and all(row.change in _ENDINGS for row in rows):
            return self._way_out(numbers)
            if row.change is Change.OTHER_KIND and row.now is not None and row.now.kind is StepKind.COMPLETED:
                raise CannotPatch("the recorded run did not complete, and the failure it ended in cannot be written")
        passed = next((r.recorded.name for r in rows if r.change is Change.PATCH_REMOVED and r.recorded), None)
        drawn = self._draw(numbers)
        lines = [drawn] if drawn is not None else [row.site.line for row in rows if row.site is not None]
        if any(row.site is not None and row.site.file != self._source.file for row in rows):
            raise CannotPatch("the steps that differ are asked for from another file than the workflow's")
        lines = lines or self._waiting_line(rows)
        if not lines:
            return self._insertion(numbers, rows, passed)
        function = self._source.function(lines[0])
        stretch = stretch_of(self._source, function, lines) if function is not None else None
        if function is None or stretch is None:
            raise CannotPatch("the steps that differ are asked for from several functions")
        header = _with_header(stretch, lines)
        if header is not None:
            return self._around(header, stretch)
        if not (len(stretch.statements) == 1 and self._old.gather(stretch.statements[0]) is not None):
            self._refuse_shared(stretch, numbers)
        return self._branches(stretch, function, rows, passed, is_draw=drawn is not None)

    def _draw(self, numbers: list[int]) -> int | None:
        """The line that draws a random number more, where that is what moved the ids."""
        cause = self._diagnosis.cause_of(numbers[0])
        if cause is None or not cause.words or not cause.line:
            return None
        if any(self._alignment.rows[number].change is not Change.OTHER_ID for number in numbers):
            return None
        if cause.words < 0:
            raise CannotPatch("the code draws fewer random numbers than it did, and nothing tells which")
        return cause.line

    def _waiting_line(self, rows: list[Row]) -> list[int]:
        """The line of the condition that the code waits for in the place of a recorded step."""
        if not self._alignment.stopped or len(rows) != 1:
            return []
        sites = [site for words, site in self._diagnosis.waits if words.startswith("condition") and site is not None]
        return [site.line for site in sites[:1] if site.file == self._source.file]

    def _way_out(self, numbers: list[int]) -> _Edit:
        """The branch that leaves the function too early, for new runs only."""
        before, _ = self._alignment.between(numbers[0])
        function = self._source.function(before.site.line) if before is not None and before.site is not None else None
        if function is None or before is None or before.site is None:
            raise CannotPatch("no line of the code of today is left near the recorded steps")
        exits = [node for node in ast.walk(function) if isinstance(node, ast.Return | ast.Raise)]
        for node in sorted(exits, key=lambda node: node.lineno):
            stretch = stretch_of(self._source, function, [before.site.line, node.lineno])
            if node.lineno <= before.site.line or stretch is None or stretch.last == len(stretch.block) - 1:
                continue
            branch = Stretch(stretch.block, stretch.last, stretch.last)
            text = text_of(self._source, branch.first_line, branch.last_line)
            lines = [f"{branch.indent}if {self._module}.patched({quoted(self._patch_id)}):\n"]
            return _Edit(branch.first_line, branch.last_line, [*lines, *indented(text, branch.indent + "    ")])
        raise CannotPatch("nothing of the code of today comes behind the place where it ends")

    def _around(self, header: ast.With | ast.AsyncWith, stretch: Stretch) -> _Edit:
        """A `with` that is new, around steps that are not."""
        indent, inner = stretch.indent, stretch.indent + "    "
        new = text_of(self._source, stretch.first_line, stretch.last_line)
        old = text_of(self._source, header.body[0].lineno, stretch.last_line)
        lines = [f"{indent}if {self._module}.patched({quoted(self._patch_id)}):\n", *indented(new, inner)]
        return _Edit(stretch.first_line, stretch.last_line, [*lines, f"{indent}else:\n", *indented(old, inner)])

    def _refuse_shared(self, stretch: Stretch, numbers: list[int]) -> None:
        """A stretch that also asks for steps that have not changed cannot be put into a branch."""
        moved = [self._alignment.rows[n].site for n in numbers if self._alignment.rows[n].change is Change.REORDERED]
        moved += [self._alignment.rows[n].site for n in numbers if self._alignment.rows[n].change is None]
        if len(moved) != len(set(moved)):
            line = next(site.line for site in moved if site is not None and moved.count(site) > 1)
            raise CannotPatch(f"line {line} asks for all of them, and the history does not hold what gave the order")
        for number, row in enumerate(self._alignment.rows):
            if number in numbers or row.site is None or row.now is None or row.now.kind in ENDS:
                continue
            if row.site.file == self._source.file and stretch.first_line <= row.site.line <= stretch.last_line:
                raise CannotPatch(
                    f"line {row.site.line} asks for steps that have not changed as well: what decides how often, or in "
                    "which order, it asks has changed, and the history does not hold what that was"
                )

    def _branches(
        self, stretch: Stretch, function: Function, rows: list[Row], passed: str | None, *, is_draw: bool
    ) -> _Edit:
        deprecated = self._deprecated(stretch, rows)
        last = self._reach(stretch)
        stretch = stretch.up_to(last)
        first_line = stretch.first_line
        new = text_of(self._source, first_line, stretch.last_line)
        old = "" if is_draw else self._old.of_stretch(stretch, function, rows)
        gather = self._old.gather(stretch.statements[0])
        if not old and gather is not None and len(stretch.statements) == 1:
            old = self._old.of_gather(stretch.statements[0], gather)
        unset = stored_names(stretch.statements) - stored_names(_parsed(old))
        unset = {name for name in unset if any(loads(s, {name}) for s in _behind(stretch, function))}
        for name in sorted(unset):
            old += f"{name} = None\n"
            self._old.notes.append(f"`{name}` has no value in old runs: None stands in for it")
        if isinstance(stretch.statements[-1], ast.Return) and "return" not in old:
            self._old.notes.append(
                f"old runs return None, since line {stretch.last_line} returns what they never asked for"
            )
        first_edited = deprecated if deprecated is not None else first_line
        indent = stretch.indent
        if passed is not None:
            lines = [f"{indent}if {self._module}.patched({passed!r}):\n", *indented(old, indent + "    ")]
            lines += [f"{indent}else:\n", *indented(new, indent + "    ")]
            if not old:
                lines = [f"{indent}{self._module}.deprecate_patch({passed!r})\n", *indented(new, indent)]
        else:
            lines = [
                f"{indent}if {self._module}.patched({quoted(self._patch_id)}):\n",
                *indented(new, indent + "    "),
            ]
            if old:
                lines += [f"{indent}else:\n", *indented(old, indent + "    ")]
        between = self._source.lines[first_edited : first_line - 1] if deprecated is not None else []
        return _Edit(first_edited, stretch.last_line, [*between, *lines])

    def _deprecated(self, stretch: Stretch, rows: list[Row]) -> int | None:
        """The line of the call that deprecates the patch too early, which becomes the branch."""
        if not any(row.change is Change.DEPRECATED_TOO_EARLY for row in rows):
            return None
        calls = [c for c in patch_calls(self._source) if c.is_deprecation and c.patch_id == self._patch_id]
        line = calls[-1].line
        return line if line < stretch.first_line else None

    def _reach(self, stretch: Stretch) -> int:
        """How far the stretch must reach to hold what uses the names it sets, if that asks for nothing itself."""
        names = stored_names(stretch.statements)
        last = stretch.last
        for index in range(stretch.last + 1, len(stretch.block)):
            statement = stretch.block[index]
            lines = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
            if isinstance(statement, ast.Return) or any(
                row.site is not None and row.site.line in lines and row.now is not None and row.now.kind not in ENDS
                for row in self._alignment.rows
            ):
                break
            if loads(statement, names):
                last = index
                names |= stored_names([statement])
        return last

    def _insertion(self, numbers: list[int], rows: list[Row], passed: str | None) -> _Edit:
        """Where nothing of today's code is left to branch around."""
        before, after = self._alignment.between(numbers[0])
        end = next((r for r in self._alignment.rows if r.now is not None and r.now.kind in ENDS and r.site), None)
        if after is not None and after.recorded is not None and after.recorded.kind in ENDS:
            after = None
        sites = [row.site for row in (before, after, end) if row is not None and row.site is not None]
        if not sites or sites[0].file != self._source.file:
            raise CannotPatch("no line of the code of today is left near the recorded steps")
        function = self._source.function(sites[0].line)
        if function is None:
            raise CannotPatch("no line of the code of today is left near the recorded steps")
        writer = self._old.writer(function)
        steps = [row for row in rows if row.recorded is not None and row.recorded.kind is not StepKind.PATCH]
        place, is_behind = self._place(function, before, after, prefers_after=passed is not None)
        indent = place.indent
        condition = (
            f"{self._module}.patched({quoted(passed)})"
            if passed
            else (f"not {self._module}.patched({quoted(self._patch_id)})")
        )
        if is_behind and isinstance(place.block[place.last], ast.Return) and steps:
            return self._after_return(place, writer, rows, condition)
        if not steps:
            lines = [f"{indent}{self._module}.deprecate_patch({quoted(passed or '')})\n"]
        else:
            lines = [f"{indent}if {condition}:\n"]
            for row in steps:
                lines += indented(self._old.write(writer, row), indent + "    ")
        self._old.take_over(writer)
        line = place.last_line + 1 if is_behind else place.first_line
        return _Edit(line, line - 1, lines)

    def _place(
        self, function: Function, before: Row | None, after: Row | None, *, prefers_after: bool
    ) -> tuple[Stretch, bool]:
        """A statement to stand next to, and whether to stand behind it."""
        found: list[tuple[Stretch, bool]] = []
        for row, is_behind in ((before, True), (after, False)):
            if row is not None and row.site is not None and row.now is not None and row.now.kind not in ENDS:
                stretch = stretch_of(self._source, function, [row.site.line])
                if stretch is not None:
                    found.append((stretch, is_behind))
        if not found:
            body = function.body
            has_docstring = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
            first = 1 if has_docstring and len(body) > 1 else 0
            return Stretch(body, first, first), False
        # In a loop or a branch it is less likely to have stood than around it.
        found.sort(key=lambda item: (item[0].block[item[0].first].col_offset, item[1] is prefers_after))
        return found[0]

    def _after_return(self, place: Stretch, writer: Writer, rows: list[Row], condition: str) -> _Edit:
        """Recorded steps behind a `return`: it has to wait for them in old runs."""
        statement = place.block[place.last]
        assert isinstance(statement, ast.Return)
        indent, inner = place.indent, place.indent + "    "
        lines = [f"{indent}if {condition}:\n"]
        value = ast.get_source_segment("".join(self._source.lines), statement.value) if statement.value else None
        if value is not None:
            lines += indented(f"result = {value}", inner)
        for row in rows:
            lines += indented(self._old.write(writer, row), inner)
        if value is not None:
            lines += [f"{inner}return result\n"]
            self._old.notes.append("the recorded run may have returned something else than `result`")
        else:
            lines += [f"{inner}return\n"]
        lines += self._source.lines[place.first_line - 1 : place.last_line]
        self._old.take_over(writer)
        return _Edit(place.first_line, place.last_line, lines)


def _runs(alignment: Alignment) -> list[list[int]]:
    """Rows that are changed together: neighbours, and whatever stands between two that changed places."""
    changed = set(alignment.differences())
    rows = alignment.rows
    for number in list(changed):
        row = rows[number]
        if row.change is not Change.REORDERED or row.place is None:
            continue
        crossing = [
            other
            for other, one in enumerate(rows)
            if one.place is not None and one.event_id is not None and row.event_id is not None
            if (row.place - one.place) * (row.event_id - one.event_id) < 0
        ]
        if crossing:
            changed.update(range(min(number, *crossing), max(number, *crossing) + 1))
    runs: list[list[int]] = []
    for number in sorted(changed):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _behind(stretch: Stretch, function: Function) -> list[ast.stmt]:
    """The statements of a function that come after a stretch, or around it in a loop."""
    return [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.stmt)
        and not isinstance(node, Function)
        and (node.lineno > stretch.last_line or isinstance(node, ast.For | ast.While | ast.AsyncFor))
    ]


def _parsed(text: str) -> list[ast.stmt]:
    try:
        return ast.parse(text).body
    except SyntaxError:  # `return` and `await` outside of a function
        function = ast.parse("async def old():\n" + "".join(indented(text or "pass", "    "))).body[0]
        assert isinstance(function, ast.AsyncFunctionDef)
        return function.body


def _with_header(stretch: Stretch, lines: list[int]) -> ast.With | ast.AsyncWith | None:
    """The `with` whose header alone holds some lines, if that is all there is to a stretch."""
    statement = stretch.statements[0]
    if len(stretch.statements) > 1 or not isinstance(statement, ast.With | ast.AsyncWith):
        return None
    return statement if max(lines) < statement.body[0].lineno else None


def workflow_module(source: Source) -> str:
    """What the file calls the workflow module."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module in ("playhead_engine", "temporalio"):
            for alias in node.names:
                if alias.name == "workflow":
                    return alias.asname or alias.name
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in ("playhead_engine.workflow", "temporalio.workflow"):
                    return alias.asname or alias.name
    return "workflow"


def _patch_id(alignment: Alignment, source: Source, history: History) -> str:
    """A name for the change; the one that was deprecated too early where that is what went wrong."""
    rows = [alignment.rows[number] for number in alignment.differences()]
    if any(row.change is Change.DEPRECATED_TOO_EARLY for row in rows):
        passed = passed_patches(history)
        return next(c.patch_id for c in patch_calls(source) if c.is_deprecation and c.patch_id not in passed)
    taken = {call.patch_id for call in patch_calls(source)} | passed_patches(history)
    row = rows[0]
    step = row.now if row.recorded is None or row.change in CHANGES_OF_CALL else row.recorded
    verb = {
        Change.ADDED: "add",
        Change.GOES_ON_LONGER: "add",
        Change.REMOVED: "remove",
        Change.ENDS_EARLIER: "remove",
        Change.REORDERED: "reorder",
        Change.RENAMED: "rename-to",
    }.get(row.change or Change.ADDED, "change")
    name = (step.name or step.kind.value) if step is not None else ""
    base = re.sub(r"[^a-z0-9]+", "-", f"{verb}-{name}".lower()).strip("-")
    if row.change is Change.PATCH_REMOVED and row.recorded is not None:
        return row.recorded.name
    return next(name for number in range(1, 1000) if (name := base if number == 1 else f"{base}-{number}") not in taken)


def _after_imports(source: Source) -> int:
    imports = [
        node.end_lineno or node.lineno for node in source.tree.body if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    return max(imports, default=0)
