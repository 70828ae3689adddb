"""Clocks, randomness and sleep: refused in workflow code, and untouched everywhere else."""

from __future__ import annotations

import asyncio
import copy
import inspect
import logging
import os
import pickle
import random
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import typing
import uuid
import warnings
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, Field

from playhead_engine import guards
from tests.engine.guard_samples import captured
from tests.engine.guard_samples.harness import Sample, as_workflow, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

FORBIDDEN: list[tuple[str, str, Callable[[], object]]] = [
    ("time.time()", "use workflow.time()", lambda: time.time()),
    ("time.time_ns()", "use workflow.time_ns()", lambda: time.time_ns()),
    ("time.monotonic()", "use workflow.time()", lambda: time.monotonic()),
    ("time.monotonic_ns()", "use workflow.time_ns()", lambda: time.monotonic_ns()),
    ("time.perf_counter()", "use workflow.time()", lambda: time.perf_counter()),
    ("time.perf_counter_ns()", "use workflow.time_ns()", lambda: time.perf_counter_ns()),
    ("time.process_time()", "use workflow.time()", lambda: time.process_time()),
    ("time.localtime()", "use workflow.now()", lambda: time.localtime()),
    ("time.gmtime()", "use workflow.now()", lambda: time.gmtime()),
    ("time.ctime()", "use workflow.now()", lambda: time.ctime()),
    ("time.strftime()", "use workflow.now()", lambda: time.strftime("%Y")),
    ("time.sleep()", "use await workflow.sleep()", lambda: time.sleep(0)),
    ("datetime.now()", "use workflow.now()", lambda: datetime.now()),
    ("datetime.now()", "use workflow.now()", lambda: datetime.now(UTC)),
    ("datetime.now()", "use workflow.now()", lambda: datetime.now(tz=UTC)),
    ("datetime.utcnow()", "use workflow.now()", lambda: datetime.utcnow()),  # pyright: ignore[reportDeprecated]
    ("datetime.today()", "use workflow.now()", lambda: datetime.today()),
    ("date.today()", "use workflow.now().date()", lambda: date.today()),
    ("random.random()", "use workflow.random().random()", lambda: random.random()),
    ("random.randint()", "use workflow.random().randint()", lambda: random.randint(1, 6)),
    ("random.choice()", "use workflow.random().choice()", lambda: random.choice([1, 2])),
    ("random.shuffle()", "use workflow.random().shuffle()", lambda: random.shuffle([1, 2])),
    ("random.seed()", "use workflow.random()", lambda: random.seed(1)),
    ("random.Random() without a seed", "use workflow.random()", lambda: random.Random()),
    ("random.SystemRandom().random()", "make it in an activity", lambda: random.SystemRandom().random()),
    ("uuid.uuid1()", "use workflow.uuid4()", lambda: uuid.uuid1()),
    ("uuid.uuid4()", "use workflow.uuid4()", lambda: uuid.uuid4()),
    ("os.urandom()", "use workflow.random().randbytes()", lambda: os.urandom(4)),
    ("secrets.token_hex()", "make it in an activity", lambda: secrets.token_hex()),
    ("random.SystemRandom().choice()", "make it in an activity", lambda: secrets.choice("abc")),
]


@pytest.mark.parametrize(("call", "instead", "step"), FORBIDDEN, ids=[call for call, _, _ in FORBIDDEN])
def test_a_clock_or_randomness_is_refused_where_it_stands(call: str, instead: str, step: Callable[[], object]) -> None:
    """The error names the call, the file and line of the code that made it, and what to do instead."""
    error = refusal(step)
    assert (error.call, error.instead) == (call, instead)
    assert (error.file, error.line) == (__file__, step.__code__.co_firstlineno)
    assert error.workflow == "Sample (sample-1)"


@pytest.mark.parametrize("how", captured.FORBIDDEN)
def test_a_callable_that_was_imported_by_name_before_is_refused_too(how: str) -> None:
    """It does not matter how a module got hold of a clock."""
    step = captured.FORBIDDEN[how]
    error = refusal(step)
    assert error.file == captured.__file__
    assert error.line > 0


def test_the_message_is_one_that_helps() -> None:
    """file:line, what, why, and what instead."""
    error = guards.NondeterministicCall(
        "datetime.now()", "orders.py", 42, "would give another answer on replay", "use x"
    )
    assert str(error) == "orders.py:42: datetime.now() in workflow code would give another answer on replay; use x"


def test_the_error_survives_pickling() -> None:
    """Fields and text are the same after it went through another process."""
    error = refusal(lambda: time.time())
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, guards.NondeterministicCall)
    assert isinstance(again, RuntimeError)
    assert (str(again), again.workflow) == (str(error), error.workflow)


def test_a_call_inside_of_a_function_that_imports_is_refused() -> None:
    """Importing inside of the workflow is no way around."""

    def step() -> float:
        from time import time as local_clock

        return local_clock()

    assert refusal(step).call == "time.time()"


def test_a_helper_of_the_user_is_refused_at_its_own_line() -> None:
    """The position is that of the call, not of the workflow that called the helper."""

    def helper() -> float:
        return time.time()

    error = refusal(lambda: helper())
    assert error.line == helper.__code__.co_firstlineno + 1


class Priced(BaseModel):
    """A pydantic model that draws its id and asks the clock."""

    id: uuid.UUID = Field(default_factory=uuid.uuid4)


class Dated(BaseModel):
    """A pydantic model that asks the clock."""

    at: datetime = Field(default_factory=lambda: datetime.now(UTC))


def test_a_pydantic_default_is_refused() -> None:
    """A model that makes up an id or a time does so on behalf of the workflow that makes the model."""
    assert refusal(lambda: Priced()).call == "uuid.uuid4()"
    assert refusal(lambda: Dated()).call == "datetime.now()"
    given = uuid.UUID(int=1)
    assert as_workflow(lambda: Priced(id=given)).id == given


class Shaped(BaseModel):
    """A plain pydantic model."""

    name: str
    price: Decimal


def _logs() -> str:
    logger = logging.getLogger("guards.test")
    try:
        raise ValueError("shown")
    except ValueError:
        logger.exception("logged")
        return traceback.format_exc()


def _warns() -> None:
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        warnings.warn("soon gone", DeprecationWarning, stacklevel=1)


def _imports() -> object:
    import this_module_is_made_by_the_test as made  # type: ignore[import-not-found]

    return made.started


def _defines() -> object:
    @dataclass
    class Local:
        name: str

    class Model(BaseModel):
        name: str

    return Local("a"), Model(name="b")


ALLOWED: list[Callable[[], object]] = [
    _logs,
    _warns,
    _defines,
    lambda: Shaped.model_validate_json('{"name": "a", "price": "1.50"}').model_dump_json(),
    lambda: copy.deepcopy({"a": [1, {2}]}),
    lambda: Decimal("1.1") * 3,
    lambda: __import__("json").dumps({"a": 1}),
    lambda: __import__("re").sub("a+", "b", "caat"),
    lambda: random.Random(7).choice([1, 2, 3]),
    lambda: uuid.uuid5(uuid.NAMESPACE_DNS, "example.com"),
    lambda: datetime(2024, 5, 1, tzinfo=UTC).strftime("%Y"),
    lambda: datetime.fromisoformat("2024-05-01T00:00:00+00:00"),
    lambda: datetime.fromtimestamp(0, UTC),
    lambda: time.strftime("%Y", time.gmtime(0)),
    lambda: secrets.compare_digest("a", "a"),
    lambda: __import__("zoneinfo").ZoneInfo("Europe/Berlin"),
    lambda: inspect.getsource(_warns),
    lambda: print("printed"),
]


@pytest.mark.parametrize("step", ALLOWED)
def test_what_libraries_do_for_their_own_ends_is_allowed(step: Callable[[], object]) -> None:
    """Logging, tracebacks, warnings, models, copies, arithmetic, seeded randomness and the like work in workflows."""
    as_workflow(step)


def test_logging_to_a_file_is_allowed(tmp_path: Path) -> None:
    """A handler that opens its file at the first record may do so, and the record carries the real time."""
    handler = logging.FileHandler(tmp_path / "log.txt", delay=True)
    logger = logging.getLogger("guards.file")
    logger.addHandler(handler)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    try:
        as_workflow(lambda: logger.error("written"))
    finally:
        logger.removeHandler(handler)
        handler.close()
    assert "written" in (tmp_path / "log.txt").read_text()


def test_importing_inside_of_a_workflow_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even of a module that asks the clock and reads a file while it is imported."""
    source = "import time, pathlib\nstarted = time.time()\nsize = len(pathlib.Path(__file__).read_text())\n"
    (tmp_path / "this_module_is_made_by_the_test.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    assert isinstance(as_workflow(_imports), float)


def test_asyncio_runs_in_a_workflow() -> None:
    """What a loop does to keep time is the loop's business; what a task does is not."""

    async def gathers() -> list[int]:
        async def one(number: int) -> int:
            await asyncio.sleep(0.001)
            async with asyncio.timeout(1), asyncio.Lock():
                return number

        return list(await asyncio.gather(one(1), one(2)))

    async def asks() -> float:
        await asyncio.sleep(0)
        return time.time()

    loop = asyncio.new_event_loop()
    try:
        assert as_workflow(lambda: loop.run_until_complete(gathers())) == [1, 2]
        assert refusal(lambda: loop.run_until_complete(asks())).call == "time.time()"
    finally:
        loop.close()


def test_the_escape_hatch_holds_across_awaits_and_for_its_own_task_only() -> None:
    """One task may ask the clock, before and after it waited; the other, which runs in between, may not."""
    answers: list[object] = []

    async def escapes() -> None:
        with guards.unrestricted():
            answers.append(time.time())
            await asyncio.sleep(0)
            answers.append(time.time())

    async def abides() -> None:
        try:
            time.time()
        except guards.NondeterministicCall as error:
            answers.append(error)

    async def both() -> None:
        await asyncio.gather(escapes(), abides())

    loop = asyncio.new_event_loop()
    try:
        as_workflow(lambda: loop.run_until_complete(both()))
    finally:
        loop.close()
    assert [type(answer).__name__ for answer in answers] == ["float", "NondeterministicCall", "float"]


def test_the_guards_come_back_after_the_escape_hatch() -> None:
    """Also if the block was left by an error."""

    def step() -> None:
        with pytest.raises(ValueError, match="out"), guards.unrestricted():
            assert not guards.in_workflow()
            raise ValueError("out")
        assert guards.in_workflow()
        time.time()

    assert refusal(step).call == "time.time()"


def test_other_threads_are_not_the_workflow() -> None:
    """An activity in a thread asks the clock while a workflow runs on this one."""
    asked, answers = threading.Event(), list[float]()
    done = threading.Event()

    def activity() -> None:
        asked.wait()
        answers.append(time.time() + random.random() + datetime.now().timestamp())
        with tempfile.TemporaryFile():
            pass
        done.set()

    thread = threading.Thread(target=activity)
    thread.start()

    def step() -> None:
        asked.set()
        done.wait()

    as_workflow(step)
    thread.join()
    assert len(answers) == 1


def test_outside_of_a_workflow_everything_answers_as_before() -> None:
    """Activities in the same module get real times, real randomness, and the types they expect."""
    guards.arm(Sample)
    assert abs(time.time() - datetime.now().timestamp()) < 5
    assert type(datetime.now()) is datetime
    assert type(captured.Birthday.now()) is captured.Birthday
    assert type(date.today()) is date
    assert captured.Stopwatch().clock() <= time.perf_counter()
    assert isinstance(captured.Stamped().at, datetime)
    assert vars(captured)["wall_clock"] is time.time
    assert random.random.__name__ == "random"
    assert isinstance(random.Random().random(), float)
    assert len(os.urandom(3)) == 3
    assert uuid.uuid4().version == 4


def test_type_hints_still_name_the_real_datetime() -> None:
    """Payload conversion by annotation sees the type that was written."""
    guards.arm(Sample)

    def handler(at: datetime, day: date) -> None: ...

    assert typing.get_type_hints(handler)["at"] is datetime
    assert isinstance(datetime(2024, 5, 1), datetime)


def test_guarded_functions_are_pickled_by_name() -> None:
    """A clock that is sent to another process arrives as that process's clock."""
    guards.arm(Sample)
    for function in (time.time, random.choice, datetime.now):
        assert pickle.loads(pickle.dumps(function)) == function


def test_a_deprecated_call_is_still_blamed_on_its_caller() -> None:
    """`utcnow` warns from 3.12 on; filters by module must see the module that called it."""
    guards.arm(Sample)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = datetime.utcnow()  # pyright: ignore[reportDeprecated]
    assert value.tzinfo is None
    assert abs((datetime.now(UTC).replace(tzinfo=None) - value).total_seconds()) < 5
    assert [warning.filename for warning in caught] == ([__file__] if sys.version_info >= (3, 12) else [])


def test_a_fake_clock_of_a_test_does_not_take_the_guards_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test put in the clock's place while a class was armed, the next class gets the real one guarded."""
    guards.arm(Sample)
    real: Any = time.time

    class First:
        pass

    class Second:
        pass

    with monkeypatch.context() as patched:
        patched.setattr(time, "time", lambda: 42.0)
        guards.arm(First)
        assert time.time() == 42.0
        assert refusal(lambda: time.time()).call == "time.time()"
    time.time = real.__wrapped__
    guards.arm(Second)
    assert refusal(lambda: time.time()).call == "time.time()"


INSTALLED = """
import time, uuid
from time import time as wall_clock

class Installed:
    def asks(self): return wall_clock()
    def draws(self): return uuid.uuid4()
"""


def test_a_workflow_installed_like_a_library_is_guarded(tmp_path: Path) -> None:
    """An application in site-packages is the user's code none the less, once one of its workflows was armed."""
    package = tmp_path / "site-packages" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "orders.py").write_text(INSTALLED)
    program = """
from playhead_engine import guards
from shop.orders import Installed
guards.arm(Installed)
guards.enter("Installed")
for step in (Installed().asks, Installed().draws):
    try:
        step()
    except guards.NondeterministicCall as error:
        print(error.call, error.file.endswith("orders.py"), error.line)
guards.leave()
"""
    path = os.pathsep.join([str(package.parent), *sys.path])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env={"PYTHONPATH": path})
    assert done.stdout.splitlines() == ["time.time() True 6", "uuid.uuid4() True 7"], done.stderr
