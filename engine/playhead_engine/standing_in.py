"""What stands between a user's converters and a replay with stand-ins (`opaque`), for converters of either kind.

The engine's converters and those of `temporalio` have the same methods and no common class, so what is here has no base
class: `converter.standing_in` and `temporal.standing_in` give it theirs. Everything that can be converted is converted
by the user's own parts, and comes out the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Self

from playhead_engine.opaque import StandIns, is_foreign, read, write


class Place:
    """Where the stand-ins of the replay at hand are: a worker has one data converter, and many runs.

    Attributes:
        stand_ins: They.
    """

    def __init__(self, stand_ins: StandIns | None = None) -> None:
        self.stand_ins = StandIns() if stand_ins is None else stand_ins


class _Around:
    """Around a part of the user's: what is not said here is as the user's part has it."""

    def __init__(self, inner: Any, place: Place) -> None:
        self._inner = inner
        self._place = place

    def with_context(self, context: Any) -> Self:
        """The same around the user's part with a context, if that wants one."""
        if not hasattr(self._inner, "with_context"):
            return self
        return type(self)(self._inner.with_context(context), self._place)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class PayloadsStandingIn(_Around):
    """A payload converter."""

    def to_payloads(self, values: Sequence[Any]) -> list[Any]:
        """Values as payloads; see `opaque.write`."""
        return write(values, self._inner.to_payloads, self._place.stand_ins)

    def from_payloads(self, payloads: Sequence[Any], type_hints: list[type] | None = None) -> list[Any]:
        """The values of payloads; see `opaque.read`."""
        return read(payloads, type_hints, self._inner.from_payloads, _known_to(self._inner), self._place.stand_ins)


class CodecStandingIn(_Around):
    """A codec.

    Its `converter` is the payload converter behind it.
    """

    converter: Any = None

    def with_context(self, context: Any) -> Self:
        """The same around the user's codec with a context, if that wants one."""
        made = super().with_context(context)
        made.converter = self.converter
        return made

    async def encode(self, payloads: Sequence[Any]) -> list[Any]:
        """Payloads as they leave; those of stand-ins left long ago."""
        came_encoded = self._place.stand_ins.came_encoded
        if not any(map(came_encoded, payloads)):
            return list(await self._inner.encode(payloads))
        encoded: list[Any] = []
        for payload in payloads:
            encoded += [payload] if came_encoded(payload) else await self._inner.encode([payload])
        return encoded

    async def decode(self, payloads: Sequence[Any]) -> list[Any]:
        """Payloads as they were before the codec, and as they are where it cannot decode them.

        Raises:
            OSError: What the codec needs cannot be reached: its server, its file of keys. That is no trait of values.
            Exception: The codec fails at a payload that needs none.
        """
        try:
            return await _decoded(self._inner.decode, payloads)
        except OSError:
            raise
        except Exception:
            if not any(is_foreign(payload, _known_to(self.converter)) for payload in payloads):
                raise
        decoded: list[Any] = []
        for payload in payloads:
            try:
                decoded += await _decoded(self._inner.decode, [payload])
            except OSError:
                raise
            except Exception as error:
                if not is_foreign(payload, _known_to(self.converter)):
                    raise
                self._place.stand_ins.not_decoded(payload, error)
                decoded.append(payload)
        return decoded


class FailuresStandingIn(_Around):
    """A failure converter."""

    def to_failure(self, exception: BaseException, payload_converter: Any, failure: Any) -> None:
        """As the user's."""
        self._inner.to_failure(exception, payload_converter, failure)

    def from_failure(self, failure: Any, payload_converter: Any) -> BaseException:
        """The exception that a failure says; its message is a stand-in where it is encoded and cannot be read."""
        error: BaseException = self._inner.from_failure(failure, payload_converter)
        self.hide_messages(error, failure, payload_converter)
        return error

    def hide_messages(self, error: BaseException, failure: Any, payload_converter: Any) -> None:
        """Put stand-ins in the place of messages that cannot be read, in an error and its causes."""
        raise NotImplementedError


def _known_to(converter: Any) -> Iterable[bytes]:
    """The encodings that a converter says it reads; none if it does not say so."""
    known: Iterable[bytes] = getattr(converter, "converters", ())
    return known


async def _decoded(decode: Callable[[Sequence[Any]], Awaitable[list[Any]]], payloads: Sequence[Any]) -> list[Any]:
    return list(await decode(payloads))
