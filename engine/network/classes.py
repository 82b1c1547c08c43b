"""The object classes a probe offers: by the service of an association and the names of its data.

Pure. Names are those of a department survey ("CT Image", "RT Plan"); what a survey says more of
them in brackets ("CT Image (4D phases)") does not change their class.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from pydicom._uid_dict import UID_dictionary
from pydicom.uid import UID


class Service(StrEnum):
    """What an association is for, in the roles of a modelled connection."""

    STORE = "store"
    SUBOPERATION = "store-suboperation"
    QUERY = "query"
    REQUEST = "request"
    WORK_ITEM = "work-item"


CARRIES_OBJECTS = frozenset({Service.STORE, Service.SUBOPERATION})
"""Services whose object classes follow from the data types; the others are asked for by name."""

VERIFICATION = "1.2.840.10008.1.1"

STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
STUDY_GET = "1.2.840.10008.5.1.4.1.2.2.3"
PATIENT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"
PATIENT_MOVE = "1.2.840.10008.5.1.4.1.2.1.2"
PATIENT_GET = "1.2.840.10008.5.1.4.1.2.1.3"
WORKLIST_FIND = "1.2.840.10008.5.1.4.31"
STEP_PULL = "1.2.840.10008.5.1.4.34.6.3"
STEP_PUSH = "1.2.840.10008.5.1.4.34.6.1"
STEP_WATCH = "1.2.840.10008.5.1.4.34.6.2"

USUAL: Mapping[Service, str] = {
    Service.QUERY: WORKLIST_FIND,
    Service.REQUEST: STUDY_MOVE,
    Service.WORK_ITEM: STEP_PULL,
}
"""What a role means where the survey does not say which service it is (DICOM PS3.4)."""

_SPOKEN: Sequence[tuple[frozenset[str], str]] = (
    (frozenset({"worklist"}), WORKLIST_FIND),
    (frozenset({"patient", "find"}), PATIENT_FIND),
    (frozenset({"patient", "move"}), PATIENT_MOVE),
    (frozenset({"patient", "get"}), PATIENT_GET),
    (frozenset({"find"}), STUDY_FIND),
    (frozenset({"move"}), STUDY_MOVE),
    (frozenset({"get"}), STUDY_GET),
    (frozenset({"step", "pull"}), STEP_PULL),
    (frozenset({"step", "push"}), STEP_PUSH),
    (frozenset({"step", "watch"}), STEP_WATCH),
)
"""Words of a service's name, the more particular ones first."""

_OTHER_NAMES: Mapping[str, str] = {
    "pet image": "Positron Emission Tomography Image Storage",
    "nm image": "Nuclear Medicine Image Storage",
    "us image": "Ultrasound Image Storage",
    "xa image": "X-Ray Angiographic Image Storage",
    "rf image": "X-Ray Radiofluoroscopic Image Storage",
    "cr image": "Computed Radiography Image Storage",
    "dx image": "Digital X-Ray Image Storage - For Presentation",
    "registration": "Spatial Registration Storage",
    "rt ion plan": "RT Ion Plan Storage",
    "encapsulated pdf": "Encapsulated PDF Storage",
}
"""Names that people use for what DICOM PS3.6 calls otherwise."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The object classes to offer, and the data types that no class is known for."""

    classes: tuple[str, ...]
    unknown: tuple[str, ...] = ()


def offer_for(role: str, service: str, data_types: Sequence[str]) -> Offer:
    """Return what the asking end of an association would offer the listening end.

    Parameters
    ----------
    role : str
        The role in the connection: store, query, request, store-suboperation or work-item.
    service : str
        The service as the survey names it, perhaps empty.
    data_types : sequence of str
        What the connection carries; counts where objects are stored.

    Examples
    --------
    >>> [name_of(one) for one in offer_for("store", "Storage", ["RT Plan (brachytherapy)"]).classes]
    ['RT Plan Storage']
    >>> name_of(offer_for("request", "Study Root Query/Retrieve MOVE", []).classes[0])
    'Study Root Query/Retrieve Information Model - MOVE'
    """
    if role in CARRIES_OBJECTS:
        named = {kind: storage_class(kind) for kind in data_types}
        known = dict.fromkeys(uid for uid in named.values() if uid)
        return Offer(tuple(known), tuple(kind for kind, uid in named.items() if not uid))
    words = frozenset(re.findall(r"[a-z]+", service.lower()))
    spoken = next((uid for needed, uid in _SPOKEN if needed <= words), "")
    if spoken:
        return Offer((spoken,))
    if role in USUAL and not service.strip():
        return Offer((USUAL[Service(role)],))
    return Offer((), (service or role,))


def storage_class(kind: str) -> str:
    """Return the storage SOP class of a data type, or nothing where none is known.

    Examples
    --------
    >>> storage_class("CT Image (4D phases)")
    '1.2.840.10008.5.1.4.1.1.2'
    >>> storage_class("treatment calendar")
    ''
    """
    bare = " ".join(re.sub(r"\([^)]*\)", " ", kind).split())
    if bare in _storage_names().values():
        return bare
    wanted = _OTHER_NAMES.get(bare.lower(), bare).lower().removesuffix(" storage")
    return _storage_names().get(wanted, "")


@lru_cache
def _storage_names() -> Mapping[str, str]:
    """Return the storage SOP classes that DICOM PS3.6 has, by their names without "Storage"."""
    return {
        name.lower().removesuffix(" storage"): uid
        for uid, (name, kind, _info, retired, _keyword) in UID_dictionary.items()
        if kind == "SOP Class" and name.endswith("Storage") and not retired
    }


def name_of(uid: str) -> str:
    """Return the name of a class as DICOM PS3.6 prints it."""
    return str(UID(uid).name)
