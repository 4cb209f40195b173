import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

import pytest

from mantic.core import artifact
from mantic.core.artifact import open_artifact
from mantic.core.errors import ArtifactError

BAD_JSON = [b"{", b"[]", b"\xff", b'{"format": NaN}', b'{"format": 1, "format": 1}', b"[" * 100_000, b"1" * 5000]
BAD_NAMES = ["../evil", "parts/../evil", "/etc/evil", "parts\\evil", "C:/evil", "parts//a", "parts/.", "parts/a."]
BAD_NAMES += ["parts/é", "parts/a\x00b", "parts/" + "x" * 300, "evil"]
ABOUT = {"task": "classify", "parameters": {"seed": 0}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "parts"
    (root / "0").mkdir(parents=True)
    (root / "0" / "trees.txt").write_text("tree\nversion=v4\n")
    (root / "encoder.json").write_text('{"mean": 1.5}')
    return root


@pytest.fixture
def saved(tmp_path: Path, folder: Path) -> Path:
    return artifact.write(tmp_path / "a.mantic", manifest=ABOUT, folder=folder, report='{"title": "r"}')


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rezip(path: Path, parts: list[tuple[str, bytes]], kind: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, text in parts:
            archive.writestr(zipfile.ZipInfo(name), text, compress_type=kind)
    return path


def refusal(path: Path, **options: object) -> ArtifactError:
    with pytest.raises(ArtifactError) as caught, open_artifact(path, **options):
        pass
    assert caught.value.where.startswith(str(path))
    assert caught.value.fix
    return caught.value


def test_what_was_saved_comes_back(saved: Path) -> None:
    with open_artifact(saved) as found:
        assert found.manifest["parameters"] == {"seed": 0}
        assert found.report_text == '{"title": "r"}'
        assert (found.folder / "0" / "trees.txt").read_text() == "tree\nversion=v4\n"
        assert (found.folder / "encoder.json").read_text() == '{"mean": 1.5}'
        folder = found.folder

    assert not folder.exists()


def test_the_same_model_gives_the_same_bytes(saved: Path, folder: Path, tmp_path: Path) -> None:
    again = artifact.write(tmp_path / "b.mantic", manifest=ABOUT, folder=folder, report='{"title": "r"}')

    assert again.read_bytes() == saved.read_bytes()


def test_the_version_names_the_content(saved: Path, folder: Path, tmp_path: Path) -> None:
    (folder / "encoder.json").write_text('{"mean": 2.5}')
    other = artifact.write(tmp_path / "b.mantic", manifest=ABOUT, folder=folder)

    with open_artifact(saved) as first, open_artifact(other) as second:
        assert first.version != second.version
        assert len(first.version) == 12


def test_loading_never_unpickles(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("unpickled")

    monkeypatch.setattr(pickle, "Unpickler", forbidden)
    monkeypatch.setattr(pickle, "loads", forbidden)
    monkeypatch.setattr(pickle, "load", forbidden)

    with open_artifact(saved) as found:
        assert found.manifest["task"] == "classify"


def test_a_missing_file_a_folder_and_a_text_are_no_models(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    empty = tmp_path / "empty.mantic"
    empty.touch()

    assert "no such" in refusal(tmp_path / "none.mantic").what
    assert "no file" in refusal(tmp_path).what
    assert "no mantic model" in refusal(text).what
    assert "empty" in refusal(empty).what


def test_another_zip_is_no_model(tmp_path: Path) -> None:
    assert "not allowed" in refusal(rezip(tmp_path / "a.zip", [("sheet 1.xml", b"<a/>")])).what
    assert "manifest" in refusal(rezip(tmp_path / "b.zip", [("parts/a", b"a")])).what


def test_a_truncated_file_is_named_so(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:-30])

    assert "cut off" in refusal(saved).what


def test_a_part_changed_with_its_checksum_is_caught_by_its_hash(saved: Path) -> None:
    parts = members(saved)
    rezip(saved, [(name, text.replace(b"1.5", b"9.5")) for name, text in parts.items()])

    assert "'parts/encoder.json' was changed" in refusal(saved).what


def test_a_part_of_another_size_is_refused(saved: Path) -> None:
    parts = members(saved) | {"parts/encoder.json": b"{}"}

    assert "another size" in refusal(rezip(saved, list(parts.items()))).what


def test_extra_and_missing_parts_are_all_named(saved: Path) -> None:
    parts = members(saved)
    del parts["parts/encoder.json"]
    parts["parts/extra"] = b"x"

    what = refusal(rezip(saved, list(parts.items()))).what

    assert "'parts/encoder.json' is missing" in what
    assert "'parts/extra' is not in the manifest" in what


@pytest.mark.parametrize("name", BAD_NAMES)
def test_dangerous_names_are_refused(saved: Path, name: str, tmp_path: Path) -> None:
    rezip(saved, [*members(saved).items(), (name, b"x")])

    refusal(saved)

    assert not list(tmp_path.rglob("evil*"))


def test_links_are_refused(saved: Path) -> None:
    link = zipfile.ZipInfo("parts/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(saved, "a") as archive:
        archive.writestr(link, "/etc/passwd")

    assert "no plain file" in refusal(saved).what


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name_are_refused(saved: Path) -> None:
    rezip(saved, [*members(saved).items(), ("parts/encoder.json", b'{"mean": 9.5}')])
    assert "same name" in refusal(saved).what

    rezip(saved, [*list(members(saved).items())[:-1], ("parts/0/TREES.txt", b"x"), ("parts/0/trees.txt", b"x")])
    assert "same name" in refusal(saved).what


def test_a_zip_bomb_is_refused_unopened(saved: Path) -> None:
    parts = [*members(saved).items(), ("parts/bomb", bytes(artifact.SMALL))]

    assert "unpack" in refusal(rezip(saved, parts, zipfile.ZIP_DEFLATED)).what


def test_parts_packed_in_another_way_are_refused(saved: Path) -> None:
    assert "packed" in refusal(rezip(saved, list(members(saved).items()), zipfile.ZIP_BZIP2)).what


def test_a_part_that_unpacks_to_more_than_it_says_is_refused(saved: Path, folder: Path) -> None:
    (folder / "long.txt").write_text("tree\nversion=v4\n" * 625)
    artifact.write(saved, manifest=ABOUT, folder=folder)
    raw = saved.read_bytes()
    size = struct.pack("<L", 10_000)
    assert raw.count(size) == 2

    saved.write_bytes(raw.replace(size, struct.pack("<L", 9_000)))

    refusal(saved)


def test_parts_are_deflated(saved: Path, folder: Path) -> None:
    (folder / "long.txt").write_text("tree\nversion=v4\n" * 6_000)

    assert artifact.write(saved, manifest=ABOUT, folder=folder).stat().st_size < 5_000


def test_parts_that_would_shrink_as_a_zip_bomb_does_are_stored(saved: Path, folder: Path) -> None:
    (folder / "zeros.npy").write_bytes(bytes(artifact.SMALL))

    artifact.write(saved, manifest=ABOUT, folder=folder)

    with open_artifact(saved) as found:
        assert (found.folder / "zeros.npy").stat().st_size == artifact.SMALL


def test_a_file_of_the_first_format_with_stored_parts_is_read(saved: Path) -> None:
    with open_artifact(remanifest(saved, {"format": 1})) as found:
        assert found.manifest["format"] == 1
        assert (found.folder / "encoder.json").read_text() == '{"mean": 1.5}'


def test_overlapping_parts_are_refused(saved: Path) -> None:
    raw = bytearray(saved.read_bytes())
    start = struct.unpack_from("<L", raw, len(raw) - 6)[0]
    entry = raw[start : raw.index(b"PK\x01\x02", start + 4)]
    n_members, size = struct.unpack_from("<HL", raw, len(raw) - 12)
    struct.pack_into("<HHL", raw, len(raw) - 14, n_members + 1, n_members + 1, size + len(entry))
    raw[-22:-22] = entry.replace(b"manifest.json", b"parts/another")

    saved.write_bytes(raw)

    refusal(saved)


def test_a_directory_of_a_million_members_is_refused_before_it_is_read(saved: Path) -> None:
    raw = bytearray(saved.read_bytes())
    struct.pack_into("<HHL", raw, len(raw) - 14, 65_000, 65_000, 4_000_000)
    saved.write_bytes(raw)

    assert "65,000 parts" in refusal(saved).what


def test_bytes_before_between_or_after_the_parts_are_refused(saved: Path) -> None:
    raw = saved.read_bytes()

    for text in (b"#!/bin/sh\n" + raw, raw + b"tail"):
        saved.write_bytes(text)
        refusal(saved)


def remanifest(saved: Path, change: dict[str, object]) -> Path:
    parts = members(saved)
    parts["manifest.json"] = json.dumps(json.loads(parts["manifest.json"]) | change).encode()
    return rezip(saved, list(parts.items()))


def test_a_newer_format_asks_for_a_newer_mantic(saved: Path) -> None:
    error = refusal(remanifest(saved, {"format": 99}))

    assert "newer mantic" in error.what
    assert "upgrade" in error.fix


@pytest.mark.parametrize("change", [{"format": "1"}, {"format": True}, {"format": 0}, {"task": None}, {"parts": []}])
def test_an_incomplete_manifest_is_refused(saved: Path, change: dict[str, object]) -> None:
    refusal(remanifest(saved, change))


@pytest.mark.parametrize("part", [None, 7, {}, {"size": 13}, {"size": 13, "sha256": None}])
def test_a_manifest_without_a_true_hash_is_refused(saved: Path, part: object) -> None:
    parts = json.loads(members(saved)["manifest.json"])["parts"] | {"parts/encoder.json": part}

    assert "parts/encoder.json" in refusal(remanifest(saved, {"parts": parts})).what


@pytest.mark.parametrize("text", BAD_JSON)
def test_a_manifest_that_is_no_decent_json_is_refused(saved: Path, text: bytes) -> None:
    refusal(rezip(saved, list((members(saved) | {"manifest.json": text}).items())))


def test_another_task_is_refused(saved: Path) -> None:
    error = refusal(saved, tasks=("regress",))

    assert "'classify'" in error.what
    assert "regress" in error.fix


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_are_refused_on_the_way_in_and_out(saved: Path, folder: Path, protocol: int, tmp_path: Path) -> None:
    text = pickle.dumps({"a": [1, 2], "b": print}, protocol)
    (folder / "encoder.json").write_bytes(text)

    with pytest.raises(ArtifactError, match="pickle"):
        artifact.write(tmp_path / "b.mantic", manifest=ABOUT, folder=folder)

    parts = members(saved) | {"parts/encoder.json": text}
    about = json.loads(parts["manifest.json"])
    file = tmp_path / "raw"
    file.write_bytes(text)
    about["parts"]["parts/encoder.json"] = {"size": len(text), "sha256": artifact._digest(file)}
    parts["manifest.json"] = json.dumps(about).encode()
    assert "is a pickle" in refusal(rezip(saved, list(parts.items()))).what


def test_a_part_named_like_a_pickle_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "model.joblib").write_text("harmless")

    with pytest.raises(ArtifactError, match="pickle"):
        artifact.write(tmp_path / "b.mantic", manifest=ABOUT, folder=folder)


def test_numpy_and_zip_parts_are_no_pickles(folder: Path, tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    numpy.savez(folder / "weights.npz", **{f"w{i}": numpy.random.default_rng(i).normal(size=200) for i in range(20)})

    path = artifact.write(tmp_path / "b.mantic", manifest=ABOUT, folder=folder)

    with open_artifact(path) as found:
        assert numpy.load(found.folder / "weights.npz", allow_pickle=False)["w3"].shape == (200,)


def test_links_and_odd_names_are_not_saved(folder: Path, tmp_path: Path) -> None:
    (folder / "link").symlink_to(tmp_path)
    (folder / "a b").touch()

    with pytest.raises(ArtifactError) as caught:
        artifact.write(tmp_path / "b.mantic", manifest=ABOUT, folder=folder)

    assert "'parts/a b'" in caught.value.what
    assert not (tmp_path / "b.mantic").exists()


def test_a_folder_that_is_not_there_is_a_clear_error(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot be saved"):
        artifact.write(tmp_path / "none" / "b.mantic", manifest=ABOUT, folder=folder)


def test_the_file_is_a_plain_zip(saved: Path) -> None:
    assert zipfile.ZipFile(io.BytesIO(saved.read_bytes())).testzip() is None
