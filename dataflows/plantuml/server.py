"""Let a PlantUML server draw, if the administrator named one: never another, never by default."""

import json
import os
import re
import resource
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from core.settings import Settings
from dataflows.render import (
    MEMORY_LIMIT_BYTES,
    DrawingFailed,
    DrawingStore,
    DrawingTookTooLong,
    sanitised,
    size_of,
)

TIME_LIMIT_S = 60
"""On the wall: the server takes a second for the demo department, and may have to start first."""

CLIENT = Path(__file__).with_name("client.py")

FORM = "plantuml.json"

VERSION = re.compile(rb"<\?plantuml ([\w.\-]+)\?>")


@dataclass(frozen=True, slots=True)
class ServerDrawing:
    """A picture that a server drew, and which one in which version."""

    svg: str
    renderer: str


def named_server(settings: Settings) -> str:
    """Return the address of the PlantUML server that the administrator named, or nothing."""
    return settings.plantuml_server.rstrip("/")


def task(address: str, text: str) -> str:
    """Return what a job is given: a comment that names the server, then the text."""
    return f"' {address}\n{text}"


def kept(store: DrawingStore, address: str, text: str) -> ServerDrawing | None:
    """Return the picture of a text if this server drew it before."""
    found = store.kept(task(address, text), FORM)
    return ServerDrawing(**json.loads(found)) if found else None


def draw(store: DrawingStore, told: str, settings: Settings) -> ServerDrawing:
    """Let the named server draw a task that was left.

    Raises
    ------
    DrawingFailed
        If no server is named any more, or another, or its answer is no picture.
    """
    comment, _, text = told.partition("\n")
    address = comment.removeprefix("' ")
    if not address or address != named_server(settings):
        raise DrawingFailed(
            f"The PlantUML server {address or '(none)'} is not the one that is named now; "
            "open the page again."
        )
    return ServerDrawing(**json.loads(store.made(told, FORM, lambda _: _drawn(address, text))))


def draw_now(text: str, settings: Settings) -> ServerDrawing:
    """Let the named server draw a text, for a person who waits at a terminal.

    Raises
    ------
    DrawingFailed
        If no server is named, or its answer is no picture.
    """
    address = named_server(settings)
    if not address:
        raise DrawingFailed(
            "No PlantUML server is named, so none is asked; set FIDUCIAL_PLANTUML_SERVER."
        )
    return ServerDrawing(**json.loads(_drawn(address, text)))


def _drawn(address: str, text: str) -> str:
    svg = asked(address, text)
    version = VERSION.search(svg[:2000])
    words = f"PlantUML {version[1].decode()}" if version else "PlantUML, version not stated,"
    picture = sanitised(svg)
    size_of(picture)
    return json.dumps(asdict(ServerDrawing(picture, f"{words} at {address}")))


def asked(address: str, text: str) -> bytes:
    """Return the SVG of a text as the server answered it.

    Raises
    ------
    DrawingFailed
    """
    # No proxy and nothing else of this process: only where its packages are.
    environment = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", str(CLIENT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as child:
        limits = (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES)
        resource.prlimit(child.pid, resource.RLIMIT_AS, limits)
        try:
            told = json.dumps({"address": address, "text": text}).encode()
            out, err = child.communicate(told, timeout=TIME_LIMIT_S)
        except subprocess.TimeoutExpired as error:
            child.kill()
            raise DrawingTookTooLong(
                f"The PlantUML server took longer than {TIME_LIMIT_S} s."
            ) from error
    if child.returncode != 0:
        said = err.decode(errors="replace").strip().splitlines()
        reason = said[-1][:300] if said else f"The client ended with {child.returncode}."
        raise DrawingFailed(f"The PlantUML server at {address} drew nothing. {reason}")
    return out
