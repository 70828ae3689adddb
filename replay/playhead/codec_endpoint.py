"""A codec server: decodes the values of a history over HTTP, as Temporal's command line and Web UI have it done.

The protocol is theirs: `POST {endpoint}/decode` with `{"payloads": [...]}`, answered by as many. A history is decoded
whole, before anything is done with it, so neither the code nor its data converter has to know. Nothing is sent
anywhere unless the user names the server.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from playhead_engine.history import History

_BATCH: Final = 200  # payloads in one request
_TIMEOUT_SECONDS: Final = 30.0


class CodecUnavailable(ValueError):
    """The codec server cannot be asked, or does not answer as one."""


@dataclass(frozen=True, slots=True)
class CodecEndpoint:
    """A codec server.

    Attributes:
        url: Where it is; `{namespace}` in it stands for the namespace.
        auth: What to send as `Authorization`; nothing if empty.
        namespace: The namespace of the histories.
    """

    url: str
    auth: str = field(default="", repr=False)
    namespace: str = "default"

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in ("http", "https") or not urlsplit(self.url).netloc:
            raise CodecUnavailable(f"A codec endpoint is a URL such as http://localhost:8081, not {self.url!r}.")

    def decoded(self, history: History) -> History:
        """A history with its values decoded. What the server does not know it gives back as it is.

        Args:
            history: The history; it is not changed.

        Raises:
            CodecUnavailable: The server cannot be reached, refuses, or gives back something else.
        """
        events = [orjson.loads(orjson.dumps(event.canonical)) for event in history.events]
        found = [payload for event in events for payload in _payloads(event)]
        for start in range(0, len(found), _BATCH):
            batch = found[start : start + _BATCH]
            for payload, decoded in zip(batch, self._decode(batch), strict=True):
                payload.clear()
                payload.update(decoded)
        made = History.from_events(events, history.workflow_id)
        return History(made.events, made.workflow_id, None, history.problems, history.remarks)

    def _decode(self, payloads: list[Any]) -> list[Any]:
        url = f"{self.url.replace('{namespace}', self.namespace).rstrip('/')}/decode"
        headers = {"Content-Type": "application/json", "X-Namespace": self.namespace}
        if self.auth:
            headers["Authorization"] = self.auth
        request = urllib.request.Request(url, orjson.dumps({"payloads": payloads}), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:
                answer = response.read()
        except urllib.error.HTTPError as error:
            with error:
                said = error.read(200).decode(errors="replace").strip()
            hint = " (see --codec-auth)" if error.code in (401, 403) else ""
            raise CodecUnavailable(f"{url} answers {error.code} {error.reason}{hint}. {said}".rstrip()) from None
        except (urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            raise CodecUnavailable(f"{url} cannot be reached: {reason}") from None
        try:
            decoded = orjson.loads(answer)["payloads"]
            if len(decoded) == len(payloads) and all(isinstance(one, dict) for one in decoded):
                return list(decoded)
        except (ValueError, KeyError, TypeError):
            raise CodecUnavailable(f'{url} is to answer with {{"payloads": [...]}}, and does not.') from None
        raise CodecUnavailable(f"{url} was given {len(payloads)} payloads, and gives {len(decoded)} back.")


def codec_endpoint(url: str | None, auth: str | None, namespace: str | None) -> CodecEndpoint | None:
    """The codec server that a command was told of, if it was.

    Raises:
        CodecUnavailable: It is no URL, or there is something to send to it and no server.
    """
    if url:
        return CodecEndpoint(url, auth or "", namespace or "default")
    if auth:
        raise CodecUnavailable("--codec-auth goes with --codec-endpoint: there is nobody to send it to.")
    return None


def _payloads(message: Any) -> Iterator[Any]:
    """All payloads in a piece of a history; search attributes are never encoded."""
    if isinstance(message, list):
        for item in message:
            yield from _payloads(item)
    elif isinstance(message, dict):
        if isinstance(message.get("metadata"), dict) and set(message) <= {"metadata", "data", "externalPayloads"}:
            yield message
            return
        for key, item in message.items():
            if key != "searchAttributes":
                yield from _payloads(item)
