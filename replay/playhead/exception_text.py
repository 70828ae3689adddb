"""What exceptions of the user's say. Asking one runs code of theirs, which may raise in its turn."""

from __future__ import annotations


def message_of(error: BaseException) -> str:
    """The text of an exception; words that say so where it has none to give."""
    try:
        return str(error)
    except Exception as raised:  # noqa: BLE001 - whatever it is, it is not what the run failed with
        return f"(its text cannot be had: {type(raised).__name__} in its __str__)"


def exception_text(error: BaseException) -> str:
    """An exception in a line: `ZeroDivisionError: division by zero`."""
    return f"{type(error).__name__}: {message_of(error)}"
