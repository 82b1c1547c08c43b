"""Ask one PlantUML server for one SVG: a program of its own, so that time and memory have ends.

Reads `{"address": ..., "text": ...}` as JSON and writes the SVG as it came. Ends with 1 and one
sentence where there is none. Started by :mod:`dataflows.plantuml.server`, which sets the limits.
"""

import json
import sys
from typing import Any

import plantuml  # type: ignore[import-untyped]

SILENCE_S = 10
"""Longest wait for the next byte."""

LARGEST = 20_000_000
"""Bytes; a picture of a thousand routes has about two million."""


def ask(address: str, text: str) -> bytes:
    """Return the SVG that the server answers with.

    Raises
    ------
    ValueError
        With a sentence, if the answer is not an SVG.
    """
    # The address is always given: the client's own default is a public server.
    client = plantuml.PlantUML(url=f"{address}/svg/", http_opts={"timeout": SILENCE_S})
    client.http.follow_redirects = False
    seen: dict[str, Any] = {}
    request = client.http.request

    def remembered(url: str, **options: Any) -> Any:
        seen["response"], content = request(url, **options)
        return seen["response"], content

    client.http.request = remembered
    try:
        content: bytes = client.processes(text)
    except AttributeError as error:
        # The client of 0.3.0 stumbles over its own error class when the status is not 200.
        status = getattr(seen.get("response"), "status", None)
        if status is None:
            raise
        raise ValueError(_refusal(status)) from error
    kind = seen["response"].get("content-type", "")
    if not kind.startswith("image/svg+xml"):
        raise ValueError(f"The server answered with {kind[:60] or 'nothing named'}, not with SVG.")
    if len(content) > LARGEST:
        raise ValueError(f"The answer is larger than {LARGEST:,} bytes.")
    return content


def _refusal(status: int) -> str:
    if status in (301, 302, 303, 307, 308):
        return f"The server sends elsewhere (status {status}); that is not followed."
    if status in (413, 414, 431):
        return f"The text is too long for the server (status {status}); choose a smaller part."
    return f"The server answered with status {status}."


def main() -> int:
    """Ask as standard input says, and return the exit code."""
    asked = json.load(sys.stdin)
    try:
        sys.stdout.buffer.write(ask(asked["address"], asked["text"]))
    except ValueError as refused:
        sys.stderr.write(str(refused))
        return 1
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told to the process that waits
        sys.stderr.write(f"The server was not reached: {type(error).__name__} {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
