"""Text of unknown origin made fit for a terminal.

Histories hold whatever somebody put into them. A control character would move the cursor or change the colours of the
terminal, and one that turns the direction of writing would shuffle the line; each is shown as a character that does
nothing.
"""

from __future__ import annotations

import re
from typing import Final

# Controls, surrogates, what joins and turns around, and private or unassigned specials that terminals differ on.
_UNFIT: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)


def legible(text: str) -> str:
    """The text with a visible stand-in for every character that is none."""
    return text if text.isascii() and text.isprintable() else _UNFIT.sub(_stand_in, text)


def _stand_in(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)  # the pictures of control characters
    return "␡" if code == 0x7F else "�"
