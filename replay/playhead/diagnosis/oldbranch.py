"""The branch for old runs: the statements of today as they were when the run was recorded.

Where only a name, an id or the order has changed, it is the same statement with the recorded one in it; elsewhere it is
a call made from what was recorded (see `oldcode`). Where the branch stands is for `patching` to say.
"""

from __future__ import annotations

import ast
import re

from playhead.diagnosis.alignment import Alignment, Change, Row
from playhead.diagnosis.blocks import Stretch, quoted, rewritten
from playhead.diagnosis.oldcode import CannotWrite, Writer
from playhead.diagnosis.source import Function, Source
from playhead.diagnosis.steps import ENDS, StepKind
from playhead_engine.history import History, HistoryEvent

GATHERS = frozenset({"asyncio.gather", "gather"})
CHANGES_OF_ORDER = frozenset({Change.REORDERED, Change.ADDED, None})
CHANGES_OF_CALL = frozenset({Change.RENAMED, Change.OTHER_ID, Change.OTHER_KIND})


class CannotPatch(Exception):
    """No patch can be written; the text says why."""


class OldBranch:
    """Writes old code.

    Attributes:
        notes: What to look at in what was written.
        needs_timedelta: Whether it needs `timedelta`, which the file does not import.
    """

    def __init__(self, alignment: Alignment, history: History, source: Source, module: str) -> None:
        """
        Args:
            alignment: What differs.
            history: What was recorded.
            source: The file.
            module: What the file calls the workflow module.
        """
        self._alignment, self._history, self._source, self._module = alignment, history, source, module
        self.notes: list[str] = []
        self.needs_timedelta = False

    def of_stretch(self, stretch: Stretch, function: Function, rows: list[Row]) -> str:
        """The old code of a stretch: its statements in the recorded order, as they were."""
        writer = self.writer(function)
        texts: list[str] = []
        written: set[ast.stmt] = set()
        for row in sorted((row for row in rows if row.recorded is not None), key=lambda row: row.event_id or 0):
            assert row.recorded is not None
            if row.recorded.kind is StepKind.PATCH:
                continue
            if row.recorded.kind in ENDS and row.change is Change.OTHER_KIND:
                texts.append(self._old_end(writer, row, texts))
                continue
            if row.site is None:
                texts.append(self.write(writer, row) + "\n")
                continue
            statement = next(s for s in stretch.statements if s.lineno <= row.site.line <= (s.end_lineno or s.lineno))
            if statement not in written:
                written.add(statement)
                lines = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
                of_it = [r for r in rows if r.site is not None and r.site.line in lines]
                texts.append(self._old_statement(writer, statement, of_it))
        self.take_over(writer)
        return "".join(text if text.endswith("\n") else text + "\n" for text in texts)

    def _old_end(self, writer: Writer, row: Row, texts: list[str]) -> str:
        """The end that was recorded; it returns what the step before it gave, where that is what was recorded."""
        before = [r for r in self._alignment.rows if r.event_id is not None and r.event_id < (row.event_id or 0)]
        if texts and texts[-1].startswith("await ") and before[-1].site is None:
            result = next(
                (e.attributes.get("result") for e in self._history.events if _ends_step(e, before[-1].event_id)), None
            )
            if result is not None and result == self._history.events[-1].attributes.get("result"):
                return f"return {texts.pop()}"
        return self.write(writer, row)

    def _old_statement(self, writer: Writer, statement: ast.stmt, rows: list[Row]) -> str:
        gather = self.gather(statement)
        if gather is not None and all(row.change in CHANGES_OF_ORDER for row in rows):
            return self.of_gather(statement, gather)
        of_calls = {*CHANGES_OF_CALL, Change.DEPRECATED_TOO_EARLY}
        changes = [self._old_call(writer, statement, row) for row in rows if row.change in of_calls]
        return rewritten(self._source, statement, changes)

    def _old_call(self, writer: Writer, statement: ast.stmt, row: Row) -> tuple[ast.expr, str]:
        assert row.recorded is not None
        assert row.now is not None
        assert row.site is not None
        line = row.site.line
        calls = [
            call
            for name, call in self._source.calls(statement)
            if call.lineno <= line <= (call.end_lineno or call.lineno)
            and re.match(r"(execute|start)_", name.rsplit(".", 1)[-1])
        ]
        if row.recorded.kind is row.now.kind and calls:
            call = max(calls, key=lambda c: (c.lineno, c.col_offset))
            if row.change is Change.OTHER_ID:
                return self._old_id(call, row)
            if call.args:
                name = row.recorded.name
                if row.recorded.kind in (StepKind.ACTIVITY, StepKind.LOCAL_ACTIVITY):
                    return call.args[0], writer.activity_name(name)
                return call.args[0], quoted(name)
        awaits = [
            node
            for node in ast.walk(statement)
            if isinstance(node, ast.Await) and node.lineno <= line <= (node.end_lineno or node.lineno)
        ]
        if not awaits:
            raise CannotPatch(f"line {line} does not wait where it asks, so the old step cannot be put in its place")
        return min(awaits, key=lambda node: (node.end_lineno or 0) - node.lineno), self.write(writer, row)

    def _old_id(self, call: ast.Call, row: Row) -> tuple[ast.expr, str]:
        assert row.recorded is not None
        parameter = "id" if row.recorded.kind is StepKind.CHILD else "activity_id"
        given = next((k.value for k in call.keywords if k.arg == parameter), None)
        self.notes.append(f"the id {row.recorded.id!r} is this run's; see that old runs get theirs")
        if given is not None:
            return given, quoted(row.recorded.id)
        last = call.args[-1] if not call.keywords else call.keywords[-1].value
        text = self._source.text(last)
        return last, f"{text}, {parameter}={quoted(row.recorded.id)}"

    def of_gather(self, statement: ast.stmt, gather: ast.Call) -> str:
        """The gather with its recorded arguments in the recorded order."""
        by_argument: dict[ast.expr, int] = {}
        for argument in gather.args:
            lines = range(argument.lineno, (argument.end_lineno or argument.lineno) + 1)
            of_it = [row for row in self._alignment.rows if row.site is not None and row.site.line in lines]
            if len(of_it) != 1 or isinstance(argument, ast.Starred):
                raise CannotPatch(f"what the gather of line {gather.lineno} begins cannot be told apart by its lines")
            if of_it[0].event_id is not None:
                by_argument[argument] = of_it[0].event_id
        in_order = sorted(by_argument, key=lambda argument: by_argument[argument])
        whole = "".join(self._source.lines)
        texts = [ast.get_source_segment(whole, argument) or "" for argument in in_order]
        changes = list(zip(gather.args, texts, strict=False))
        changes += [(place, "") for place in gather.args[len(texts) :]]
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if isinstance(target, ast.Tuple) and len(target.elts) == len(in_order) == len(gather.args):
            names = [self._source.text(target.elts[gather.args.index(argument)]) for argument in in_order]
            changes += list(zip(target.elts, names, strict=True))
        elif isinstance(statement, ast.Assign | ast.Return):
            self.notes.append(f"the results of the gather of line {gather.lineno} come in the old order in old runs")
        text = rewritten(self._source, statement, changes)
        return re.sub(r"(?m)^\s*,?[ \t]*\n", "", text) if len(texts) < len(gather.args) else text

    def gather(self, statement: ast.stmt) -> ast.Call | None:
        """The `gather` in a statement."""
        return next((call for name, call in self._source.calls(statement) if name in GATHERS), None)

    def write(self, writer: Writer, row: Row) -> str:
        """A call made from what was recorded.

        Raises:
            CannotPatch: There is none.
        """
        assert row.recorded is not None
        try:
            return writer.call(row.recorded)
        except CannotWrite as error:
            raise CannotPatch(str(error)) from error

    def writer(self, function: Function) -> Writer:
        """What writes calls for a function."""
        return Writer(self._history, self._source, function, self._module)

    def take_over(self, writer: Writer) -> None:
        """Keep what a writer has to say."""
        self.needs_timedelta = self.needs_timedelta or writer.needs_timedelta
        self.notes += writer.notes


def _ends_step(event: HistoryEvent, event_id: int | None) -> bool:
    """Whether an event is the good end of the step that another one began."""
    begun_by = event.attributes.get("scheduledEventId", event.attributes.get("initiatedEventId"))
    return event.KIND.endswith("_COMPLETED") and begun_by == str(event_id)
