"""Take what a form sends before anything is asked of the database.

A request that changes something holds the writer of the database from its first look at it. What is
still on its way then, from a slow network or from somebody who wills it, would keep everybody else
from writing.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

MOST_FIELDS = 10_000
"""A record with long tables posts a field per cell."""

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def is_safe(request: Request) -> bool:
    """Whether a request promises to change nothing."""
    return request.method in SAFE_METHODS


async def _arrived(request: Request) -> AsyncIterator[FormData]:
    form = request.headers.get("content-type", "").startswith(_FORMS)
    if is_safe(request) or not form:
        yield FormData()
        return
    try:
        yield await request.form(max_fields=MOST_FIELDS)
    finally:
        # A file that the route did not ask for would stay open until it is collected.
        await request.close()


ArrivedForm = Annotated[FormData, Depends(_arrived, scope="function")]
"""The whole form of a request, or an empty one; every session of a request waits for it."""


def _fields(form: ArrivedForm) -> Sequence[tuple[str, str]]:
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


SentFields = Annotated[Sequence[tuple[str, str]], Depends(_fields)]
"""What a form of fields that only its record knows has sent, in its order, without files."""
