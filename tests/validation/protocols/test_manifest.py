"""The device's manifest is held against the engine and the models that are really there."""

import hashlib

import pytest

from core.errors import Invalid
from validation.protocols.manifest import read_manifest

WHOLE = 'schema: engine-app/1\nname: adder\nversion: "0.1.0"\nengine: {version: "0.1.0"}\n'


def test_a_fitting_manifest_gives_its_models_by_digest(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"weights")
    sha256 = hashlib.sha256(b"weights").hexdigest()
    (tmp_path / "app.yaml").write_text(WHOLE + f"models: {{model.onnx: {sha256}}}\non: yes\n")

    manifest = read_manifest(tmp_path, "0.1.0")

    assert manifest.models == {"model.onnx": sha256}
    assert (manifest.name, manifest.version, manifest.engine_version) == ("adder", "0.1.0", "0.1.0")


def test_every_fault_is_named_at_once(tmp_path):
    (tmp_path / "changed.onnx").write_bytes(b"other")
    (tmp_path / "app.yaml").write_text(
        'schema: engine-app/9\nengine: {version: "0.2.0"}\n'
        "models: {changed.onnx: aa, missing.onnx: bb, ../out: cc, /etc/passwd: dd}\n"
    )

    with pytest.raises(Invalid) as refusal:
        read_manifest(tmp_path, "0.1.0")

    assert [fault.where for fault in refusal.value.faults] == [
        "schema",
        "engine",
        "model changed.onnx",
        "model missing.onnx",
        "model ../out",
        "model /etc/passwd",
    ]
    assert "pinned to 0.2.0, but 0.1.0 is installed" in str(refusal.value)


@pytest.mark.parametrize("text", ["a: [", "", "- list", "\x00"])
def test_what_is_no_manifest_is_refused(tmp_path, text):
    (tmp_path / "app.yaml").write_text(text)

    with pytest.raises(Invalid):
        read_manifest(tmp_path, "0.1.0")


def test_a_manifest_without_a_pinned_engine_is_refused(tmp_path):
    (tmp_path / "app.yaml").write_text("schema: engine-app/1\n")

    with pytest.raises(Invalid, match="names no engine version"):
        read_manifest(tmp_path, "0.1.0")


def test_a_manifest_that_would_grow_when_it_is_written_out_is_refused_by_its_lines(tmp_path):
    (tmp_path / "app.yaml").write_text(f"{WHOLE}models: &a {{x: y}}\nmore: [*a, *a]\nname: b\n")

    with pytest.raises(Invalid) as refusal:
        read_manifest(tmp_path, "0.1.0")

    assert [fault.where for fault in refusal.value.faults] == ["app.yaml:5", "app.yaml:7"]
