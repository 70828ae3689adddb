"""Codecs: what happens to payloads on the way out of the process and in, such as encryption or compression.

A codec sees payloads only, whatever they hold. This module must not know how values become payloads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playhead_engine.payload import Payload, Payloads


class PayloadCodec(ABC):
    """Changes payloads on their way out, and changes them back on their way in."""

    @abstractmethod
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Payloads as they leave. Those given must not be changed.

        Returns:
            At least one payload, and not more than were given.
        """
        raise NotImplementedError

    @abstractmethod
    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Payloads as they were before `encode`. Those given must not be changed.

        Returns:
            At least one payload, and not more than were given.
        """
        raise NotImplementedError

    async def encode_wrapper(self, payloads: Payloads) -> None:
        """Encode the payloads inside a message, in place."""
        payloads.payloads[:] = await self.encode(list(payloads.payloads))

    async def decode_wrapper(self, payloads: Payloads) -> None:
        """Decode the payloads inside a message, in place."""
        payloads.payloads[:] = await self.decode(list(payloads.payloads))
