"""Answer refusals over HTTP: status, page or JSON, and the line in the audit trail."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from core.errors import Fault, FiducialError, TooManyAttempts
from core.web.access import SignInNeeded
from core.web.headers import HEADERS
from core.web.pages import page, wants_json
from core.web.refusals import note_refusal, status_of

log = logging.getLogger(__name__)


def answer(request: Request, status: int, message: str, faults: tuple[Fault, ...] = ()) -> Response:
    """Return a refusal as the page or the JSON that was asked for."""
    if wants_json(request):
        told = [vars(fault) for fault in faults]
        return JSONResponse({"message": message, "faults": told}, status)
    return page(request, f"errors/{status}.html", status=status, message=message, faults=faults)


def _on_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, FiducialError)  # noqa: S101 - registered for this class only
    if isinstance(error, SignInNeeded) and not wants_json(request):
        return RedirectResponse(error.address, status_code=303)
    note_refusal(request, error)
    faults: tuple[Fault, ...] = getattr(error, "faults", ())
    response = answer(request, status_of(error), error.message, faults)
    if isinstance(error, TooManyAttempts):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _on_malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    if any(one["loc"][:1] == ("path",) for one in error.errors()):
        return answer(request, 404, "There is no such page.")
    faults = tuple(
        Fault("malformed", ".".join(str(part) for part in one["loc"][1:]), str(one["msg"]) + ".")
        for one in error.errors()
    )
    return answer(request, 422, "The request is not of the form this page takes.", faults)


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    if error.status_code == 404:
        return answer(request, 404, "There is no such page.")
    return Response(str(error.detail), error.status_code, error.headers, media_type="text/plain")


def _on_unkeepable(request: Request, error: Exception) -> Response:
    log.warning("the database cannot keep what %s was sent: %s", request.url.path, error)
    return answer(
        request,
        422,
        "Some of what was sent is no text or number that can be kept; nothing was done.",
    )


def _on_anything(request: Request, error: Exception) -> Response:
    log.error("unexpected error at %s", request.url.path, exc_info=error)
    response = answer(
        request, 500, "Something went wrong here; it was logged. Nothing of this request was kept."
    )
    # Starlette answers this outside of every middleware, so the headers are not added there.
    response.headers.update(HEADERS)
    return response


def register(app: FastAPI) -> None:
    """Give an application its error pages."""
    app.add_exception_handler(FiducialError, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_malformed)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(DataError, _on_unkeepable)
    app.add_exception_handler(Exception, _on_anything)
