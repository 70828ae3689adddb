"""Everything that widgets say: the map of the debugger.

A widget knows the view it was given and nothing else. What the user does with it is said in one of these messages,
which the screen hears and answers with a new view.
"""

from __future__ import annotations

from textual.message import Message

from playhead_tui.model.breakpoints import Stops
from playhead_tui.model.opening import Target
from playhead_tui.model.place import Place


class Go(Message):
    """Put the playhead there.

    Attributes:
        place: Where.
    """

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place

    def can_replace(self, message: Message) -> bool:
        """Whoever holds a key down wants to be where the last stroke led."""
        return isinstance(message, Go)


class ShowLine(Message):
    """Show a line of source, without moving the playhead: that of a function further out, for example.

    Attributes:
        file: The file.
        line: Counted from 1.
    """

    def __init__(self, file: str, line: int) -> None:
        super().__init__()
        self.file = file
        self.line = line


class Copy(Message):
    """Put a text on the clipboard.

    Attributes:
        text: The text.
        what: What it is, in words.
    """

    def __init__(self, text: str, what: str) -> None:
        super().__init__()
        self.text = text
        self.what = what


class ToggleLine(Message):
    """Set or clear a breakpoint on a line of source.

    Attributes:
        file: The file.
        line: Counted from 1.
    """

    def __init__(self, file: str, line: int) -> None:
        super().__init__()
        self.file = file
        self.line = line


class ShowPane(Message):
    """Bring a pane to the front.

    Attributes:
        pane: Its id.
    """

    def __init__(self, pane: str) -> None:
        super().__init__()
        self.pane = pane


class Chosen(Message):
    """A history was chosen.

    Attributes:
        target: What is to be debugged.
    """

    def __init__(self, target: Target) -> None:
        super().__init__()
        self.target = target


class ChangeStops(Message):
    """Have other breakpoints, logpoints and watches.

    Attributes:
        stops: All that there are to be.
    """

    def __init__(self, stops: Stops) -> None:
        super().__init__()
        self.stops = stops
