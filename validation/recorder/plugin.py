"""The pytest plugin that records a protocol: every step, expected beside actual, files by hash.

Loaded with ``-p validation.recorder.plugin`` in an isolated child. It imports only pytest,
pytest-bdd and the standard library, so the child stays free of the service and its database.
"""

import json
import os
from collections.abc import Generator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pytest_bdd.gherkin_parser import get_gherkin_document
from pytest_bdd.parser import Feature, Scenario, ScenarioTemplate, Step
from pytest_bdd.scenario import find_fixturedefs_for_step, scenario_wrapper_template_registry

from validation.recorder.evidence import (
    MAX_TEXT,
    Attachment,
    Comparison,
    Measurement,
    Phase,
    ScenarioEvidence,
    Status,
    StepEvidence,
    flags,
    holds,
    in_words,
    plain,
    readable,
    utc_text,
    verdict,
)

PYTEST_OWN_TAGS = frozenset({"skip", "xfail"})
"""Tags that pytest itself acts on; every other tag is a name that we record."""

LISTING_NAME = "listing.json"
EVIDENCE_NAME = "scenario.jsonl"
ATTACHMENTS_NAME = "attachments"

_recorder = pytest.StashKey["Recorder"]()


class Evidence:
    """What step code calls to record inputs, measurements and files of the current step."""

    def __init__(self, recorder: "Recorder") -> None:
        self._recorder = recorder

    def input(self, name: str, value: Any) -> None:
        """Record what the current step was given."""
        self._recorder.current().inputs[readable(name)] = plain(value)

    def measure(
        self,
        name: str,
        *,
        actual: Any,
        expected: Any,
        tolerance: float | None = None,
        unit: str = "",
        comparison: str = "within",
    ) -> None:
        """Record an actual value beside its expectation; a value out of bounds fails the step."""
        __tracebackhide__ = True
        kind = Comparison(comparison)
        passed = holds(kind, actual, expected, tolerance)
        self._recorder.current().measurements.append(
            Measurement(
                name=readable(name),
                expected=plain(expected),
                tolerance=plain(tolerance),
                actual=plain(actual),
                unit=readable(unit),
                comparison=kind.value,
                passed=passed,
            )
        )
        if not passed:
            raise AssertionError(in_words(self._recorder.current().measurements[-1]))

    def attach(self, name: str, data: bytes, media_type: str) -> None:
        """Keep bytes as a file of the current step, named by their SHA-256."""
        digest = sha256(data).hexdigest()
        folder = self._recorder.folder / ATTACHMENTS_NAME
        folder.mkdir(exist_ok=True)
        _write_whole(folder / digest, bytes(data))
        self._recorder.current().attachments.append(
            Attachment(readable(name), digest, len(data), media_type)
        )


class Recorder:
    """Follows one scenario through pytest's phases and pytest-bdd's steps."""

    def __init__(self, folder: Path, root: Path, scenario: ScenarioEvidence) -> None:
        self.folder = folder
        self.scenario = scenario
        self.phases: list[Phase] = []
        self._root = root
        self._at = -1

    def current(self) -> StepEvidence:
        """Return the step being executed."""
        if self._at < 0 or self.scenario.steps[self._at].status != Status.RUNNING:
            raise RuntimeError("Evidence can only be given while a step runs.")
        return self.scenario.steps[self._at]

    def begin(self) -> None:
        """Note the start of the scenario."""
        self.scenario.started_at = utc_text()
        self.save()

    def begin_step(self) -> None:
        """Move on to the next step."""
        self._at += 1
        step = self.scenario.steps[self._at]
        step.status, step.started_at = Status.RUNNING, utc_text()
        self.save()

    def end_step(self, status: Status, failure: str = "") -> None:
        """Close the current step; the first verdict on it stands."""
        step = self.scenario.steps[self._at]
        if step.status == Status.RUNNING:
            step.status, step.ended_at = status, utc_text()
            step.failure = self._without_root(failure)[:MAX_TEXT]
        self.save()

    def note_phase(self, report: pytest.TestReport, error: BaseException | None) -> None:
        """Keep what pytest says of one phase."""
        by_assertion = isinstance(error, AssertionError | pytest.fail.Exception)
        self.phases.append(
            Phase(report.when or "", report.outcome, hasattr(report, "wasxfail"), by_assertion)
        )
        said = report.longreprtext
        if isinstance(report.longrepr, tuple):  # a skip: (path, line, reason)
            said = str(report.longrepr[2])
        if report.outcome != "passed":
            said = self._without_root(said or getattr(report, "wasxfail", ""))
            self.scenario.failure = f"{self.scenario.failure}\n{said}".strip()[:MAX_TEXT]

    def _without_root(self, text: str) -> str:
        """Name files as the repository does, not by where this attempt unpacked it."""
        return readable(text.replace(f"{self._root}{os.sep}", ""))

    def finish(self) -> None:
        """Give the scenario its status and write it whole."""
        scenario = self.scenario
        status = verdict(self.phases, scenario.steps)
        if self._at >= 0:
            unfinished = Status.SKIPPED if status == Status.SKIPPED else Status.ERROR
            self.end_step(unfinished, "The step did not come to its end.")
        scenario.status = status
        scenario.flags = flags(scenario.steps)
        scenario.ended_at = utc_text()
        self.save()

    def save(self) -> None:
        """Write the scenario as one JSON line, whole or not at all."""
        _write_whole(self.folder / EVIDENCE_NAME, self.scenario.as_line())


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the three options that the service gives to its child."""
    group = parser.getgroup("fiducial")
    group.addoption("--fiducial-out", help="Folder for the listing or the evidence.")
    group.addoption("--fiducial-key", help="Key of the one scenario to execute.")


def pytest_bdd_apply_tag(tag: str, function: Any) -> bool | None:  # noqa: ARG001
    """Keep tags as names; only pytest's own two become marks (and then never pass)."""
    return None if tag in PYTEST_OWN_TAGS else True


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Evidence:
    """Record inputs, measurements and files of the step that runs."""
    recorder = request.node.stash.get(_recorder, None)
    if recorder is None:
        raise RuntimeError("Only a Gherkin scenario executed as part of a run records evidence.")
    return Evidence(recorder)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave only the scenario that was asked for."""
    wanted = config.getoption("--fiducial-key")
    if wanted is None:
        return
    kept = [item for item in items if _template(item) and _describe(item).key == wanted]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Remember step code that cannot be imported, so that the listing names it."""
    if report.failed:
        _collection_failures.append(f"{report.nodeid}: {report.longreprtext}"[:MAX_TEXT])


_collection_failures: list[str] = []


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write the listing of a protocol when only that was asked for."""
    out = session.config.getoption("--fiducial-out")
    if out is None or not session.config.getoption("--collect-only"):
        return
    scenarios = [item for item in session.items if _template(item)]
    listing = {
        "scenarios": [_listed(item) for item in scenarios],
        "written": _written(session.config.rootpath),
        "failures": _collection_failures,
    }
    _write_whole(Path(out) / LISTING_NAME, json.dumps(listing, ensure_ascii=False).encode())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Record a scenario from before its setup to after its teardown."""
    out = item.config.getoption("--fiducial-out")
    if out is None or not _template(item):
        return (yield)
    recorder = Recorder(Path(out), item.config.rootpath, _describe(item))
    item.stash[_recorder] = recorder
    recorder.begin()
    try:
        return (yield)
    finally:
        recorder.finish()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep pytest's outcome of each phase."""
    report = yield
    if recorder := item.stash.get(_recorder, None):
        recorder.note_phase(report, call.excinfo.value if call.excinfo else None)
    return report


def pytest_bdd_before_step(request: pytest.FixtureRequest) -> None:
    """Open the step."""
    if recorder := request.node.stash.get(_recorder, None):
        recorder.begin_step()


def pytest_bdd_before_step_call(request: pytest.FixtureRequest, step: Step) -> None:
    """Record the table and the text block that the feature file hands to the step."""
    recorder = request.node.stash.get(_recorder, None)
    if recorder is None:
        return
    inputs = recorder.current().inputs
    if step.datatable is not None:
        inputs["table"] = plain(step.datatable.raw())
    if step.docstring is not None:
        inputs["text"] = readable(step.docstring)


def pytest_bdd_after_step(request: pytest.FixtureRequest) -> None:
    """Close a step that came to its end."""
    if recorder := request.node.stash.get(_recorder, None):
        recorder.end_step(Status.PASSED)


def pytest_bdd_step_error(request: pytest.FixtureRequest, exception: BaseException) -> None:
    """Close a step that raised."""
    recorder = request.node.stash.get(_recorder, None)
    if recorder is None:
        return
    status = Status.ERROR
    if isinstance(exception, pytest.xfail.Exception):
        status = Status.XFAILED
    elif isinstance(exception, AssertionError | pytest.fail.Exception):
        status = Status.FAILED
    recorder.end_step(status, f"{type(exception).__name__}: {exception}")


def pytest_bdd_step_func_lookup_error(
    request: pytest.FixtureRequest, exception: BaseException
) -> None:
    """Show the step that nobody defined as an error in its own place."""
    if recorder := request.node.stash.get(_recorder, None):
        recorder.begin_step()
        recorder.end_step(Status.ERROR, str(exception))


def scenario_key(feature: str, title: str, example: int) -> str:
    """Return the identity of a scenario within its protocol."""
    return sha256(json.dumps([feature, title, example]).encode()).hexdigest()[:16]


def _template(item: pytest.Item) -> ScenarioTemplate | None:
    function = getattr(item, "obj", None)
    with suppress(TypeError, KeyError):
        return scenario_wrapper_template_registry[function]  # type: ignore[index]
    return None


def _example(item: pytest.Item) -> dict[str, str]:
    callspec = getattr(item, "callspec", None)
    return dict(callspec.params.get("_pytest_bdd_example", {})) if callspec else {}


def _rendered(item: pytest.Item) -> Scenario:
    template = _template(item)
    if template is None:
        raise RuntimeError(f"{item.nodeid} is not a Gherkin scenario.")
    return template.render(_example(item))


def _describe(item: pytest.Item) -> ScenarioEvidence:
    """Return a scenario with every step still to be reached."""
    template, rendered = _template(item), _rendered(item)
    if template is None:
        raise RuntimeError(f"{item.nodeid} is not a Gherkin scenario.")
    example = _example(item)
    rows = [row for table in template.examples for row in table.as_contexts()]
    feature = _relative(template.feature, item.config.rootpath)
    index = rows.index(example) if example in rows else 0
    own = {
        tag
        for table in template.examples
        if example in list(table.as_contexts())
        for tag in (table.tags or set())
    }
    rule = set() if template.rule is None else template.rule.tags
    return ScenarioEvidence(
        key=scenario_key(feature, template.name, index),
        title=template.name,
        feature=feature,
        line=template.line_number,
        tags=sorted(template.tags | template.feature.tags | rule | own),
        example=example,
        steps=[StepEvidence(step.keyword.strip(), step.name) for step in rendered.steps],
    )


def _listed(item: pytest.Item) -> dict[str, Any]:
    """Return one line of the listing, with the steps that no code defines."""
    described = _describe(item)
    manager = item.session._fixturemanager
    undefined = [
        f"{step.keyword.strip()} {step.name}"
        for step in _rendered(item).steps
        if not list(find_fixturedefs_for_step(step, manager, item))
    ]
    template = _template(item)
    outline_without_rows = bool(template and template.templated and not described.example)
    return {
        "scenario": described.as_dict(),
        "node": item.nodeid,
        "undefined": undefined,
        "outline_without_rows": outline_without_rows,
    }


def _relative(feature: Feature, root: Path) -> str:
    return Path(os.path.relpath(feature.filename, root)).as_posix()


def _written(root: Path) -> list[dict[str, Any]]:
    """List the scenarios as the feature files spell them, doubles included.

    pytest-bdd keeps one scenario per title and feature and drops the others without a word.
    """
    found: list[dict[str, Any]] = []
    for path in sorted((root / "features").rglob("*.feature")):
        name = path.relative_to(root).as_posix()
        try:
            document = get_gherkin_document(str(path))
        except Exception as error:  # noqa: BLE001 - any parser fault becomes a named finding
            found.append({"feature": name, "title": None, "fault": str(error)})
            continue
        # The parser's declared type forgets that a file may hold nothing at all.
        children = list(document.feature.children) if document.feature else []
        for rule in [child.rule for child in children if child.rule]:
            children.extend(rule.children)
        found.extend(
            {"feature": name, "title": child.scenario.name, "line": child.scenario.location.line}
            for child in children
            if child.scenario
        )
    return found


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees all of it or nothing."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
