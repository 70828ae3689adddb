"""What runs the code: Python, the packages that are installed, and Playhead itself.

Whatever of it changes, every verdict is asked for anew. It is found out without importing any of it. What the code
reads of the machine while it runs (variables of the environment, files, the clock) is not seen.
"""

from __future__ import annotations

import hashlib
import os
import site
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_FORMAT = "1"
"""Of what is kept on disk: another one is never read."""


@cache
def environment_digest() -> str:
    """A digest of all that runs the code."""
    lines = [_FORMAT, sys.version, str(sys.flags.optimize), *_distributions(), *_ourselves()]
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()


def _distributions() -> Iterator[str]:
    """Every installed package with its version, as the names of the folders say it that installers write.

    One that was installed from a file or a folder may be another with the same version; there its list of files counts.
    """
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()}
    if site.ENABLE_USER_SITE:
        places.add(site.getusersitepackages())
    for place in sorted(places):
        try:
            names = sorted(os.listdir(place))
        except OSError:
            continue
        for name in names:
            if not name.endswith((".dist-info", ".egg-info")):
                continue
            yield name
            folder = Path(place, name)
            if (folder / "direct_url.json").is_file() and (folder / "RECORD").is_file():
                yield hashlib.blake2b((folder / "RECORD").read_bytes(), digest_size=16).hexdigest()


def _ourselves() -> Iterator[str]:
    """Playhead's own files, where somebody is working on them: its version says nothing then."""
    import playhead
    import playhead_engine

    for module in (playhead, playhead_engine):
        folder = Path(module.__file__ or "").parent
        if "site-packages" in folder.parts:
            continue
        for file in sorted(folder.rglob("*.py")):
            found = file.stat()
            yield f"{file.relative_to(folder)} {found.st_size} {found.st_mtime_ns}"
