"""`sitegen sign`: sign a site with a key of one's own."""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from sitegen.errors import SettingsError, SignatureError


def sign(
    site: Annotated[Path, typer.Option(metavar="DIR", help="The built site.")] = Path("dist"),
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The secret key to sign with, from minisign or --new-key.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="With --key: the last day of the signature, such as 2027-12-31.")
    ] = None,
    new_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Make a key: FILE, which is secret, and FILE.pub.")
    ] = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="With --new-key: do not lock the secret key with a password.")
    ] = False,
) -> None:
    """Sign a site's manifest and SHA256SUMS, for `sitegen verify --integrity --public-key` and for minisign."""
    if (key is None) == (new_key is None) or (no_password and not new_key) or (until and not key):
        raise SettingsError("Give --key FILE to sign with, or --new-key FILE to make a key (then also --no-password).")
    last = _day(until)
    if new_key:
        _make_key(new_key, not no_password)
    if key:
        _sign(site, key, last)


def _day(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise SettingsError(f"--until {text} is no date: give a day such as 2027-12-31.") from None
    if day and day < datetime.now(UTC).date():
        raise SettingsError(f"--until {text} is past: the signature would never hold.")
    return day


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


def _sign(site: Path, path: Path, until: date | None) -> None:
    from sitegen.site.integrity.minisign_keys import read_secret_key
    from sitegen.site.integrity.signing import sign_site

    key = read_secret_key(path, lambda: str(typer.prompt("Password", hide_input=True, err=True)))
    written = sign_site(site, key, until)
    typer.echo(f"Wrote {', '.join(file.name for file in written)}. Who has your public key can now check the site:")
    typer.echo(f"sitegen verify --site {site} --integrity --public-key {key.public().encoded}")
