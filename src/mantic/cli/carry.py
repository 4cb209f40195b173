"""mantic models export, import, sign: models out of the store, into it, and vouched for."""

from argparse import Namespace
from pathlib import Path

from mantic.cli.kept import champion_of, store_of
from mantic.cli.screen import show_json, tell
from mantic.cli.words import Parser, action, check_output
from mantic.core.settings import read_settings


def actions() -> dict[str, Parser]:
    """Return the parsers."""
    export = action("models export", "write a version to a file", example="mantic models export churn/3", do=_export)
    export.add_argument("model", metavar="MODEL", help="churn, churn@challenger or churn/3")
    export.add_argument("--out", metavar="FILE.mantic", help="where to (churn-3.mantic, in this folder)")
    bring = action("models import", "keep a model file", example="mantic models import churn.mantic", do=_import)
    bring.add_argument("file", metavar="FILE.mantic", help="it is checked in full; signatures beside it come along")
    bring.add_argument("--name", metavar="NAME", help="under which it is kept (the name of the file)")
    bring.add_argument("--note", metavar="TEXT", default="", help="to be found again by")
    sign = action(
        "models sign", "vouch for a version with a key", example="mantic models sign churn/3 --key ada", do=_sign
    )
    sign.add_argument("model", metavar="MODEL", help="in the store, or a .mantic file")
    sign.add_argument("--key", metavar="NAME", required=True, help="one of one's own ('mantic keys new NAME')")
    for one in (export, bring, sign):
        one.add_json()
    return {"export": export, "import": bring, "sign": sign}


def _export(options: Namespace) -> int:
    with store_of(read_settings().store) as store:
        version = store.models.get(options.model)
        out = check_output(options.out or f"{version.name}-{version.number}.mantic", "--out", (".mantic",))
        assert out is not None
        store.models.export(str(version), out)
        signatures = store.signatures.of(version.sha256)
    if signatures:
        from mantic.store.signature import Signed, write_signed

        write_signed(out, Signed(version.sha256, signatures))
    if options.json:
        show_json({"model": str(version), "file": str(out), "sha256": version.sha256, "n_signatures": len(signatures)})
    else:
        tell(f"wrote {version} to {out}" + (f", and its signatures to {out}.sig" if signatures else ""))
    return 0


def _import(options: Namespace) -> int:
    from mantic.store.signature import read_signed

    signed = read_signed(options.file)
    with store_of(read_settings().store) as store:
        version = store.models.register(options.file, options.name, note=options.note)
        signatures = signed.signatures if signed.sha256 == version.sha256 else ()
        for one in signatures:
            store.signatures.add(version.sha256, one, subject=version.name)
        champion = champion_of(version, store.models)
    if len(signatures) < len(signed.signatures):
        tell(f"warning: the signatures in {options.file}.sig are of other content and do not come along")
    if options.json:
        show_json({"model": str(version), "sha256": version.sha256, "n_signatures": len(signatures)})
    else:
        tell(f"kept as {version} {champion}")
    return 0


def _sign(options: Namespace) -> int:
    from mantic.store.blobs import digest
    from mantic.store.reference import is_reference
    from mantic.store.signature import Signed, read_signed, sign, write_signed
    from mantic.store.trust import keys_of
    from mantic.store.version import about

    settings = read_settings().store
    keys = keys_of(settings)
    if is_reference(options.model):
        with store_of(settings) as store:
            version = store.models.get(options.model)
            with store.models.file(str(version)):  # nobody vouches for what is damaged
                made = sign(version.sha256, keys, options.key)
            store.signatures.add(version.sha256, made, subject=version.name)
        what, where, sha256 = str(version), "store", version.sha256
    else:
        about(Path(options.model))
        sha256 = digest(Path(options.model))
        made = sign(sha256, keys, options.key)
        before = read_signed(options.model)
        others = [one for one in before.signatures if before.sha256 == sha256 and one.key != made.key]
        what, where = options.model, str(write_signed(options.model, Signed(sha256, (*others, made))))
    if options.json:
        show_json({"model": what, "sha256": sha256, "key": made.key, "signature": where})
    else:
        tell(f"signed {what} with the key '{options.key}' ({made.key})")
    return 0
