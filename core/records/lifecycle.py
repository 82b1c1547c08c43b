"""The three lifecycles as data, and the questions asked of them."""

from collections.abc import Mapping

DRAFT, IN_REVIEW, APPROVED, RECORDED = "draft", "in_review", "approved", "recorded"

DISCARDED = "discarded"
"""Of a proposed revision that was given up: no record ever leads to it, and nothing leaves it."""

MOVES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "controlled": {
        DRAFT: (IN_REVIEW,),
        IN_REVIEW: (DRAFT, APPROVED),
        APPROVED: (),
    },
    "issue": {
        "open": ("assessed", "rejected", "deferred"),
        "assessed": ("in_work", "rejected", "deferred"),
        "in_work": ("verifying", "deferred"),
        "verifying": ("closed", "in_work", "deferred"),
        "deferred": ("assessed", "in_work"),
        "closed": ("open",),
        "rejected": ("open",),
    },
    "event": {RECORDED: ()},
}
"""State -> the states it may go to. Withdrawal is a fact about the record, not a state of one
revision; a new revision of a controlled record begins again as a draft."""

OPEN = "open"

FIRST: Mapping[str, str] = {"controlled": DRAFT, "issue": OPEN, "event": RECORDED}

BEFORE_DECISION: Mapping[str, str] = {
    "closed": "verifying",
    "rejected": "open",
    "deferred": "assessed",
}
"""The states in which nobody works on an issue any longer, and where each is decided from. They
are decided by signature where the type asks for one, and left only by reopening."""


ASKED: Mapping[str, tuple[str, ...]] = {
    "submit": ("submit",),
    "assess": ("submit", "assess"),
    "work": ("submit", "assess", "work"),
    "verify": ("submit", "assess", "work", "verify"),
    "defer": ("submit", "assess", "defer"),
    "close": ("submit", "assess", "work", "verify", "close"),
}
"""Moment -> the moments up to then, whose demands on the content all hold."""

MOMENT: Mapping[str, str] = {
    "open": "submit",
    "assessed": "assess",
    "in_work": "work",
    "verifying": "verify",
    "deferred": "defer",
    "closed": "close",
}
"""State of an issue -> the moment of coming into it; to be rejected it needs to say nothing."""


def states(lifecycle: str) -> tuple[str, ...]:
    """Return the states of a lifecycle in their order."""
    return tuple(MOVES[lifecycle])


def may_move(lifecycle: str, state: str, to: str) -> bool:
    """Whether a lifecycle leads from one state to another."""
    return to in MOVES[lifecycle].get(state, ())


def is_decided(lifecycle: str, state: str) -> bool:
    """Whether an issue is in a state that somebody decided on, so that it may not be edited."""
    return lifecycle == "issue" and state in BEFORE_DECISION
