"""What is answered besides the page itself, in the words of the OpenAPI document.

Most of it follows from what a route is; `app.description` adds that. A route names here what does
not show: that it asks for a role or for the password.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

TOLD: Mapping[int, str] = {
    401: "Nobody is signed in, or the password that was given is wrong.",
    403: "The person may not do this, or the form is not one of their session's.",
    404: "There is no such thing, or none that the person may know of.",
    409: "Someone else was first, or the thing is no longer in the state that was assumed.",
    422: "What was sent cannot be taken; every fault is named.",
    429: "Too many wrong passwords or tokens; Retry-After says how long to wait.",
    503: "It is still being made; Retry-After says when to ask again.",
}
"""The statuses of `core.web.refusals`, and of a picture that is not drawn yet."""


class FaultTold(BaseModel):
    """One fault, as in a refusal: what is wrong where, and how it is mended."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    where: str
    what: str
    mend: str


Answers = dict[int | str, dict[str, Any]]

NEEDS_ROLE: Answers = {403: {"description": TOLD[403]}}
"""For a page that not everybody who is signed in may read."""

ASKS_PASSWORD: Answers = {status: {"description": TOLD[status]} for status in (401, 429)}
"""For an act that the password is given for."""

_LOCATION = {"Location": {"description": "Where it is read.", "schema": {"type": "string"}}}

STARTS: Answers = {202: {"description": "It was asked for and goes on.", "headers": _LOCATION}}
"""For what a worker does after the answer."""

MAKES: Answers = {201: {"description": "It was made.", "headers": _LOCATION}}
"""For what makes something that has an address of its own."""

MAY_CONFLICT: Answers = {409: {"description": TOLD[409]}}
"""For what only reads, and may still find that a name fits several things."""

FORM_OF_A_TYPE: dict[str, Any] = {
    "requestBody": {
        "description": "The fields of the type: title, body, field.NAME, link.ROLE.ROW.target.",
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {"type": "object", "additionalProperties": {"type": "string"}}
            }
        },
    }
}
"""The body of a form whose inputs only the record's type knows."""
