"""The shop's back office: stock, cards, couriers and mail, behind one HTTP interface.

Only activities speak to it. Tests and the recorder of histories put something else in its place.
"""

import asyncio
import json
from typing import Protocol
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from pydantic import BaseModel


class Refused(Exception):
    """The back office says no, and would say no again: the card is declined, the shelf is empty."""

    def __init__(self, reason: str, message: str) -> None:
        """Args: reason: one word for programs, as in `CardDeclined`; message: a sentence for people."""
        super().__init__(message)
        self.reason = reason


class BackOffice(Protocol):
    """Whatever does the shop's business in the world."""

    async def ask(self, desk: str, document: BaseModel | str) -> str:
        """Have a desk do something, and return its answer: a number, an id, a state.

        Raises:
            Refused: It will not be done, however often one asks.
        """
        ...


class HttpBackOffice:
    """The one in production."""

    def __init__(self, url: str) -> None:
        """Args: url: where it is, without a slash at its end."""
        self._url = url

    async def ask(self, desk: str, document: BaseModel | str) -> str:
        """See `BackOffice.ask`; what goes wrong on the way raises as `urllib` has it, and is tried again."""
        return await asyncio.to_thread(self._post, desk, document)

    def _post(self, desk: str, document: BaseModel | str) -> str:
        body = document.model_dump_json() if isinstance(document, BaseModel) else json.dumps(document)
        request = Request(f"{self._url}/{desk}", body.encode(), {"Content-Type": "application/json"})
        try:
            with urlopen(request, timeout=10) as answer:
                return str(json.load(answer))
        except HTTPError as error:
            if error.code != 422:
                raise
            refusal = json.load(error)
            raise Refused(refusal["reason"], refusal["message"]) from None
