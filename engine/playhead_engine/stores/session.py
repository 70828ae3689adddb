"""Who may use an open store: one thread of one process, until it is closed. The thread is the first that uses it.

This module only refuses; it must not lock or wait. What keeps a second process away from a directory is in `directory`.
"""

from __future__ import annotations

import os
import threading

from playhead_engine.stores import StoreError


class Session:
    """From the opening of a store to its closing.

    Args:
        path: The store's directory for messages, or an empty string.
    """

    __slots__ = ("_open", "_path", "_process", "_thread")

    def __init__(self, path: str) -> None:
        self._path = path
        self._open = True
        self._process = os.getpid()
        self._thread = 0  # none yet: an engine may be made in one thread and run in another

    def check(self) -> None:
        """Every use of a store begins with this.

        Raises:
            StoreError: The store is closed, or another thread uses it, or this is a forked process.
        """
        if not self._open:
            raise StoreError(self._path, "the store is closed", "Open it again")
        if os.getpid() != self._process:
            raise StoreError(
                self._path,
                f"the store was opened by process {self._process}, and this is a fork of it",
                "Open a store after forking, and in one process only",
            )
        thread = threading.get_ident()
        if thread != self._thread:
            if self._thread:
                raise StoreError(self._path, "another thread uses the store", "Use it and close it in one thread")
            self._thread = thread

    def end(self) -> bool:
        """Close it. Returns whether it was open.

        Raises:
            StoreError: Another thread uses the store, or this is a forked process.
        """
        if not self._open:
            return False
        self.check()
        self._open = False
        return True
