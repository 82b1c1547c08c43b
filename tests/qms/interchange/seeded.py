"""A corpus of another tool that was seeded with every defect of links, each once."""

import base64
import hashlib
from pathlib import Path

SEEDED = {
    "TR101": "spec/SPEC4.yml:3",
    "TR102": "spec/REQ1.yml:1",
    "TR103": "spec/SPEC5.yml:3",
    "TR104": "spec/SPEC7.yml:3",
    "TR105": "spec/SPEC2.yml:1",
    "TR106": "req/REQ2.yml:1",
    "TR107": "req/REQ3.yml:3",
    "TR108": "spec/SPEC3.yml:3",
    "TR109": "spec/SPEC8.yml:4",
}


def stamp(uid: str) -> str:
    digest = hashlib.sha256(f"{uid}text".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()


def sow(root: Path) -> Path:
    """Write a Doorstop tree with each defect once."""
    links = {
        "req/REQ1": [],
        "req/REQ2": [],
        "req/REQ3": ["SPEC3"],
        "spec/SPEC1": ["REQ1"],
        "spec/SPEC2": [],
        "spec/SPEC3": ["REQ3: an older stamp"],
        "spec/SPEC4": ["REQ33"],
        "spec/SPEC5": ["SPEC6"],
        "spec/SPEC6": ["SPEC5"],
        "spec/SPEC7": ["SPEC7", "REQ1"],
        "spec/SPEC8": ["REQ1", "REQ1"],
        "spec/REQ1": ["REQ1"],
    }
    for prefix, parent in (("REQ", ""), ("SPEC", "REQ")):
        folder = root / prefix.lower()
        folder.mkdir()
        above = f"  parent: {parent}\n" if parent else ""
        (folder / ".doorstop.yml").write_text(f"settings:\n  prefix: {prefix}\n{above}  sep: ''\n")
    for name, targets in links.items():
        told = [one if ":" in one else f"{one}: {stamp(one)}" for one in targets]
        shown = "".join(f"\n- {one}" for one in told) if told else " []"
        if name == "spec/REQ1":
            shown = " []"
        (root / f"{name}.yml").write_text(f"text: text\nlinks:{shown}\n")
    return root
