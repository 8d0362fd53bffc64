"""`sitegen sign`: sign a site with a key of one's own."""

import os
from pathlib import Path
from typing import Annotated

import typer

from sitegen.errors import SettingsError, SignatureError


def sign(
    site: Annotated[Path, typer.Option(metavar="DIR", help="The built site.")] = Path("dist"),
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The secret key to sign with, from minisign or --new-key.")
    ] = None,
    new_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Make a key: FILE, which is secret, and FILE.pub.")
    ] = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="With --new-key: do not lock the secret key with a password.")
    ] = False,
) -> None:
    """Sign a site's manifest and SHA256SUMS, for `sitegen verify --integrity --public-key` and for minisign."""
    if (key is None) == (new_key is None) or (no_password and not new_key):
        raise SettingsError("Give --key FILE to sign with, or --new-key FILE to make a key (then also --no-password).")
    if new_key:
        _make_key(new_key, not no_password)
    if key:
        _sign(site, key)


def _make_key(path: Path, locked: bool) -> None:
    from sitegen.site.integrity.minisign_keys import new_key, secret_key_text

    public = path.with_name(f"{path.name}.pub")
    for existing in (path, public):
        if existing.exists():
            raise SignatureError(f"{existing} exists: name another file, for what a lost key signed stays signed.")
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True) if locked else ""
    key = new_key()
    text = secret_key_text(key, password)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text)
    public.write_text(key.public().text(), encoding="ascii")
    typer.echo(f"Secret key: {path} (keep it to yourself). Public key: {public}, which is")
    typer.echo(key.public().encoded)


def _sign(site: Path, path: Path) -> None:
    from sitegen.site.integrity.minisign_keys import read_secret_key
    from sitegen.site.integrity.signing import sign_site

    key = read_secret_key(path, lambda: str(typer.prompt("Password", hide_input=True, err=True)))
    written = sign_site(site, key)
    typer.echo(f"Wrote {', '.join(file.name for file in written)}. Who has your public key can now check the site:")
    typer.echo(f"sitegen verify --site {site} --integrity --public-key {key.public().encoded}")
