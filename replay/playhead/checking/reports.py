"""Which reports there are, and where they go. What is in each, its own module says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import orjson

from playhead.checking.code_quality import code_quality
from playhead.checking.document import check_document
from playhead.checking.junit import junit_xml
from playhead.checking.markdown import check_markdown
from playhead.checking.outcome import Check
from playhead.checking.sarif import sarif_log

REPORTS: Final[dict[str, Callable[[Check, str], bytes]]] = {
    "junit": junit_xml,
    "sarif": lambda check, root: _json(sarif_log(check, root)),
    "json": lambda check, _: _json(check_document(check)),
    "markdown": lambda check, root: check_markdown(check, root).encode(),
    "code_quality": lambda check, root: _json(code_quality(check, root)),
}
"""What makes each report of a check and the root of its repository, by the name of its option."""


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n"
