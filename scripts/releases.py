"""Hold the rules against every supported release of `temporalio`, each in an environment of its own.

Tests see only the release that is installed. Before the rules of matching are changed, or when a release comes out:

    python scripts/releases.py check [--runs N]     made-up runs, recordings and real code, asked of each release
    python scripts/releases.py record [--runs N]    record what they say of runs that they judge differently

The environments are made with `venv` and `pip`, so a package index must be reachable, and are kept in `--environments`
for the next time. A supported release is one with a profile (`playhead_engine/profile.py`).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for the tests, which are not installed

from playhead_engine.messages import Json
from playhead_engine.profile import PROFILES, Profile

ROOT = Path(__file__).resolve().parent.parent
_NEEDED = ("pytest", "orjson", "diskcache", "hypothesis", "cryptography")  # Playhead itself is found by its paths
_TESTS = (
    "tests/engine/test_matching_against_core.py",
    "tests/engine/test_recordings_against_core.py",
    "tests/engine/test_profiles.py",
    "tests/engine/test_temporal_activities.py",
    "tests/engine/test_temporal_clients.py",
    "tests/engine/test_temporal_converter.py",
    "tests/engine/test_temporal_release.py",
    "tests/engine/test_temporal_running.py",
    "tests/replay/test_temporal_mistakes.py",
    "tests/replay/test_temporal_releases.py",
)
_JUDGED_ALIKE = 40


def main() -> int:
    """Do what is asked; returns 0 unless a release disagrees."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("check", "record", "judge"), help="`judge` is what `record` runs")
    parser.add_argument("--runs", type=int, default=2_000, metavar="N", help="how many runs to make up (2000)")
    parser.add_argument("--environments", type=Path, default=Path(tempfile.gettempdir()) / "playhead-releases")
    arguments = parser.parse_args()
    match arguments.action:
        case "check":
            return _check(arguments.environments, arguments.runs)
        case "record":
            return _record(arguments.environments, arguments.runs)
        case _:
            return _judge(arguments.runs)


def _check(environments: Path, runs: int) -> int:
    failed: list[str] = []
    for profile in PROFILES:
        print(f"{profile.name}: {runs} made-up runs, and those that were recorded", flush=True)
        tests = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *_TESTS]
        done = subprocess.run([_python(environments, profile), *tests], cwd=ROOT, env=_paths(runs), check=False)
        if done.returncode != 0:
            failed.append(profile.name)
    if failed:
        print("other rules than here: " + ", ".join(failed))
    return 1 if failed else 0


def _record(environments: Path, runs: int) -> int:
    from tests.engine import judgements
    from tests.engine.mutations import run_of_seed

    said: dict[str, dict[int, Json]] = {}
    for profile in PROFILES:
        command = [_python(environments, profile), str(Path(__file__)), "judge", "--runs", str(runs)]
        print(f"{profile.name}: asking about {runs} runs", flush=True)
        done = subprocess.run(command, cwd=ROOT, env=_paths(runs), check=True, stdout=subprocess.PIPE)
        said[profile.name] = dict(json.loads(line) for line in done.stdout.splitlines())
    alike: list[judgements.JudgedRun] = []
    differing: list[judgements.JudgedRun] = []
    for seed in said[PROFILES[0].name]:
        by_release = {name: judgements.judgement_from_json(answers[seed]) for name, answers in said.items()}
        judged = judgements.JudgedRun(seed, run_of_seed(seed), by_release)
        (alike if judged.is_judged_alike else differing).append(judged)
    judgements.write([*differing, *alike[:_JUDGED_ALIKE]])
    size = judgements.RECORDING.stat().st_size
    print(f"{len(differing)} of {runs} runs are judged differently; {judgements.RECORDING} has {size:,} bytes")
    return 0


def _judge(runs: int) -> int:
    """Print what the core of this environment makes of each run, as a line of JSON each."""
    for line in _judged(runs):
        print(line)
    return 0


def _judged(runs: int) -> Iterator[str]:
    from tests.engine.agreement import judged_by_core
    from tests.engine.judgements import judgement_json
    from tests.engine.mutations import run_of_seed

    from playhead_engine.history import event_from_json
    from playhead_engine.matching import InvalidHistory
    from playhead_engine.tasks import outline

    for seed in range(runs):
        run = run_of_seed(seed)
        try:
            outline([event_from_json(event) for event in run.events])
        except InvalidHistory:
            continue  # core hangs on these
        yield json.dumps([seed, judgement_json(judged_by_core(run.events, run.script()))])


def _python(environments: Path, profile: Profile) -> str:
    """The interpreter of a release's environment, which is made if it is not there."""
    release = profile.name.removeprefix("temporalio ")
    directory = environments / f"{release}-py{sys.version_info.major}.{sys.version_info.minor}"
    python = directory / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        print(f"{profile.name}: making {directory}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True)
        wanted = (f"temporalio=={release}.*", *_NEEDED)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *wanted], check=True)
    return str(python)


def _paths(runs: int) -> dict[str, str]:
    paths = os.pathsep.join(str(path) for path in (ROOT, ROOT / "engine", ROOT / "replay"))
    return {**os.environ, "PYTHONPATH": paths, "PLAYHEAD_FUZZ": str(runs)}


if __name__ == "__main__":
    sys.exit(main())
