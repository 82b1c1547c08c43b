"""The software bill of materials: every package installed beside the product, in CycloneDX."""

import re
import uuid
from collections.abc import Iterable
from datetime import datetime
from importlib.metadata import Distribution, PackageMetadata, distributions

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component as BomComponent
from cyclonedx.model.component import ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from core.canonical import digest
from validation.pack.contents import Component

_LONGEST_LICENCE = 200
"""Some packages put the whole text of their licence into its field; a name is shorter."""


def installed_components() -> tuple[Component, ...]:
    """Return the packages of the running environment, once each, ordered by name."""
    found: dict[str, Component] = {}
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name:
            # The first one on the path is the one that is imported.
            found.setdefault(_normal(name), _component(name, distribution))
    return tuple(found[name] for name in sorted(found))


def sbom_json(
    components: Iterable[Component], product: str, version: str, created: datetime
) -> bytes:
    """Return the bill of materials of a product as CycloneDX 1.6 JSON, the same bytes each time.

    Its serial number follows from its content, so the same list always has the same number.
    """
    listed = sorted(components, key=lambda item: (_normal(item.name), item.version))
    content = digest([product, version, [vars(item) for item in listed]])
    subject = BomComponent(
        type=ComponentType.APPLICATION, name=product, version=version, bom_ref="product"
    )
    bom = Bom(
        components=[_bom_component(item) for item in listed],
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"urn:sha256:{content}"),
    )
    bom.metadata.component = subject
    bom.metadata.timestamp = created
    bom.register_dependency(subject, bom.components)
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)
    return text.encode() + b"\n"


def _component(name: str, distribution: Distribution) -> Component:
    metadata = distribution.metadata
    licence = _stated(metadata, "License-Expression") or _classified(distribution)
    if not licence:
        stated = _stated(metadata, "License")
        licence = stated if "\n" not in stated and len(stated) <= _LONGEST_LICENCE else ""
    supplier = _stated(metadata, "Author") or _stated(metadata, "Maintainer")
    return Component(name=name, version=distribution.version, licence=licence, supplier=supplier)


def _stated(metadata: PackageMetadata, name: str) -> str:
    return metadata[name].strip() if name in metadata else ""


def _classified(distribution: Distribution) -> str:
    classifiers = distribution.metadata.get_all("Classifier") or []
    named = [item.split(" :: ")[-1] for item in classifiers if item.startswith("License :: ")]
    return "; ".join(item for item in named if item != "OSI Approved")


def _bom_component(item: Component) -> BomComponent:
    purl = PackageURL("pypi", name=_normal(item.name), version=item.version)
    return BomComponent(
        type=ComponentType.LIBRARY,
        name=item.name,
        version=item.version,
        purl=purl,
        bom_ref=purl.to_string(),
        supplier=OrganizationalEntity(name=item.supplier) if item.supplier else None,
        licenses=[LicenseFactory().make_from_string(item.licence)] if item.licence else None,
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
