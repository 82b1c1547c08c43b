"""Write a bill of materials as CycloneDX JSON: the same components, the same bytes."""

import json
import uuid
from collections.abc import Iterable
from datetime import datetime

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component as BomComponent
from cyclonedx.model.component import ComponentScope, ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from core.canonical import digest
from qms.soup.components import Component, normal_name

SPEC_VERSIONS = {"1.5": SchemaVersion.V1_5, "1.6": SchemaVersion.V1_6}

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
    written = {one.key[1]: _bom_component(one) for one in listed}
    bom = Bom(
        components=written.values(),
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"urn:sha256:{content}"),
    )
    bom.metadata.component = subject
    if created is not None:
        bom.metadata.timestamp = created
    # Where nobody knows what is direct, everything is said to be: none of it is taken for granted.
    direct = [one for one in listed if one.direct] or listed
    bom.register_dependency(subject, [written[one.key[1]] for one in direct])
    asked: dict[str, list[BomComponent]] = {}
    for one in listed:
        for above in one.needed_by:
            asked.setdefault(above, []).append(written[one.key[1]])
    for name, bom_component in written.items():
        bom.register_dependency(bom_component, asked.get(name, ()))
    text = make_outputter(bom, OutputFormat.JSON, SPEC_VERSIONS[spec_version]).output_as_string()
    value = json.loads(text)
    if created is None:
        # The library fills in the moment of writing, which would change the bytes each time.
        value["metadata"].pop("timestamp", None)
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"


def _bom_component(one: Component) -> BomComponent:
    normal = normal_name(one.name)
    purl = (
        PackageURL.from_string(one.purl)
        if one.purl
        else PackageURL("pypi", name=normal, version=one.version)
    )
    hashes = [HashType.from_composite_str(each) for each in one.hashes]
    return BomComponent(
        type=ComponentType.LIBRARY,
        name=one.name,
        version=one.version or None,
        purl=purl,
        bom_ref=purl.to_string(),
        supplier=OrganizationalEntity(name=one.supplier) if one.supplier else None,
        licenses=[LicenseFactory().make_from_string(one.licence)] if one.licence else None,
        # Of files for many machines no single one is known to be the one installed.
        hashes=hashes if len(hashes) == 1 else None,
        external_references=[
            ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION, url=XsUri(purl.to_string()), hashes=hashes
            )
        ]
        if len(hashes) > 1
        else None,
        scope=None if one.delivered else ComponentScope.EXCLUDED,
    )
