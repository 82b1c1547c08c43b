"""The demonstration: a department, a device, and one release of it from import to verified pack.

Every step looks first whether it was done before, so a second run goes on where a first one ended.
All people, the hospital and the data are fictional; every page and pack says so.
"""

import logging
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from sqlmodel import Session

from app.demo import records, release
from app.demo.data_sets import FAULTS, PHANTOMS, build_data_sets, counts
from app.demo.device_repository import DeviceRepository, build_device_repository
from app.demo.people import (
    ADMINISTRATOR_UID,
    Account,
    Signers,
    SignIns,
    accounts_of,
    create_accounts,
    grant_roles,
    read_sign_ins,
    roles_in_department,
    roles_in_device,
)
from app.demo.release import Demo
from app.schema import upgrade
from app.serving import serve as serve_pages
from core.db import Database
from core.errors import Conflict
from core.people.service import find_actor
from core.records.service import counts_by_type, find_project
from core.settings import Settings
from core.signing.keys import (
    PUBLIC_NAME,
    create_key,
    has_key,
    key_folder,
    load_key,
    print_fingerprint,
)
from qms.rules.findings import CheckResult
from validation.pack.standing import PackFile
from validation.runs.toolcheck import check_tools
from validation.verify.findings import ExitCode
from validation.verify.verification import verify_pack

FOLDER = "demo"
"""Below the data folder; repositories in it may be registered without further settings."""

PUBLISHED_PLAN = Path("rt/eclipse-prostate")
"""Below the reference data: a published plan with the figures of its planning system."""

Tell = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Outcome:
    """What the demo leaves behind.

    Attributes
    ----------
    run, comparison : int
        Numbers of the validation run and of the numerical comparison, 0 where none was possible.
    """

    db: Database
    pack: PackFile
    pack_path: Path
    key_path: Path
    check: CheckResult
    run: int
    comparison: int
    sign_ins: SignIns


class Story:
    """Tell each step of the demo as a line, with a bar while it lasts."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.number = 0

    @contextmanager
    def step(self, title: str) -> Iterator["Step"]:
        """Tell one step; what it came to is said when it ends."""
        self.number += 1
        began = time.monotonic()
        bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}", markup=False),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        with bars:
            step = Step(bars, f"{self.number:2d}  {title}")
            yield step
        took = time.monotonic() - began
        said = f"[green]done[/] {self.number:2d}  {title}"
        line = f"{said}: {step.said} [dim]({took:.1f} s)[/]"
        self.console.print(line, highlight=False, soft_wrap=True)


class Step:
    """One step under way."""

    def __init__(self, bars: Progress, title: str) -> None:
        self._bars = bars
        self._task = bars.add_task(title, total=None, text="")
        self.said = "done"

    def tell(self, done: int, total: int, text: str) -> None:
        """Show how far the step is; a total of 0 is unknown."""
        self._bars.update(self._task, completed=done, total=total or None, text=text[:90])


def run_demo(settings: Settings, console: Console, serve: bool) -> Outcome:
    """Load the demonstration, take its release to a verified pack, and serve it if asked to.

    Raises
    ------
    FiducialError
        If a step is refused; what was done before it stays, and a second run goes on from there.
    """
    logging.getLogger("core.jobs").setLevel(logging.WARNING)
    console.print("[bold]Fiducial demonstration[/]: people, hospital and data are fictional.")
    story = Story(console)
    demo, sign_ins, repository = _ground(settings, story)
    with release.working(demo):
        _scan(demo, story, repository)
        outcome = _release(demo, story, sign_ins)
    _tell_outcome(console, outcome, settings)
    if serve:
        _tell_sign_ins(console, settings, sign_ins)
        serve_pages(settings, settings.host, settings.port, with_worker=True)
    return outcome


def _ground(settings: Settings, story: Story) -> tuple[Demo, SignIns, DeviceRepository]:
    """Make the installation: folder, schema, key, people, and the records of both projects."""
    with story.step("Data folder and database") as step:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        db = upgrade(settings)
        step.said = f"{settings.data_dir.absolute()}"
    with story.step("Signing key") as step:
        if not has_key(settings.data_dir):
            create_key(settings.data_dir)
        step.said = f"fingerprint {load_key(settings.data_dir).fingerprint[:16]}"
    folder = settings.data_dir.absolute() / FOLDER
    with story.step("Git repository of the device") as step:
        repository = build_device_repository(folder / release.REPOSITORY)
        step.said = f"tag v0.1.0 names {repository.commit[:12]}, in {repository.folder}"
    loaded = records.read_files({})
    accounts = accounts_of(loaded.drafts)
    sign_ins = read_sign_ins(settings.data_dir, accounts)
    _people(db, story, sign_ins, accounts)
    demo = Demo(db, settings, Signers(sign_ins.password))
    with story.step("Data sets as DICOM") as step:
        missing = not _is_imported(db)
        place = settings.data_sets_dir / records.DEVICE
        digests = build_data_sets(place, step.tell) if missing else {}
        held = counts()
        told = f"{held[FAULTS]} sets with and without faults, {held[PHANTOMS]} phantoms"
        step.said = f"{told} with exact answers" if missing else "there already"
    with story.step("Tools that execute and record") as step:
        tools = check_tools() if missing else None
        step.said = tools.sentence if tools else "there already"
    with story.step("Records of department and device") as step:
        loaded = records.read_files(records.built_values(repository, digests, tools))
        with db.writing() as session:
            author = find_actor(session, records.AUTHOR)
            imported = records.import_files(session, loaded, author)
        step.said = f"{imported} imported" if imported else "there already"
        step.said += f"; {_record_counts(db)}"
    with story.step("Reviews and approvals") as step:
        wanted = records.to_approve(loaded)
        signed = records.approve_all(db, wanted, demo.signers, step.tell)
        accepted = records.accept_all(db, loaded, demo.signers)
        decided = records.decide_all(db, loaded, demo.signers)
        told = f"{signed} records signed into force, {accepted} changes accepted, "
        told += f"{decided} issues decided on"
        step.said = told if signed or accepted or decided else "there already"
    return demo, sign_ins, repository


def _scan(demo: Demo, story: Story, repository: DeviceRepository) -> None:
    with story.step("Commits of the device") as step:
        found = release.scan(demo, repository.folder, step.tell)
        step.said = "read, with what each implements and verifies" if found else "there already"


def _people(db: Database, story: Story, sign_ins: SignIns, accounts: tuple[Account, ...]) -> None:
    with story.step("People and projects") as step:
        created = create_accounts(db, sign_ins, step.tell)
        with db.writing() as session:
            records.create_projects(session)
            grant_roles(session, find_project(session, records.DEVICE), roles_in_device(accounts))
            grant_roles(
                session, find_project(session, records.DEPARTMENT), roles_in_department(accounts)
            )
        step.said = f"{created} accounts created" if created else f"{len(accounts)} accounts"


def _release(demo: Demo, story: Story, sign_ins: SignIns) -> Outcome:
    """Take the release from its baseline to a verified pack."""
    done_before = release.is_signed(demo)
    with story.step("Baseline of release 0.1.0") as step:
        frozen = release.freeze_once(demo)
        step.said = "frozen" if frozen else "there already"
    with story.step("Validation run") as step:
        run = release.validate_once(demo, step.tell)
        step.said = f"run {run}: {_counted(demo, run)}"
    with story.step("Hazard log, residual risk and safety case") as step:
        issued = release.issue_once(demo)
        step.said = (
            f"{issued} signed, and the baseline frozen with them" if issued else "there already"
        )
    comparison = 0
    data = demo.settings.reference_data.absolute() / PUBLISHED_PLAN
    with story.step("Numerical comparison with a published plan") as step:
        if data.is_dir():
            comparison = release.compare_once(demo, data, step.tell)
            step.said = f"run {comparison}: {_counted(demo, comparison)}"
        else:
            step.said = f"left out, there is no {data} (FIDUCIAL_REFERENCE_DATA)"
    with story.step("Audit trail") as step:
        verified = release.verify_once(demo)
        step.said = f"verified, {verified.entries} entries"
    if not done_before:
        with story.step("Four signatures") as step:
            release.sign_release(demo)
            step.said = "author, technical reviewer, clinical safety officer, quality manager"
    with story.step("Release check") as step:
        check = release.check(demo)
        step.said = check.sentence
    with story.step("Validation pack") as step:
        pack = release.pack_once(demo, step.tell)
        step.said = f"{pack.members} members"
    with story.step("Verify the pack, as its receiver would") as step:
        path, key = _pack_path(demo, pack), key_folder(demo.settings.data_dir) / PUBLIC_NAME
        verdict = verify_pack(path, [key])
        if verdict.exit_code is not ExitCode.INTACT_AND_TRUSTED:
            raise Conflict("; ".join(map(str, verdict.findings)) or "The pack does not verify.")
        step.said = "intact, and signed by the key of this installation"
    return Outcome(demo.db, pack, path, key.absolute(), check, run, comparison, sign_ins)


def _is_imported(db: Database) -> bool:
    with db.reading() as session:
        return bool(counts_by_type(session, find_project(session, records.DEVICE)))


def _record_counts(db: Database) -> str:
    def total(session: Session, key: str) -> int:
        return sum(counts_by_type(session, find_project(session, key)).values())

    with db.reading() as session:
        return ", ".join(
            f"{key} has {total(session, key)}" for key in (records.DEPARTMENT, records.DEVICE)
        )


def _counted(demo: Demo, number: int) -> str:
    counts = release.run_facts(demo, number)
    return (
        f"{counts['passed']} of {counts['scenarios']} scenarios passed, "
        f"{counts['measurements']} values measured"
    )


def _pack_path(demo: Demo, pack: PackFile) -> Path:
    """Return the pack under its name where it still lies there, or as the file kept by digest."""
    named = demo.settings.data_dir.absolute() / "packs" / pack.name
    return named if named.is_file() else pack.path


def _tell_outcome(console: Console, outcome: Outcome, settings: Settings) -> None:
    check = outcome.check
    counts = (
        f"{check.sentence}: {len(check.failing)} fail, {check.warnings} warnings, "
        f"{check.conceded} concessions"
    )
    told = {
        "Release check of 0.1.0": counts,
        "Pack": outcome.pack_path,
        "SHA-256": outcome.pack.sha256,
        "Public key": outcome.key_path,
        "Key fingerprint": print_fingerprint(load_key(settings.data_dir).fingerprint),
        "Verify": _as_typed("verify", str(outcome.pack_path), "--key", str(outcome.key_path)),
    }
    # One line each, however long, so that a path can be copied or read by a script.
    for label, value in told.items():
        console.print(f"[bold]{label:<23}[/] {value}", highlight=False, soft_wrap=True)


def _as_typed(*words: str) -> str:
    """Return a command as it can be typed here: that of a clone is seldom on the path."""
    installed = Path(sys.executable).with_name("fiducial")
    program = "fiducial" if shutil.which("fiducial") or not installed.exists() else str(installed)
    return shlex.join([program, *words])


def _tell_sign_ins(console: Console, settings: Settings, sign_ins: SignIns) -> None:
    table = Table(title=f"Sign in at http://{settings.host}:{settings.port}", title_justify="left")
    for heading in ("Name to sign in with", "Person", "Roles"):
        table.add_column(heading)
    for account in sign_ins.accounts:
        if "user" not in account.roles or account.uid == ADMINISTRATOR_UID:
            words = ", ".join(role.replace("_", " ") for role in account.roles)
            table.add_row(account.username, account.name, words)
    console.print(table)
    console.print(f"Password of all: [bold]{sign_ins.password}[/] (kept in {sign_ins.path})")
