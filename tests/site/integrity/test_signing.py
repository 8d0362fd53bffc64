"""Signatures: what minisign signs holds here, what is signed here holds there, and nothing that was changed holds."""

import base64
import json
import shutil
import subprocess
import sys
from hashlib import blake2b
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from typer.testing import CliRunner

from sitegen.bundle import Bundle
from sitegen.cli import app
from sitegen.errors import SignatureError, SiteError
from sitegen.site import build_site
from sitegen.site.integrity.check import check_site
from sitegen.site.integrity.checksums import write_checksums
from sitegen.site.integrity.minisign import PublicKey, SecretKey, read_public_key, signature_problem
from sitegen.site.integrity.minisign_keys import Effort, new_key, read_secret_key, secret_key_text
from sitegen.site.integrity.signing import sign_site

# A published example of the format: the key of minisign's author, and his signature of the file "test".
AUTHORS_KEY = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
AUTHORS_SIGNATURE = b"""untrusted comment: signature from minisign secret key
RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=
trusted comment: timestamp:1556193335\tfile:test
y/rUw2y8/hOUYjZU71eHp/Wo1KZ40fGy2VJEDl34XMJM+TX48Ss/17u3IvIfbVR1FkZZSNCisQbuQY+bHwhEBg==
"""
OLD_SIGNATURE = AUTHORS_SIGNATURE.replace(b"RUQf6LRCGA9i5", b"RWQf6LRCGA9i5")
CHEAP = Effort(operations=32768, memory=2**20)
needs_minisign = pytest.mark.skipif(not shutil.which("minisign"), reason="the program minisign is not installed")


def problems(folder: Path, key: SecretKey) -> list[str]:
    return [str(finding) for finding in check_site(folder, public_key=key.public()).findings]


def never() -> str:
    raise AssertionError("a plain key needs no password")


def test_the_authors_example_holds() -> None:
    assert signature_problem(AUTHORS_SIGNATURE, b"test", read_public_key(AUTHORS_KEY)) == ""
    assert read_public_key(AUTHORS_KEY).name == "E7620F1842B4E81F"


def test_the_standards_example() -> None:
    # RFC 8032, section 7.1, test 1: this seed belongs to this public key.
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = SecretKey(bytes(8), seed).public()
    assert public.content.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


@pytest.mark.parametrize(
    ("signature", "content", "expected"),
    [
        (AUTHORS_SIGNATURE, b"Test", "the file or the signature was changed"),
        (AUTHORS_SIGNATURE.replace(b"file:test", b"file:best"), b"test", "the file or the signature was changed"),
        (AUTHORS_SIGNATURE.replace(b"y/rU", b"y/rV"), b"test", "the file or the signature was changed"),
        (AUTHORS_SIGNATURE.replace(b"LzZwo=", b"LzZwA="), b"test", "the file or the signature was changed"),
        (AUTHORS_SIGNATURE.replace(b"RUQf6", b"RUQe6"), b"test", "made with the key E7620F1842B4E81E, not with"),
        (OLD_SIGNATURE, b"test", "minisign's old form"),
        (AUTHORS_SIGNATURE.splitlines()[1], b"test", "not of minisign's form"),
        (AUTHORS_SIGNATURE.replace(b"trusted comment: t", b"comment: t"), b"test", "not of minisign's form"),
        (AUTHORS_SIGNATURE.replace(b"hEBg==", b""), b"test", "not of minisign's form"),
        (b"\xff" * 200, b"test", "not of minisign's form"),
        (b"", b"test", "not of minisign's form"),
    ],
)
def test_nothing_that_was_changed_holds(signature: bytes, content: bytes, expected: str) -> None:
    assert expected in signature_problem(signature, content, read_public_key(AUTHORS_KEY))


def test_another_key_of_the_same_number_does_not_hold(key: SecretKey) -> None:
    other = SecretKey(key.number, bytes(32))
    assert "was changed" in signature_problem(key.sign(b"a", "comment").encode(), b"a", other.public())


def test_a_signature_is_what_the_format_says(key: SecretKey) -> None:
    untrusted, first, comment, second = key.sign(b"content", "who: me").splitlines()
    assert untrusted.startswith("untrusted comment: ")
    assert comment == "trusted comment: who: me"
    packed = base64.b64decode(first)
    assert (packed[:2], packed[2:10], len(packed)) == (b"ED", b"number 8", 74)
    public = Ed25519PublicKey.from_public_bytes(key.public().content)
    public.verify(packed[10:], blake2b(b"content", digest_size=64).digest())
    public.verify(base64.b64decode(second), packed[10:] + b"who: me")
    assert key.sign(b"content", "who: me") == "\n".join([untrusted, first, comment, second, ""])
    with pytest.raises(ValueError, match="one line"):
        key.sign(b"content", "two\nlines")


def test_public_keys_are_read_from_files_and_words(key: SecretKey, tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_text(key.public().text())
    assert read_public_key(str(tmp_path / "key.pub")) == read_public_key(key.public().encoded) == key.public()
    (tmp_path / "empty.pub").write_text("")
    for nonsense in ("RW", AUTHORS_KEY[:-4], "X" + AUTHORS_KEY[1:], str(tmp_path / "empty.pub"), str(tmp_path), ""):
        with pytest.raises(SignatureError, match="no public key of minisign"):
            read_public_key(nonsense)


def test_secret_keys_plain_and_locked(tmp_path: Path) -> None:
    key = new_key()
    (tmp_path / "plain").write_text(secret_key_text(key))
    read = read_secret_key(tmp_path / "plain", never)
    assert (read.number, read.seed) == (key.number, key.seed)
    (tmp_path / "locked").write_text(secret_key_text(key, "pässword", CHEAP))
    read = read_secret_key(tmp_path / "locked", lambda: "pässword")
    assert (read.number, read.seed) == (key.number, key.seed)
    assert base64.b64encode(key.seed)[:40].decode() not in (tmp_path / "locked").read_text()
    with pytest.raises(SignatureError, match="the password is wrong"):
        read_secret_key(tmp_path / "locked", lambda: "password")
    assert new_key().seed != key.seed
    assert "seed" not in repr(key)


@pytest.mark.parametrize("name", ["plain", "locked"])
def test_a_damaged_secret_key_is_not_used(name: str, key: SecretKey, tmp_path: Path) -> None:
    text = secret_key_text(key, "word" if name == "locked" else "", CHEAP)
    comment, packed = text.splitlines()
    content = base64.b64decode(packed)
    for place, expected in ((0, "known kind"), (2, "known kind"), (5, "known kind"), (70, "cannot be unlocked")):
        damaged = bytearray(content)
        damaged[place] ^= 1
        (tmp_path / "key").write_text(f"{comment}\n{base64.b64encode(damaged).decode()}\n")
        with pytest.raises(SignatureError, match=expected):
            read_secret_key(tmp_path / "key", lambda: "word")
    for text in ("", "no base64!\n", "AAAA\n"):
        (tmp_path / "key").write_text(text)
        with pytest.raises(SignatureError, match="gives no secret key"):
            read_secret_key(tmp_path / "key", never)
    with pytest.raises(SignatureError, match="No such file"):
        read_secret_key(tmp_path / "gone", never)


@pytest.mark.parametrize(
    ("effort", "expected"),
    [
        # libsodium's limits for sensitive and for interactive use, and its smallest: n, r, p as it chooses them.
        (Effort(2**25, 2**30), (2**20, 8, 1)),
        (Effort(524288, 2**24), (2**14, 8, 1)),
        (Effort(0, 2**24), (2**10, 8, 1)),
        (Effort(2**25, 2**24), (2**14, 8, 64)),
    ],
)
def test_passwords_are_derived_as_libsodium_does(effort: Effort, expected: tuple[int, int, int]) -> None:
    settings = effort.scrypt_settings()
    assert (settings["n"], settings["r"], settings["p"]) == expected


def test_a_key_that_asks_too_much_of_the_machine(key: SecretKey, tmp_path: Path) -> None:
    content = bytearray(base64.b64decode(secret_key_text(key, "word", CHEAP).splitlines()[-1]))
    content[38:54] = (2**40).to_bytes(8, "little") + (2**42).to_bytes(8, "little")
    (tmp_path / "key").write_bytes(base64.b64encode(content))
    with pytest.raises(SignatureError, match=r"4096\.0 GiB"):
        read_secret_key(tmp_path / "key", lambda: "word")


def test_a_signed_site_holds_and_is_otherwise_the_same(signed: Path, site: Path, key: SecretKey) -> None:
    report = check_site(signed, public_key=key.public())
    assert (report.passed, report.signed, report.signature_checked) == (True, True, True)
    added = {path.name for path in signed.iterdir()} - {path.name for path in site.iterdir()}
    assert added == {"manifest.json.minisig", "SHA256SUMS.minisig"}
    assert check_site(signed).passed
    before = (signed / "manifest.json.minisig").read_bytes()
    sign_site(signed, key)
    assert (signed / "manifest.json.minisig").read_bytes() == before
    assert b"bundle:test-model 1.0" in before


def test_who_rewrites_all_lists_is_found_by_the_signature(signed: Path, key: SecretKey) -> None:
    manifest = (signed / "manifest.json").read_text("utf-8")
    (signed / "manifest.json").write_text(manifest.replace('"sitegen": "', '"sitegen": "9'), "utf-8")
    (signed / "SHA256SUMS").unlink()
    write_checksums(signed)
    assert check_site(signed).passed
    assert [line.partition(" (")[0] for line in problems(signed, key)] == [
        "signature: manifest.json.minisig",
        "signature: SHA256SUMS.minisig",
    ]


def test_missing_signatures_and_other_keys(signed: Path, key: SecretKey) -> None:
    (signed / "SHA256SUMS.minisig").unlink()
    assert problems(signed, key) == ["signature: SHA256SUMS.minisig (the file is missing: this copy is not signed)"]
    sign_site(signed, key)
    assert ["made with the key" in problem for problem in problems(signed, new_key())] == [True, True]


def test_what_is_damaged_is_not_signed(signed: Path, key: SecretKey) -> None:
    (signed / "card.html").write_text("another")
    (signed / "more").write_text("")
    with pytest.raises(SiteError, match=r"(?s)was not signed.*changed: card\.html.*added: more"):
        sign_site(signed, key)


def test_a_new_build_drops_the_old_signature_and_keeps_what_people_added(
    bundle: Bundle, signed: Path, key: SecretKey
) -> None:
    (signed / "CNAME").write_text("radiology.example")
    build_site(bundle, signed)
    assert not list(signed.glob("*.minisig"))
    assert [str(finding) for finding in check_site(signed).findings] == ["added: CNAME"]


def run(*arguments: object, typed: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=typed)
    return result.exit_code, result.output


def test_the_verb_makes_keys_and_signs(site: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(site, tmp_path / "dist"))
    code, output = run("sign", "--new-key", tmp_path / "key", "--no-password")
    assert code == 0
    public = output.split()[-1]
    if sys.platform != "win32":
        assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert run("sign", "--site", folder, "--key", tmp_path / "key")[0] == 0
    code, output = run("verify", "--site", folder, "--integrity", "--public-key", tmp_path / "key.pub")
    assert code == 0
    assert "as its maker signed them" in output
    assert run("verify", "--site", folder, "--integrity", "--public-key", public)[0] == 0
    assert run("verify", "--site", folder, "--integrity", "--public-key", AUTHORS_KEY)[0] == 1
    assert "It is signed: check with --public-key." in run("verify", "--site", folder, "--integrity")[1]


def test_the_verb_asks_for_the_password(site: Path, key: SecretKey, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(site, tmp_path / "dist"))
    (tmp_path / "key").write_text(secret_key_text(key, "word", CHEAP))
    assert run("sign", "--site", folder, "--key", tmp_path / "key", typed="word\n")[0] == 0
    assert problems(folder, key) == []
    result = CliRunner().invoke(app, ["sign", "--site", str(folder), "--key", str(tmp_path / "key")], input="wrong\n")
    assert isinstance(result.exception, SignatureError)


@pytest.mark.parametrize(
    "arguments",
    [[], ["--no-password"], ["--key", "a", "--new-key", "b"], ["--key", "a", "--no-password"], ["--key", "nowhere"]],
)
def test_wrong_use_of_the_verb(arguments: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sitegen.cli", "sign", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("sitegen: ")
    assert list(tmp_path.iterdir()) == []


def test_keys_are_not_overwritten(tmp_path: Path) -> None:
    for existing in ("key", "key.pub"):
        (tmp_path / existing).write_text("mine")
        result = CliRunner().invoke(app, ["sign", "--new-key", str(tmp_path / "key"), "--no-password"])
        assert isinstance(result.exception, SignatureError)
        assert (tmp_path / existing).read_text() == "mine"
        (tmp_path / existing).unlink()


def minisign(*arguments: object, folder: Path, typed: str = "") -> str:
    command = ["minisign", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, input=typed, capture_output=True, text=True, check=True)
    return done.stdout


@needs_minisign
def test_minisign_checks_what_is_signed_here(signed: Path, key: SecretKey) -> None:
    for name in ("manifest.json", "SHA256SUMS"):
        output = minisign("-V", "-H", "-m", name, "-P", key.public().encoded, folder=signed)
        assert "Signature and comment signature verified" in output
        assert f"file:{name}\t" in output
    (signed / "manifest.json").write_text("{}")
    with pytest.raises(subprocess.CalledProcessError):
        minisign("-Vm", "manifest.json", "-P", key.public().encoded, folder=signed)


@needs_minisign
def test_what_minisign_signs_is_checked_here(site: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(site, tmp_path / "dist"))
    minisign("-G", "-W", "-p", "m.pub", "-s", "m.key", folder=tmp_path)
    for name in ("manifest.json", "SHA256SUMS"):
        minisign("-S", "-H", "-s", "m.key", "-m", folder / name, folder=tmp_path)
    public = read_public_key(str(tmp_path / "m.pub"))
    assert check_site(folder, public_key=public).findings == ()
    assert read_secret_key(tmp_path / "m.key", never).public() == public


@needs_minisign
def test_keys_are_minisigns_own(key: SecretKey, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    for name, typed, text in (
        ("plain", "", secret_key_text(key)),
        ("locked", "word\n", secret_key_text(key, "word", CHEAP)),
    ):
        (tmp_path / name).write_text(text)
        minisign("-S", "-H", "-s", name, "-m", "file", folder=tmp_path, typed=typed)
        assert signature_problem((tmp_path / "file.minisig").read_bytes(), b"content", key.public()) == ""


def test_the_manifest_names_no_signature(signed: Path) -> None:
    assert not [name for name in json.loads((signed / "manifest.json").read_bytes())["files"] if "minisig" in name]


def test_a_public_key_is_written_as_minisign_writes_it() -> None:
    public = PublicKey(bytes.fromhex("e0bc442cdb780183"), bytes(32))
    assert public.text() == f"untrusted comment: minisign public key 830178DB2C44BCE0\n{public.encoded}\n"
    assert public.encoded.startswith("RWTgvEQs23gBg")
    assert len(public.encoded) == 56
