"""Steps of dose.feature: closed-form phantoms through the dose-volume calculation."""

# The sentence above each step says what it does; its arguments are fixtures of these files.
# ruff: noqa: ANN001, ANN201, ANN202, D102, D103

import json
from dataclasses import dataclass
from functools import cached_property

from pytest_bdd import given, parsers, scenarios, then, when

from engine.dicom.read import read_dose
from engine.dose.compute import DoseResult, compute
from engine.synth import closed_form
from engine.synth.phantoms import Phantom
from engine.synth.truth import Truth

scenarios("dose.feature")

EXTREMES = ("Dmin", "Dmax")
D_METRICS = ("D99%", "D98%", "D95%", "D90%", "D50%", "D10%", "D5%", "D2%", "D1%")
V_DOSES = 9


@dataclass(frozen=True)
class Case:
    """One phantom, its exact answers and what the engine computed from its files."""

    phantom: Phantom
    truth: Truth
    result: DoseResult
    files: dict

    @property
    def structure(self):
        return self.result.structures[0]

    @cached_property
    def _exact(self):
        return {metric.name: self.truth.figure(metric.name) for metric in self.structure.metrics}

    def exact(self, name):
        """Return the exact answer to a metric, in the metric's own unit."""
        return self._exact[name]


@given(parsers.parse("the reference shapes on a {grid:g} mm dose grid"), target_fixture="members")
def reference_members(grid, evidence):
    return _described(closed_form.linear(grid), evidence)


@given(
    parsers.parse(
        "the reference shapes on a {grid:g} mm dose grid, shifted by {x:g}, {y:g}, {z:g}"
    ),
    target_fixture="members",
)
def shifted_members(grid, x, y, z, evidence):
    return _described(closed_form.linear(grid, (x, y, z)), evidence)


@given(
    parsers.parse(
        "boxes in domes, bowls and ripples of dose and a diamond in a saddle, on a {grid:g} mm "
        "dose grid shifted by {shift:g}"
    ),
    target_fixture="members",
)
def members_in_curved_doses(grid, shift, evidence):
    made = closed_form.curved(grid, shift)
    for one in made:
        evidence.input(one.phantom.name, f"first dose point at x = {one.phantom.x_mm[0]:g} mm")
    return made


def _described(members, evidence):
    for one in members:
        evidence.input(one.phantom.name, f"gradient {one.phantom.field.gradient} Gy/mm")
    return members


@when("their dose-volume figures are computed", target_fixture="cases")
def compute_all(members, data_set, reader):
    place = data_set(closed_form.NAME)
    cases = []
    for one in members:
        files, truth = one.files(place), one.phantom.truth
        low, high = truth.range_gy
        steps = [low + (high - low) * k / (V_DOSES + 1) for k in range(1, V_DOSES + 1)]
        metrics = ("Dmean", *EXTREMES, *D_METRICS, "D0.03cc", "HI")
        metrics = (*metrics, *(f"V{dose:.3f}Gy%" for dose in steps))
        result = compute(files["structures"], files["dose"], metrics=metrics, reader=reader)
        cases.append(Case(one.phantom, truth, result, files))
    return cases


@then(
    parsers.parse(
        "the greatest dose read is the stored value times the scaling within {limit:g} Gy"
    )
)
def scaling_once(cases, limit, evidence, reader):
    for case in cases:
        read = read_dose(case.files["dose"], reader)
        evidence.measure(
            f"{case.phantom.name}: greatest dose read",
            actual=float(read.dose_gy.max()), expected=float(case.phantom.dose_gy.max()),
            tolerance=limit, unit="Gy",
        )  # fmt: skip


@then(parsers.parse("each mean dose is within {limit:g} Gy of the closed form"))
def mean_dose(cases, limit, evidence):
    for case in cases:
        evidence.measure(
            f"{case.phantom.name}: Dmean",
            actual=case.structure.metric("Dmean").value, expected=case.truth.mean_gy,
            tolerance=limit, unit="Gy",
        )  # fmt: skip


@then(parsers.parse("each volume is within {limit:g} percent of its contour stack"))
def volumes(cases, limit, evidence):
    for case in cases:
        exact = case.truth.volume_mm3 / 1000
        evidence.measure(
            f"{case.phantom.name}: volume",
            actual=case.structure.volume_cc, expected=exact, tolerance=limit / 100 * exact,
            unit="cc",
        )  # fmt: skip


def _shown(case, letter):
    return [m for m in case.structure.metrics if m.name in D_METRICS or m.name[0] == letter == "V"]


def _measure_worst(cases, letter, limit, unit, evidence):
    """Measure the figure of each shape that lies farthest from its exact answer; keep all."""
    kept = []
    for case in cases:
        found = _shown(case, letter)
        withheld = [metric.name for metric in found if metric.value is None]
        evidence.measure(
            f"{case.phantom.name}: figures withheld",
            actual=", ".join(withheld) or "none", expected="none", tolerance=None, unit="",
            comparison="equal",
        )  # fmt: skip
        pairs = [(metric, case.exact(metric.name)) for metric in found]
        kept += [
            {"shape": case.phantom.name, "exact": exact, **metric.as_dict()}
            for metric, exact in pairs
        ]
        worst, exact = max(pairs, key=lambda pair: abs(pair[0].value - pair[1]))
        evidence.measure(
            f"{case.phantom.name}: {worst.name}, the farthest of {len(pairs)}",
            actual=worst.value, expected=exact, tolerance=limit, unit=unit,
        )  # fmt: skip
    evidence.attach(f"all_{letter}.json", json.dumps(kept).encode(), "application/json")


@then(parsers.parse("each V is within {limit:g} percent of the volume of the closed form"))
def v_metrics(cases, limit, evidence):
    _measure_worst(cases, "V", limit, "%", evidence)


@then(parsers.parse("each D from D99% to D1% is within {limit:g} Gy of the closed form"))
def d_metrics(cases, limit, evidence):
    _measure_worst(cases, "D", limit, "Gy", evidence)


@then("no D is 0 Gy")
def no_zero(cases, evidence):
    lowest = min(metric.value for case in cases for metric in _shown(case, "D"))
    true_lowest = min(case.truth.range_gy[0] for case in cases)
    evidence.measure(
        "least D of all shapes",
        actual=lowest, expected=true_lowest, tolerance=0, unit="Gy", comparison="at_least",
    )  # fmt: skip


@then(
    parsers.parse(
        "the stated bound covers the true error in at least {share:g} percent of the figures"
    )
)
def bounds_cover(cases, share, evidence):
    pairs = [
        (metric, case.exact(metric.name))
        for case in cases
        for metric in case.structure.metrics
        if metric.shown
    ]
    stated = [metric.bound is not None for metric, _ in pairs]
    evidence.measure(
        "figures with a stated bound",
        actual=sum(stated), expected=len(pairs), tolerance=0, unit="figures", comparison="equal",
    )  # fmt: skip
    covered = sum(abs(metric.value - exact) <= metric.bound for metric, exact in pairs)
    evidence.measure(
        f"true errors covered, of {len(pairs)} figures",
        actual=100 * covered / len(pairs), expected=share, tolerance=0, unit="%",
        comparison="at_least",
    )  # fmt: skip


@then("Dmin and Dmax of each are those of the interpolated dose within their stated bound")
def extremes(cases, evidence):
    for case in cases:
        for name in EXTREMES:
            metric = case.structure.metric(name)
            evidence.measure(
                f"{case.phantom.name}: {name}",
                actual=metric.value, expected=case.exact(name), tolerance=metric.bound, unit="Gy",
            )  # fmt: skip


@then(parsers.parse("at most {share:g} percent of the figures are withheld"))
def few_withheld(cases, share, evidence):
    metrics = [metric for case in cases for metric in case.structure.metrics]
    withheld = sum(not metric.shown for metric in metrics)
    evidence.measure(
        f"withheld, of {len(metrics)} figures",
        actual=100 * withheld / len(metrics), expected=share, tolerance=0, unit="%",
        comparison="at_most",
    )  # fmt: skip


@given("spheres of 1 Gy per mm on coarse and fine dose grids", target_fixture="spheres")
def spheres(datatable):
    return [
        (closed_form.tiny(float(radius), float(grid)), metric, outcome)
        for radius, grid, metric, outcome in datatable[1:]
    ]


@when("the metric of each is computed", target_fixture="judged")
def compute_each(spheres, data_set, reader):
    place = data_set(closed_form.NAME)
    judged = []
    for one, name, outcome in spheres:
        files = one.files(place)
        result = compute(files["structures"], files["dose"], metrics=(name,), reader=reader)
        judged.append((Case(one.phantom, one.phantom.truth, result, files), name, outcome))
    return judged


@then("each withheld metric has no value and a bound above its limit")
def withheld(judged, evidence):
    for case, name, outcome in judged:
        if outcome == "withheld":
            metric = case.structure.metric(name)
            label = f"{case.phantom.name}: {name}"
            evidence.measure(
                f"{label} shown as", actual="withheld" if metric.value is None else "a number",
                expected="withheld", tolerance=None, unit="", comparison="equal",
            )  # fmt: skip
            evidence.measure(
                f"{label} reason", actual=metric.withheld and str(metric.withheld.code),
                expected="BOUND_TOO_WIDE", tolerance=None, unit="code", comparison="equal",
            )  # fmt: skip
            evidence.measure(
                f"{label} error bound", actual=metric.bound, expected=metric.limit, tolerance=0,
                unit=metric.unit, comparison="at_least",
            )  # fmt: skip


@then("each shown metric has a bound within its limit and a true error within its bound")
def shown(judged, evidence):
    for case, name, outcome in judged:
        if outcome == "shown":
            metric = case.structure.metric(name)
            label = f"{case.phantom.name}: {name}"
            evidence.measure(
                f"{label} error bound", actual=metric.bound, expected=metric.limit, tolerance=0,
                unit=metric.unit, comparison="at_most",
            )  # fmt: skip
            evidence.measure(
                label, actual=metric.value, expected=case.exact(name), tolerance=metric.bound,
                unit=metric.unit,
            )  # fmt: skip
