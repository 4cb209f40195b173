import hashlib

import fsspec
import pytest

from mantic.core.errors import StoreError
from mantic.store.blobs import FolderBlobs, RemoteBlobs, fetched, open_blobs
from mantic.store.store import open_store


@pytest.fixture(params=["folder", "memory", "file"])
def blobs(request, tmp_path):
    """Return an empty place: a folder, one of fsspec that is in memory, and one of fsspec that is a folder."""
    urls = {"folder": str(tmp_path / "b"), "memory": f"memory://{tmp_path.name}", "file": f"file://{tmp_path / 'b'}"}
    return open_blobs(urls[request.param])


@pytest.fixture
def put(blobs, tmp_path):
    """Return a function that puts content there and returns its name."""

    def do(content):
        file = tmp_path / "file"
        file.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        blobs.put(sha256, file)
        return sha256

    return do


def test_a_blob_comes_back_byte_for_byte(blobs, put):
    content = bytes(range(256)) * 5000

    name = put(content)

    assert blobs.size(name) == len(content)
    with fetched(blobs, name) as file:
        assert file.read_bytes() == content


def test_putting_twice_keeps_one_and_makes_it_new_again(blobs, put):
    names = {put(b"same"), put(b"same")}

    assert [name for name, age in blobs.listed() if age < 60] == list(names)


def test_what_is_not_there_is_said_and_may_be_removed(blobs):
    name = "0" * 64

    assert blobs.size(name) is None
    assert list(blobs.listed()) == []
    blobs.remove(name)
    with pytest.raises(StoreError, match="gone"), fetched(blobs, name):
        pass


def test_a_removed_blob_is_gone(blobs, put):
    name = put(b"one")
    put(b"two")

    blobs.remove(name)

    assert blobs.size(name) is None
    assert len(list(blobs.listed())) == 1


def test_a_half_written_blob_is_written_again(put, blobs, tmp_path):
    name = put(b"whole")
    (tmp_path / "half").write_bytes(b"who")
    if isinstance(blobs, RemoteBlobs):
        blobs._system.put_file(str(tmp_path / "half"), blobs._path(name))
    else:
        blobs._path(name).write_bytes(b"who")

    put(b"whole")

    with fetched(blobs, name) as file:
        assert file.read_bytes() == b"whole"


def test_a_damaged_blob_is_written_again_when_its_content_comes_once_more(put, blobs, tmp_path):
    name = put(b"whole")
    (tmp_path / "odd").write_bytes(b"odd..")
    if isinstance(blobs, RemoteBlobs):
        blobs._system.put_file(str(tmp_path / "odd"), blobs._path(name))
    else:
        blobs._path(name).write_bytes(b"odd..")

    put(b"whole")

    with fetched(blobs, name) as file:
        assert file.read_bytes() == b"whole"


def test_what_is_no_blob_is_passed_over_and_stays(blobs, put, tmp_path):
    name = put(b"one")
    odd = [".DS_Store", "notes.txt", f"{name}.bak"]
    for one in odd:
        if isinstance(blobs, RemoteBlobs):
            blobs._system.pipe_file(f"{blobs._root}/{name[:2]}/{one}", b"x")
        else:
            (blobs.folder / name[:2] / one).write_bytes(b"x")

    assert [one for one, _ in blobs.listed()] == [name]


@pytest.mark.parametrize("name", ["../../etc/passwd", "x", "", "A" * 64, "a" * 300])
def test_what_names_no_blob_is_refused(tmp_path, name):
    with pytest.raises(StoreError, match="names no blob"):
        FolderBlobs(tmp_path).size(name)


def test_a_kind_of_place_that_nobody_knows_is_said():
    with pytest.raises(StoreError, match="cannot be kept here"):
        open_blobs("nosuch://place")


def test_a_store_with_its_models_elsewhere_does_all_that_one_with_a_folder_does(tmp_path, model):
    where = f"memory://store-{tmp_path.name}"
    with open_store(tmp_path / "store", blobs=where) as store:
        for mark in range(3):
            store.models.register(model(mark))
        store.models.delete("churn/2")

        made = store.back_up(tmp_path / "all.backup")

        assert store.sweep(grace=0) == 1
        assert store.verify().faults == ()
        assert (made.n_blobs, store.models.export("churn", tmp_path / "o.mantic").read_bytes()) == (
            2,
            model(0).read_bytes(),
        )
    system, root = fsspec.core.url_to_fs(where)
    assert len(system.find(root)) == 3  # two models, and whose they are
    assert not (tmp_path / "store" / "blobs").exists()
