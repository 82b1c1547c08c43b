"""Build a validation pack: one zip with the printed pack, its data, its evidence and signatures.

The same contents, evidence and key give the same bytes, on any machine with the same renderer and
fonts. On another one only the PDF and what names its hash differ.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from core.canonical import canonical_json, read_json, rfc3339
from core.errors import Fault, Invalid
from core.pdf import PdfAttachment, render_pdf
from core.signing.envelopes import seal
from core.signing.keys import SigningKey, print_fingerprint
from qms.soup.components import Component, normal_name
from qms.soup.writing import sbom_json
from validation.pack import claims, manifest
from validation.pack.attestations import pack_statement, run_statement
from validation.pack.container import Entry, Source, measure, write_archive
from validation.pack.contents import PackContents, contents_from_json, contents_to_json
from validation.pack.pages import pack_html, stylesheets

Progress = Callable[[int, int, str], None]
STEPS = ("Checking the contents", "Signing statements", "Printing", "Writing the zip")

PDF_ATTACHMENT = "pack.dsse.json"


def build_pack(
    contents: PackContents,
    evidence: Mapping[str, Source],
    keys: SigningKey | Sequence[SigningKey],
    target: Path,
    progress: Progress = lambda _done, _total, _text: None,
) -> Path:
    """Write the pack to `target` and return that path.

    Parameters
    ----------
    contents : PackContents
        Everything the pack shows.
    evidence : mapping of str to bytes or Path
        Each file that a step of a run left, by its SHA-256.
    keys : SigningKey or sequence of them
        Who signs; every one signs the statements and the manifest.
    progress : callable
        Told ``(done, total, text)`` before each of the four steps.

    Raises
    ------
    Invalid
        If the contents contradict themselves or a file of evidence is missing or another than
        recorded. Every fault is named, and nothing is written.
    """
    signers = [keys] if isinstance(keys, SigningKey) else list(keys)
    advance = iter([partial(progress, n, len(STEPS), text) for n, text in enumerate(STEPS)])
    next(advance)()
    # Through the canonical form once, so that contents kept as JSON give the same bytes.
    plain = read_json(canonical_json(contents_to_json(contents)))
    contents = contents_from_json(plain)
    _refuse_faults(contents, plain, evidence)
    members = _data_members(contents, plain, evidence)
    entries = {path: measure(path, source) for path, source in members.items()}
    next(advance)()
    subjects = [(entry.path, entry.sha256) for entry in entries.values()]
    statement = canonical_json(pack_statement(subjects, _release(plain), plain["runs"]))
    statement_digest = sha256(statement).hexdigest()
    attestation = seal(manifest.STATEMENT_TYPE, statement, signers).to_bytes()
    members[manifest.PACK_STATEMENT] = attestation
    members.update(_run_attestations(plain, entries, signers))
    members[manifest.README] = _readme(contents, signers).encode()
    next(advance)()
    members[manifest.PDF] = _pdf(contents, statement_digest, attestation, signers)
    next(advance)()
    for path in set(members) - set(entries):
        entries[path] = measure(path, members[path])
    table = _manifest(contents, statement_digest, signers, entries.values()).to_bytes()
    members[manifest.MANIFEST] = table
    members[manifest.MANIFEST_ENVELOPE] = seal(manifest.MANIFEST_TYPE, table, signers).to_bytes()
    for path in manifest.UNLISTED:
        entries[path] = measure(path, members[path])
    ordered = manifest.in_file_order(entries)
    write_archive(target, [entries[path] for path in ordered], members.__getitem__)
    return target


def _refuse_faults(
    contents: PackContents, plain: Mapping[str, Any], evidence: Mapping[str, Source]
) -> None:
    faults = [
        Fault("pack.record", record["uid"], text)
        for record in plain["records"]
        for text in claims.record_faults(record)
    ]
    faults += [
        Fault("pack.baseline", contents.baseline.name, text)
        for text in claims.baseline_faults(plain["baseline"], plain["records"])
    ]
    faults += [
        Fault("pack.verdict", contents.cover.document, text)
        for text in claims.release_faults(plain)
    ]
    faults += [Fault("pack.run", "runs", text) for text in claims.run_faults(plain["runs"])]
    faults += _evidence_faults(plain, evidence)
    if faults:
        raise Invalid(
            f"The pack {contents.cover.document} was not built: {len(faults)} of its contents "
            "contradict each other.",
            tuple(faults),
        )


def _evidence_faults(plain: Mapping[str, Any], evidence: Mapping[str, Source]) -> list[Fault]:
    referred = claims.attachments(plain["runs"])
    fault = partial(Fault, "pack.evidence")
    faults = [
        fault(file["name"], "is recorded by a run, but its file is missing.", "Restore the file.")
        for digest, file in sorted(referred.items())
        if digest not in evidence
    ]
    for digest, source in sorted(evidence.items()):
        if digest not in referred:
            faults.append(fault(digest, "is a file that no run refers to.", "Leave it out."))
            continue
        found = measure(digest, source)
        if found.sha256 != digest or found.size != referred[digest]["size"]:
            name = referred[digest]["name"]
            faults.append(fault(name, f"holds other bytes ({found.sha256[:12]}) than recorded."))
    return faults


def _data_members(
    contents: PackContents, plain: Mapping[str, Any], evidence: Mapping[str, Source]
) -> dict[str, Source]:
    """Return everything the pack's statement covers."""
    cover = contents.cover
    named: dict[str, dict[tuple[str, ...], Any]] = {
        "records": {(r["project"], r["uid"]): r for r in plain["records"]},
        "runs": {(run["number"],): run for run in plain["runs"]},
    }
    members: dict[str, Source] = {}
    for folder, values in named.items():
        paths = manifest.assign_paths(folder, values)
        members.update({path: manifest.member_json(values[name]) for name, path in paths.items()})
    members.update({f"evidence/{digest}": source for digest, source in evidence.items()})
    members[manifest.RELEASE] = manifest.member_json(_release(plain))
    members[manifest.BASELINE] = manifest.member_json(plain["baseline"])
    members[manifest.LEDGER] = manifest.member_json(plain["ledger"])
    installed = [
        Component(
            item.name,
            item.version,
            f"pkg:pypi/{normal_name(item.name)}@{item.version}",
            item.licence,
            item.supplier,
        )
        for item in contents.components
    ]
    members[manifest.SBOM] = sbom_json(installed, cover.product, cover.version, cover.frozen_at)
    return members


def _release(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has no member of its own, with the baseline and the ledger by their digests."""
    elsewhere = ("records", "runs", "baseline", "ledger")
    baseline = plain["baseline"]
    return {
        **{name: value for name, value in plain.items() if name not in elsewhere},
        "baseline": {"name": baseline["name"], "root": baseline["root"]},
        "ledger_head": plain["ledger"]["head"],
    }


def _run_attestations(
    plain: Mapping[str, Any], entries: Mapping[str, Entry], signers: Sequence[SigningKey]
) -> dict[str, bytes]:
    paths = manifest.assign_paths("runs", [(run["number"],) for run in plain["runs"]])
    attested = {}
    for run in plain["runs"]:
        path = paths[run["number"],]
        payload = canonical_json(run_statement(path, entries[path].sha256, run))
        sealed = seal(manifest.STATEMENT_TYPE, payload, signers)
        attested[manifest.run_attestation(path)] = sealed.to_bytes()
    return attested


def _pdf(
    contents: PackContents, statement: str, attestation: bytes, signers: Sequence[SigningKey]
) -> bytes:
    cover = contents.cover
    return render_pdf(
        pack_html(contents, statement, [key.fingerprint for key in signers]),
        title=f"{cover.product} {cover.version}: validation pack {cover.document}",
        identifier=f"{cover.document} {statement}",
        created=cover.frozen_at,
        stylesheets=stylesheets(cover.demonstration),
        attachments=[
            PdfAttachment(PDF_ATTACHMENT, attestation, "Attestation of records, runs and evidence")
        ],
    )


def _manifest(
    contents: PackContents,
    statement: str,
    signers: Sequence[SigningKey],
    entries: Iterable[Entry],
) -> manifest.Manifest:
    cover = contents.cover
    return manifest.Manifest(
        product=cover.product,
        version=cover.version,
        document=cover.document,
        created=rfc3339(cover.frozen_at),
        demonstration=cover.demonstration,
        statement=statement,
        signers=tuple(
            manifest.Signer(key.fingerprint, key.public.to_pem().decode()) for key in signers
        ),
        members=tuple(
            manifest.ManifestMember(entry.path, entry.size, entry.sha256)
            for entry in sorted(entries, key=lambda entry: entry.path)
        ),
    )


def _readme(contents: PackContents, signers: Sequence[SigningKey]) -> str:
    cover = contents.cover
    keys = "\n".join(f"  {print_fingerprint(key.fingerprint)}" for key in signers)
    demonstration = "\nDEMONSTRATION: people, hospital and data are fictional.\n"
    return f"""{cover.product} {cover.version}: validation pack {cover.document}
Frozen {rfc3339(cover.frozen_at)}
{demonstration if cover.demonstration else ""}
Open pack.pdf to read it. The other files hold the same facts for machines:

  records/      each record as it was approved, with its digests and signatures
  runs/         each attempt at a protocol, step by step, expected beside actual
  evidence/     the files the runs left, named by their SHA-256
  release.json  release check, concessions, traceability, risks, deviations, known problems
  baseline.json, ledger.json, sbom.cdx.json (CycloneDX)
  attestations/ in-toto statements in signed DSSE envelopes
  manifest.json, manifest.dsse.json   size and SHA-256 of every file, and the signature over it

To verify this zip on any machine with Fiducial, without a server:

  fiducial verify THIS.zip --key KEY.pem

KEY.pem is the public key of the installation that made the pack. Ask its owner for it; do not take
it from here. Its fingerprint (SHA-256 of the key in DER form) must be:

{keys}

Exit status 0: intact and signed by that key. 2: intact, no key given. 1: changed; each changed
file is named. Verify the zip itself, not an unpacked copy.
"""
