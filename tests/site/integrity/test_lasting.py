"""How long trust lasts: signatures until a day, and what its maker has taken back."""

import shutil
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sitegen.cli import app
from sitegen.errors import SettingsError, SignatureError
from sitegen.site.integrity.check import check_site
from sitegen.site.integrity.minisign import SecretKey
from sitegen.site.integrity.revoked import read_revoked
from sitegen.site.integrity.signing import sign_site


def found(folder: Path, key: SecretKey) -> list[str]:
    return [str(finding) for finding in check_site(folder, public_key=key.public()).findings]


def test_a_signature_holds_until_its_day_and_no_longer(site: Path, key: SecretKey, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(site, tmp_path / "signed"))
    sign_site(folder, key, date(2027, 2, 28))
    assert b"\tuntil:2027-02-28\thashed" in (folder / "manifest.json.minisig").read_bytes()
    assert check_site(folder, public_key=key.public(), today=date(2027, 2, 28)).findings == ()
    late = check_site(folder, public_key=key.public(), today=date(2027, 3, 1)).findings
    said = "it held until 2027-02-28: ask the site's maker for a newer one"
    assert [(each.kind, each.name, each.detail) for each in late] == [
        ("signature", "manifest.json.minisig", said),
        ("signature", "SHA256SUMS.minisig", said),
    ]
    for name in ("manifest.json.minisig", "SHA256SUMS.minisig"):  # nobody but the key's owner makes it longer
        path = folder / name
        path.write_bytes(path.read_bytes().replace(b"until:2027", b"until:2037"))
    assert all("was changed" in problem for problem in found(folder, key))


@pytest.mark.parametrize("given", [["--until", "31.12.2027"], ["--until", "2020-01-01"]])
def test_a_day_that_is_none_or_past_is_refused(signed: Path, tmp_path: Path, given: list[str]) -> None:
    result = CliRunner().invoke(app, ["sign", "--site", str(signed), "--key", str(tmp_path / "no.key"), *given])
    assert isinstance(result.exception, SettingsError)
    assert f"--until {given[1]} is" in str(result.exception)


def test_what_its_maker_has_taken_back_is_found(signed: Path, key: SecretKey, tmp_path: Path) -> None:
    taken = tmp_path / "taken-back.txt"
    digests = check_site(signed).digests
    for name, number in {**digests, "the key": key.public().name}.items():
        taken.write_text(f"# of ours\n\n{'0' * 64} another\n{number.upper()} the thresholds were wrong\n")
        report = check_site(signed, public_key=key.public(), revoked=read_revoked(taken))
        said = f"its maker has taken {number} back: the thresholds were wrong"
        assert [(each.kind, each.name, each.detail) for each in report.findings] == [("revoked", name, said)]
    command = ["verify", "--site", str(signed), "--integrity", "--revoked", str(taken)]
    assert CliRunner().invoke(app, command).exit_code == 0  # the key was taken back, and not asked about
    result = CliRunner().invoke(app, [*command, "--public-key", key.public().encoded])
    assert result.exit_code == 1
    assert "not vouched for" in result.output


def test_a_list_of_what_was_taken_back_is_held_to_its_signature(key: SecretKey, tmp_path: Path) -> None:
    taken = tmp_path / "taken-back.txt"
    taken.write_text(f"{'0' * 64} another\n")
    (tmp_path / "taken-back.txt.minisig").write_text(key.sign(taken.read_bytes(), "a list"))
    assert read_revoked(taken, key.public()) == {"0" * 64: "another"}
    taken.write_text(f"{'1' * 64} another\n")
    with pytest.raises(SignatureError, match=r"does not vouch for taken-back\.txt"):
        read_revoked(taken, key.public())
    taken.write_text("the site of last year\n")
    with pytest.raises(SignatureError, match=r"Line 1 of .* begins with 'the'"):
        read_revoked(taken)
