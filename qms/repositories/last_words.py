"""Tell why Git could not fetch: its own words, and the way out of what it refuses."""

import re
import shlex

from git.exc import GitCommandError

from qms.repositories.addresses import Address

_OTHER_OWNER = re.compile(r"detected dubious ownership in repository at '([^']+)'")


def last_words(address: Address, error: GitCommandError) -> str:
    """Return what Git said last, and what to do where a folder belongs to another account."""
    said = str(error.stderr or error).strip().strip("'").strip()
    last = [line.strip() for line in said.splitlines() if line.strip()] or ["no reason given"]
    foreign = _OTHER_OWNER.search(said)
    if foreign:
        return (
            f"Git could not fetch {address.url}: {foreign[1]} belongs to another account than the "
            "one that the service runs as. If it may be trusted, run as that account: "
            f"{shlex.join(['git', 'config', '--global', '--add', 'safe.directory', foreign[1]])}"
        )
    return (
        f"Git could not fetch {address.url}: {last[0]} Check the address and the server's access."
    )
