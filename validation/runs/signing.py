"""What a signature in a run binds: anybody can compute it again from the run alone. Pure."""

from collections.abc import Iterable

from core.canonical import digest

EXECUTED = "executed"
"""The meaning of a tester's signature under a run by hand."""

NOTED = "noted"
"""The meaning of a signature under a deviation and what was decided about it."""


def execution_digest(
    run: str, protocol_digest: str, tag: str, commit: str, evidence: Iterable[str]
) -> str:
    """Return what the tester of a run by hand signs: what was executed, on what, and its evidence.

    Parameters
    ----------
    run : str
        The run's number as people name it.
    evidence : iterable of str
        SHA-256 of the evidence of each scenario.
    """
    return digest(
        {
            "run": run,
            "protocol": protocol_digest,
            "tag": tag,
            "commit": commit,
            "evidence": sorted(evidence),
        }
    )


def deviation_digest(
    project: str, run: str, uid: str, role: str, what: str, effect: str, disposition: str
) -> str:
    """Return what is signed of a deviation: of which run, by whom in which role, and its words."""
    told = {"what": what, "effect": effect, "disposition": disposition}
    return digest({"project": project, "run": run, "by": uid, "role": role, **told})
