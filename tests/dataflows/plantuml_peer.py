"""A PlantUML server of our own: it draws a known picture, or misbehaves as it is told."""

import threading
import zlib
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from string import ascii_lowercase, ascii_uppercase, digits

PLANTUML = digits + ascii_uppercase + ascii_lowercase + "-_"
BASE64 = ascii_uppercase + ascii_lowercase + digits + "+/"

SVG = """<?xml version="1.0" encoding="us-ascii" standalone="no"?><?plantuml 1.2025.3?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" height="60px"
 style="width:90px;height:60px;background:#FFFFFF;" version="1.1" viewBox="0 0 90 60" width="90px">
<defs/><g><g class="entity" id="ent0002"><a href="/p/DEPT/TPS" target="_top" title="/p/DEPT/TPS"
 xlink:href="/p/DEPT/TPS" xlink:type="simple"><rect fill="#F1F1F1" height="36" rx="2"
 style="stroke:#181818;stroke-width:0.5;" width="60" x="7" y="7"/><text fill="#000000"
 font-size="14" lengthAdjust="spacing" textLength="40" x="17" y="29">Planning</text></a></g>
<a xlink:href="https://elsewhere.example/"><text x="1" y="1">out</text></a>
<script>alert(1)</script><rect style="fill:url(https://elsewhere.example/x)" x="1" y="1"/></g></svg>
"""


@dataclass
class Peer:
    """Where it listens, what it was asked, and how it answers."""

    address: str = ""
    asked: list[str] = field(default_factory=list)
    status: int = 200
    kind: str = "image/svg+xml"
    body: str = SVG
    elsewhere: str = ""


def read_text(encoded: str) -> str:
    """Return the text that an address of PlantUML's carries."""
    packed = b64decode(encoded.translate(str.maketrans(PLANTUML, BASE64)))
    return zlib.decompress(packed, -15).decode()


@contextmanager
def plantuml_server() -> Iterator[Peer]:
    """Serve on a free port of this machine until the block ends."""
    peer = Peer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            folder, _, encoded = self.path.rpartition("/")
            peer.asked.append(f"{folder}\n{read_text(encoded)}" if encoded else folder)
            self.send_response(peer.status)
            if peer.elsewhere:
                self.send_header("Location", peer.elsewhere)
            self.send_header("Content-Type", peer.kind)
            body = peer.body.encode()
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    peer.address = f"http://127.0.0.1:{server.server_address[1]}/plantuml"
    try:
        yield peer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
