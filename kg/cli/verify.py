"""``kgfraud verify``: is an export what its signer wrote?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from kg.cli.common import json_option, print_json, workspace_option
from kg.errors import VerificationError


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--key", metavar="FILE", type=click.Path(path_type=Path), help="The signer's public key; by default keys/sign.pub of the workspace."
)
@json_option
@workspace_option
def verify(folder: Path, key: Path | None, as_json: bool, workspace: Path) -> None:
    """Check the signature and the files of the export in DIR.

    A public key that lies in DIR proves nothing: use one that came another way. Ends with exit code 5, and says why,
    if a file is missing, surplus or changed, or the signature is not the key's.
    """
    from kg.export import SIGN_PUB, PublicKey  # noqa: PLC0415 - pyarrow and cryptography are slow to import
    from kg.export import verify as check  # noqa: PLC0415
    from kg.exporters import EXPORTERS  # noqa: PLC0415

    place = key or workspace / "keys" / SIGN_PUB
    public = PublicKey.open(place)
    try:
        _refuse_within(folder, place)
        manifest = check(folder, public, EXPORTERS)
    except VerificationError as error:
        if as_json:
            print_json({"holds": False, "problem": str(error)})
        raise
    if as_json:
        print_json({"holds": True, **asdict(manifest)})
        return
    click.echo(f"{folder} holds: run {manifest.run_id}, as of {manifest.as_of}, {manifest.rows} flags, key {public.fingerprint[:16]}…")
    for reason, count in manifest.reasons.items():
        click.echo(f"  {reason}: {count}")


def _refuse_within(folder: Path, key: Path) -> None:
    if key.resolve().is_relative_to(folder.resolve()):
        raise VerificationError(f"the key {key} lies in the export that it is to check; use one that came another way")
