"""Write a bill of materials as CycloneDX JSON: the same components, the same bytes."""

import json
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component as BomComponent
from cyclonedx.model.component import ComponentScope, ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion

from core.canonical import digest
from qms.soup.components import Component, package_url

SPEC_VERSIONS = {"1.5": SchemaVersion.V1_5, "1.6": SchemaVersion.V1_6}

_ALGORITHMS = {one.value.lower().replace("sha-", "sha"): one for one in HashAlgorithm}
"""By the names that lock files give them."""

SUBJECT = "product"
"""The reference, inside the file, of what the bill is of."""


def sbom_json(
    components: Iterable[Component],
    product: str,
    version: str,
    created: datetime | None = None,
    spec_version: str = "1.6",
) -> bytes:
    """Return the bill of materials of a product as CycloneDX JSON, the same bytes each time.

    Its serial number follows from its content, so the same list always has the same number; it
    carries a time only where one is given.

    Parameters
    ----------
    created : datetime, optional
        When the list was taken.
    spec_version : str
        "1.5" or "1.6".
    """
    listed = sorted(components, key=lambda one: (one.key, one.version))
    content = digest([product, version, [vars(item) for item in listed]])
    subject = BomComponent(
        type=ComponentType.APPLICATION, name=product, version=version or None, bom_ref=SUBJECT
    )
    written = [(one, _bom_component(one)) for one in listed]
    bom = Bom(
        components=[each for _, each in written],
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"urn:sha256:{content}"),
    )
    bom.metadata.component = subject
    if created is not None:
        bom.metadata.timestamp = created
    # Where nobody knows what is direct, everything is said to be: none of it is taken for granted.
    direct = [each for one, each in written if one.direct] or [each for _, each in written]
    bom.register_dependency(subject, direct)
    asked: dict[str, list[BomComponent]] = {}
    for one, each in written:
        for above in one.needed_by:
            asked.setdefault(above, []).append(each)
    for one, each in written:
        bom.register_dependency(each, asked.get(one.key[1], ()))
    text = make_outputter(bom, OutputFormat.JSON, SPEC_VERSIONS[spec_version]).output_as_string()
    value = json.loads(text)
    if created is None:
        # The library fills in the moment of writing, which would change the bytes each time.
        value["metadata"].pop("timestamp", None)
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"


def _bom_component(one: Component) -> BomComponent:
    purl = package_url(one.purl) if one.purl else None
    reference = purl.to_string() if purl else f"{one.name}@{one.version}"
    hashes = list(_hashes(one))
    # Of files for many machines no single one is known to be the one installed.
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION, url=XsUri(reference), hashes=hashes
    )
    return BomComponent(
        type=ComponentType.LIBRARY,
        name=one.name,
        version=one.version or None,
        purl=purl,
        bom_ref=reference,
        supplier=OrganizationalEntity(name=one.supplier) if one.supplier else None,
        licenses=[LicenseFactory().make_from_string(one.licence)] if one.licence else None,
        hashes=hashes if len(hashes) == 1 else None,
        external_references=[files] if len(hashes) > 1 else None,
        scope=None if one.delivered else ComponentScope.EXCLUDED,
    )


def _hashes(one: Component) -> Iterator[HashType]:
    """Yield the hashes of a component, of the kinds that CycloneDX knows."""
    for each in one.hashes:
        kind, _, value = each.partition(":")
        if kind in _ALGORITHMS:
            yield HashType(alg=_ALGORITHMS[kind], content=value)
