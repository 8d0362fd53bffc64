"""The files of a site that speak of its other files, and in which order they can be written.

    build.json              nothing of the other files: what they were all built from
    sbom.json               every other file that ships, with the part that it comes from
    security.html           a page for people, with the hash of every file above it here
    manifest.json           every file but itself and those below: what the tool checks
    SHA256SUMS              the same and the manifest, for `sha256sum --check`; follows from the manifest alone
    *.minisig               signatures of the last two, made with a key of the user's own

No file can hold its own hash. So the chain ends in one number, which the build prints: whoever has it by another way
than the copy itself (a letter, a web page, a signature) can tell whether anything at all was changed.
"""

MANIFEST = "manifest.json"
CHECKSUMS = "SHA256SUMS"
BUILD_RECORD = "build.json"
BILL_OF_MATERIALS = "sbom.json"
SECURITY_PAGE = "security.html"
HELP_PAGE = "help.html"
SIGNED = (MANIFEST, CHECKSUMS)
SIGNATURES = tuple(f"{name}.minisig" for name in SIGNED)
NOT_IN_THE_MANIFEST = (MANIFEST, CHECKSUMS, *SIGNATURES)
