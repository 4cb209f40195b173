import json
import stat

import pytest

from mantic.core.errors import ArtifactError, StoreError
from mantic.store.blobs import digest
from mantic.store.key import Keys
from mantic.store.signature import Signed, beside, check, read_signed, sign, write_signed
from mantic.store.signatures import Signature


@pytest.fixture
def keys(tmp_path):
    """Return keys with one of one's own, `ada`."""
    made = Keys(tmp_path / "keys")
    made.new("ada")
    return made


SHA = "ab" * 32


def test_who_signed_is_known_again(keys):
    made = sign(SHA, keys, "ada")

    assert check(SHA, [made], keys.list(), where="churn/1").name == "ada"


def test_a_private_key_is_for_its_owner_only(keys, tmp_path):
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()}

    assert modes["ada.key"] == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    (tmp_path / "keys" / "ada.key").chmod(0o640)
    with pytest.raises(StoreError, match="others can read"):
        sign(SHA, keys, "ada")


def test_what_nobody_signed_is_refused(keys):
    with pytest.raises(ArtifactError, match="not signed"):
        check(SHA, [], keys.list(), where="churn/1")


def test_what_a_stranger_signed_is_refused_until_one_trusts_them(keys, tmp_path):
    theirs = Keys(tmp_path / "theirs")
    theirs.new("bob")
    made = sign(SHA, theirs, "bob")

    with pytest.raises(ArtifactError, match="is not trusted here"):
        check(SHA, [made], keys.list(), where="churn/1")

    keys.trust(theirs.export("bob").encode(), "robert")
    assert check(SHA, [made], keys.list(), where="churn/1").name == "robert"
    with pytest.raises(StoreError, match="it can check, not sign"):
        sign(SHA, keys, "robert")
    keys.remove("robert")
    with pytest.raises(ArtifactError, match="is not trusted here"):
        check(SHA, [made], keys.list(), where="churn/1")


def test_a_signature_of_other_content_is_refused(keys):
    made = sign(SHA, keys, "ada")

    with pytest.raises(ArtifactError, match="of other content"):
        check("cd" * 32, [made], keys.list(), where="churn/1")


@pytest.mark.parametrize("text", ["", "!!!", "AAAA", "ü"])
def test_what_is_no_signature_is_refused(keys, text):
    forged = Signature(keys.get("ada").id, text)

    with pytest.raises(ArtifactError, match="of other content"):
        check(SHA, [forged], keys.list(), where="churn/1")


def test_one_good_signature_among_others_is_enough(keys, tmp_path):
    theirs = Keys(tmp_path / "theirs")
    theirs.new("bob")

    all_of_them = [sign(SHA, theirs, "bob"), sign(SHA, keys, "ada")]

    assert check(SHA, all_of_them, keys.list(), where="churn/1").name == "ada"


def test_signatures_lie_beside_a_file_and_are_read_again(keys, model):
    file = model(1)
    signed = Signed(digest(file), (sign(digest(file), keys, "ada"),))

    written = write_signed(file, signed)

    assert written == beside(file)
    assert read_signed(file) == signed


def test_a_file_without_signatures_has_none(model):
    assert read_signed(model(1)).signatures == ()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": "x", "signatures": [1]}', "\x00\xff", "x" * 200_000])
def test_what_holds_no_signatures_is_said(model, text):
    file = model(1)
    beside(file).write_text(text)

    with pytest.raises(ArtifactError, match="holds no signatures"):
        read_signed(file)


def test_a_key_is_made_once(keys):
    with pytest.raises(StoreError, match="a key 'ada' already"):
        keys.new("ada")
    with pytest.raises(StoreError, match="a key 'ada' already"):
        keys.trust(keys.export("ada").encode(), "ada")


def test_a_removed_key_is_gone_with_its_private_half(keys, tmp_path):
    gone = keys.remove("ada")

    assert gone.is_own
    assert list((tmp_path / "keys").iterdir()) == []
    with pytest.raises(StoreError, match="no key 'ada'"):
        keys.get("ada")


def test_what_was_killed_between_the_halves_of_a_key_can_be_removed_and_made_anew(keys, tmp_path):
    (tmp_path / "keys" / "ada.pub").unlink()

    assert keys.remove("ada") is None

    assert keys.new("ada").is_own


def test_a_private_key_is_never_trusted_as_a_public_one(keys, tmp_path):
    with pytest.raises(StoreError, match="private key, which nobody"):
        keys.trust((tmp_path / "keys" / "ada.key").read_bytes(), "bob")


@pytest.mark.parametrize("text", [b"", b"nonsense", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_what_is_no_key_is_said(keys, tmp_path, text):
    with pytest.raises(StoreError, match="no public key"):
        keys.trust(text, "bob")
    (tmp_path / "keys" / "ada.key").write_bytes(text)
    with pytest.raises(StoreError, match="no private key"):
        keys.private("ada")


@pytest.mark.parametrize("name", ["", "../ada", "a/b"])
def test_a_hostile_name_of_a_key_is_refused(keys, name):
    for call in (keys.new, keys.get, keys.remove, keys.private):
        with pytest.raises(StoreError, match=r"cannot be the|is empty"):
            call(name)


def test_a_store_keeps_signatures_and_puts_them_into_the_audit(store, model, keys):
    version = store.models.register(model(1))
    made = sign(version.sha256, keys, "ada")

    for _ in range(2):
        store.signatures.add(version.sha256, made, subject="churn", by="ada")

    assert store.signatures.of(version.sha256) == (made,)
    assert store.signatures.of("0" * 64) == ()
    assert [deed.action for deed in store.audit.list(limit=2)] == ["sign", "promote"]
    assert json.dumps(store.audit.list()[0].detail["key"]) == f'"{made.key}"'


def test_a_genuine_signature_takes_the_place_of_another_by_the_same_key(store, model, keys):
    version = store.models.register(model(1))
    stale, genuine = sign("0" * 64, keys, "ada"), sign(version.sha256, keys, "ada")

    for one in (stale, genuine):
        store.signatures.add(version.sha256, one, subject="churn", by="ada")

    assert store.signatures.of(version.sha256) == (genuine,)
