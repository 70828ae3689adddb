"""What all tests share: where histories are.

Real downloads by other people's workflows are not part of the repository. Tests that read them look beside it, or where
PLAYHEAD_SHARED says, and are skipped where they are not.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("PLAYHEAD_SHARED", ROOT.parent / "shared"))


@pytest.fixture(scope="session")
def shared_histories() -> Path:
    """The directory with histories of others: one folder for each system that wrote them."""
    directory = SHARED / "histories"
    if not directory.is_dir():
        pytest.skip("the histories of others are not here: set PLAYHEAD_SHARED to the directory that holds them")
    return directory


@pytest.fixture(scope="session")
def temporal_fixtures() -> Path:
    """The directory with our own recordings of Temporal histories."""
    return ROOT / "fixtures" / "temporal"
