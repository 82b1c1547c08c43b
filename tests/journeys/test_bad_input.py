"""Malformed input by command and by page: every fault by name, and nothing stored is changed."""

import hashlib
import http.client
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from core.settings import DATA_SETS
from tests.demonstration import BuiltDemo
from tests.journeys import hostile
from tests.journeys.command_line import fiducial
from tests.journeys.conftest import served

pytestmark = pytest.mark.slow

REFUSED = 1
MEMORY_BYTES = 3 << 30
"""Address space of a command and of each child; the 300 KB file claims a third of it at once."""

CPU_S = 60

EXECUTING = {"job", "job_attempt", "job_step", "job_worker", "ledger_entry", "ledger_head"}
"""What every job writes."""


def stored(data_dir: Path) -> dict[str, str]:
    """Return the digest of every table and of every file that an installation keeps."""
    database = sqlite3.connect(f"file:{data_dir / 'fiducial.db'}?mode=ro", uri=True)
    with closing(database):
        names = "SELECT name FROM sqlite_master WHERE type = 'table'"
        found = {
            str(name): hashlib.sha256(
                repr(database.execute(f'SELECT * FROM "{name}"').fetchall()).encode()
            ).hexdigest()
            for (name,) in database.execute(names).fetchall()
        }
    for path in data_dir.rglob("*"):
        if path.is_file() and not path.name.startswith("fiducial.db"):
            key = path.relative_to(data_dir).as_posix()
            found[key] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Return what is another, new or gone."""
    return {key for key in {*before, *after} if before.get(key) != after.get(key)}


@pytest.fixture(scope="module")
def files(built_demo: BuiltDemo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one file of each kind, and a dose and a structure set that are whole."""
    folder = tmp_path_factory.mktemp("hostile")
    for name in ("rtdose.dcm", "rtstruct.dcm"):
        whole = min((built_demo.data_dir / DATA_SETS).rglob(name))
        shutil.copy(whole, folder / name)
    hostile.truncated(folder / "rtdose.dcm", folder / "cut.dcm")
    hostile.nested(folder / "deep.dcm")
    hostile.deflated(folder / "bomb.dcm")
    assert (folder / "deep.dcm").stat().st_size < 12_000
    assert (folder / "bomb.dcm").stat().st_size < 310_000
    return folder


@pytest.mark.parametrize(
    ("structures", "dose", "told"),
    [
        ("rtstruct.dcm", "cut.dcm", ["TRUNCATED cut.dcm"]),
        ("deep.dcm", "bomb.dcm", ["NESTED_TOO_DEEP deep.dcm", "DEFLATED_TOO_LARGE bomb.dcm"]),
        ("bomb.dcm", "deep.dcm", ["DEFLATED_TOO_LARGE bomb.dcm", "NESTED_TOO_DEEP deep.dcm"]),
    ],
)
def test_the_engine_names_what_is_wrong_with_each_file(
    files: Path, structures: str, dose: str, told: list[str]
) -> None:
    done = fiducial(
        *("dose", "metrics", structures, dose),
        folder=files,
        memory_bytes=MEMORY_BYTES,
        cpu_s=CPU_S,
    )

    assert (done.returncode, done.stdout) == (REFUSED, "")
    lines = done.stderr.splitlines()
    assert len(lines) == len(told)
    for line, expected in zip(lines, told, strict=True):
        assert line.startswith(f"{expected}: ")
        # What is wrong, and what to do about it.
        assert line.count(". ") >= 1


def test_a_comparison_with_hostile_files_fails_by_name_and_touches_no_record(
    demo_copy: BuiltDemo, files: Path, tmp_path: Path
) -> None:
    """A run that failed is evidence, so it is kept; everything else stays as it was."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(files / "deep.dcm", data / "rtss.dcm")
    shutil.copy(files / "bomb.dcm", data / "rtdose.dcm")
    before = stored(demo_copy.data_dir)

    done = fiducial(
        *("validate", "RPM", "--protocol", "numerical", "--data", data),
        *("--reason", "Hostile files.", "--json"),
        folder=tmp_path,
        data_dir=demo_copy.data_dir,
        memory_bytes=MEMORY_BYTES * 3,
    )

    assert done.returncode == REFUSED, done.stderr
    run = json.loads(done.stdout)
    [scenario] = run["scenarios"]
    # A refusal is no measurement out of bounds: nothing could be measured.
    assert (run["verdict"], scenario["status"]) == ("failed", "error")
    assert "NESTED_TOO_DEEP" in scenario["failure"]
    assert "DEFLATED_TOO_LARGE" in scenario["failure"]
    touched = changed(before, stored(demo_copy.data_dir))
    kept = {name for name in touched if name.startswith("blobs/")}
    assert not kept & set(before)
    assert touched - kept - EXECUTING == {
        *("blob", "validation_run", "validation_run_event"),
        *("validation_run_scenario", "validation_run_step"),
    }


MAP = """schema: dataflows/2
department: {id: h, name: Hospital, colour: red}
systems:
- {id: NEW, name: New, kind: archive, parent: GONE, owner: IT, criticality: low, wheels: 4}
- {id: NEW, name: Again, kind: archive, parent: null, owner: IT, criticality: enormous}
connections:
- {id: C900, source: NEW, target: NOWHERE, category: telepathy, protocl: DICOM}
pathways: []
extra: 1
"""

FAULTS_OF_MAP = [
    "map.yaml:2: There is no field 'department.colour'.",
    "map.yaml:4 NEW: There is no field 'wheels'.",
    "map.yaml:4 NEW: Its parent GONE is not a system here.",
    "map.yaml:5 NEW: The field 'criticality': input should be 'high', 'medium' or 'low'.",
    "map.yaml:5 NEW: The id NEW stands already at map.yaml:4.",
    "map.yaml:7 C900: The field 'category': input should be 'dicom', 'file' or 'other'.",
    "map.yaml:7 C900: There is no field 'protocl'.",
    "map.yaml:7 C900: The field 'protocol' is missing.",
    "map.yaml:7 C900: Its target NOWHERE is not a system here.",
    "map.yaml:9: There is no field 'extra'.",
]

RECORD = """schema: rsq-demo/2
requirements:
- {id: REQ-900, title: One, text: B, category: interface, derives_from: [UN-999], colour: red}
- {id: REQ-901, titel: Two, text: B, category: nonsense, derives_from: [REQ-900]}
- {id: REQ-902, title: Three, text: B, category: nonsense, risk_control: [RSK-998]}
- {id: REQ-006, title: Taken, text: B, category: interface}
surprises: []
"""

FAULTS_OF_RECORD = [
    "record.yaml:3 REQ-900: has the unknown key colour.",
    "record.yaml:3 REQ-900: names UN-999, which is not in the file.",
    "record.yaml:4 REQ-901: has the unknown key titel.",
    "record.yaml:4 REQ-901: has no title.",
    "record.yaml:5 REQ-902: Category (category): Input should be",
    "record.yaml:5 REQ-902: names RSK-998, which is not in the file.",
    "record.yaml:7: has the unknown section surprises.",
    "REQ-006: exists in RPM already.",
]


def test_both_files_of_an_import_tell_all_their_faults_at_once(
    demo_copy: BuiltDemo, tmp_path: Path
) -> None:
    (tmp_path / "map.yaml").write_text(MAP)
    (tmp_path / "record.yaml").write_text(RECORD)
    before = stored(demo_copy.data_dir)

    alone = fiducial(
        *("import", "design-record", "record.yaml", "--into", "RPM", "--as", "PPL-AK"),
        folder=tmp_path,
        data_dir=demo_copy.data_dir,
    )
    together = fiducial(
        *("import", "design-record", "record.yaml", "--into", "RPM", "--as", "PPL-AK"),
        *("--also", "department:DEPT:map.yaml"),
        folder=tmp_path,
        data_dir=demo_copy.data_dir,
    )

    assert (alone.returncode, together.returncode) == (REFUSED, REFUSED)
    assert (alone.stdout, together.stdout) == ("", "")
    assert alone.stderr.splitlines()[0] == "Nothing was imported."
    for expected in FAULTS_OF_RECORD:
        assert any(expected in line for line in alone.stderr.splitlines())
    # What a file that could not be built says of links into it would prove nothing.
    of_files = [one for one in FAULTS_OF_RECORD if "Category" not in one and "exists" not in one]
    for expected in (*FAULTS_OF_MAP, *of_files):
        assert any(expected in line for line in together.stderr.splitlines())
    assert changed(before, stored(demo_copy.data_dir)) == set()


def test_a_yaml_that_asks_for_too_much_is_refused_by_name(
    demo_copy: BuiltDemo, tmp_path: Path
) -> None:
    pwned = tmp_path / "pwned"
    before = stored(demo_copy.data_dir)
    # One reader reads both kinds.
    for kind, name, content, told in (
        (
            "department",
            "aliases.yaml",
            hostile.laughing().encode(),
            "is not allowed. Write the value out",
        ),
        (
            "design-record",
            "nested.yaml",
            hostile.bottomless().encode(),
            "It is nested too deeply to be read.",
        ),
        ("department", "cut.yaml", b'systems:\n- {id: A, name: "B\n', "This is not YAML"),
        (
            "department",
            "tag.yaml",
            f'systems: !!python/object/apply:os.system ["touch {pwned}"]\n'.encode(),
            "is not allowed. Write plain text",
        ),
        (
            "design-record",
            "latin.yaml",
            b"systems: \xff\n",
            "is not UTF-8 text. Save the file as UTF-8.",
        ),
    ):
        (tmp_path / name).write_bytes(content)

        done = fiducial(
            *("import", kind, name, "--into", "DEPT", "--as", "PPL-AK"),
            folder=tmp_path,
            data_dir=demo_copy.data_dir,
            memory_bytes=MEMORY_BYTES,
            cpu_s=CPU_S,
        )

        assert (done.returncode, done.stdout) == (REFUSED, "")
        assert done.stderr.startswith("Nothing was imported.\n")
        assert f"  {name}" in done.stderr
        assert told in done.stderr
        assert changed(before, stored(demo_copy.data_dir)) == set()
    assert not pwned.exists()


@pytest.fixture(scope="module")
def author(module_demo: BuiltDemo) -> Iterator[httpx2.Client]:
    """An author who is signed in, with a client that sends what no browser would."""
    with served(module_demo.data_dir) as origin, httpx2.Client(base_url=origin) as client:
        client.headers["origin"] = origin
        client.timeout = httpx2.Timeout(60)
        hidden = fields_of(client.get("/sign-in").text)
        signing = {**hidden, "username": "amara.kole", "password": module_demo.password}
        assert client.post("/sign-in", data=signing).status_code == 303
        yield client


def fields_of(page: str) -> dict[str, str]:
    """Return the hidden fields of a page's forms."""
    inputs = re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", page)
    named = {
        re.search(r'name="([^"]*)"', one): re.search(r'value="([^"]*)"', one) for one in inputs
    }
    return {name[1]: value[1] if value else "" for name, value in named.items() if name}


SIGNED_IN = {"ledger_entry", "ledger_head", "web_session", "job_worker", "job"}
"""A refusal is kept in the audit trail, and a session remembers when it was last seen. The worker
beside the service says when it is ready, maybe only now, and asks for the coming night's job."""


def test_a_form_tells_every_fault_at_once_keeps_what_was_typed_and_changes_nothing(
    author: httpx2.Client, module_demo: BuiltDemo
) -> None:
    address = "/p/RPM/new/requirement"
    hidden = fields_of(author.get(address).text)
    before = stored(module_demo.data_dir)

    answer = author.post(
        address,
        data={
            "csrf_token": hidden["csrf_token"],
            "title": "",
            "field.category": "nonsense",
            "field.acceptance": "Kept as it was typed",
            "link.derives_from.1.target": "UN-999",
            "link.mitigates.1.target": "RSK-998",
            "link.mitigates.1.attr.kind": "magic",
        },
    )

    assert answer.status_code == 422
    for told in ("UN-999 leads to no record", "RSK-998 leads to no record", "Category", "kind"):
        assert told in answer.text
    for typed in ("Kept as it was typed", "UN-999", "RSK-998"):
        assert typed in answer.text
    assert changed(before, stored(module_demo.data_dir)) <= SIGNED_IN


NOTHING_CHOSEN = """--part
Content-Disposition: form-data; name="csrf_token"

{csrf_token}
--part
Content-Disposition: form-data; name="files"; filename=""
Content-Type: application/octet-stream


--part--
"""
"""What a browser sends when the button is pressed before a file is chosen."""


def status_of_a_claim(host: str, port: int) -> int:
    """Announce a gigabyte, send nothing of it, and return how that is answered."""
    connection = http.client.HTTPConnection(host, port, timeout=30)
    with closing(connection):
        connection.putrequest("POST", "/p/RPM/REQ-006/files")
        connection.putheader("content-type", "multipart/form-data; boundary=x")
        connection.putheader("content-length", str(hostile.GIGABYTE))
        connection.endheaders()
        return connection.getresponse().status


def test_an_upload_that_is_empty_too_large_or_of_a_hostile_name_does_no_harm(
    author: httpx2.Client, module_demo: BuiltDemo
) -> None:
    page = author.get("/p/RPM/REQ-006").text
    token = {"csrf_token": fields_of(page)["csrf_token"]}
    before = stored(module_demo.data_dir)

    nothing = author.post(
        "/p/RPM/REQ-006/files",
        content=NOTHING_CHOSEN.format(**token).replace("\n", "\r\n").encode(),
        headers={"content-type": "multipart/form-data; boundary=part"},
    )
    too_large = status_of_a_claim(author.base_url.host, author.base_url.port or 80)
    elsewhere = author.post(
        "/p/RPM/REQ-999/files", data=token, files={"files": ("a.txt", b"a", "text/plain")}
    )

    assert nothing.status_code == 422
    assert "No file was chosen" in nothing.text
    assert too_large == 413
    assert elsewhere.status_code == 404
    assert changed(before, stored(module_demo.data_dir)) <= SIGNED_IN


def test_a_hostile_file_is_kept_as_it_is_under_a_plain_name(
    author: httpx2.Client, module_demo: BuiltDemo, files: Path
) -> None:
    page = author.get("/p/RPM/REQ-006").text
    token = {"csrf_token": fields_of(page)["csrf_token"]}
    content = (files / "bomb.dcm").read_bytes()
    name = "../../etc/<b>passwd.dcm"

    sent = author.post(
        "/p/RPM/REQ-006/files", data=token, files={"files": (name, content, "text/html")}
    )
    shown = author.get(urlsplit(sent.headers["location"]).path).text
    [address] = re.findall(r'href="(/p/RPM/REQ-006/files/\d+)"', shown)
    again = author.get(address)

    assert sent.status_code == 303
    assert "&lt;b&gt;passwd.dcm" in shown
    assert "<b>passwd" not in shown
    assert again.content == content
    assert again.headers["content-disposition"].startswith("attachment")
    assert again.headers["x-content-type-options"] == "nosniff"
    assert not (module_demo.data_dir / "etc").exists()
