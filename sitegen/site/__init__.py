"""Building a site: a folder that works from a web server and from file://.

build.py            the whole build, stage by stage
options.py          what a site may have beside its bundles
bundle_assets.py    the files of all bundles, each once, and what the page knows of them
target.py           the folder that a site is written to, and its manifest
node.py             Node.js and npm: the machine's own, or the one that comes as a Python package
engine_files.py     Pyodide, ONNX Runtime Web and js-sha256 as pinned by engines/package-lock.json
published.py        the hash of each of their files, by which what was kept is judged
classic.py          ES modules made into classic scripts, which alone load on file://
runtime_wheel.py    the runtime as a wheel, and the lock through which Pyodide finds it
extra_wheels.py     further packages for the page's Python
snapshot.py         Pyodide's memory after it has imported the runtime
packing.py          assets as gzip + base64 in classic scripts
page.py             index.html with its content-security policy
prose.py            pages of prose: Markdown, and HTML that the keyboard reaches
help/               how to read a result, from what the bundles know
offline.py          the service worker, and what lets browsers install the page
icons.py            the icons of an installed page
licences.py         the notices of everything that ships
site_files.py       the files that speak of the others: in which order, and what each vouches for
inspection.py       what those who inspect a site find in it, written last:
bill_of_materials.py, compiled_libraries.py   all parts, as CycloneDX
security_page.py    the policy, what it does not stop, all files
checksums.py        SHA256SUMS, and the lines with which a system's own tools check it
integrity.py        a copy against its manifest
signing.py, minisign.py, minisign_keys.py     signatures with a key of one's own
cache.py            what was made once is kept by the hash of what it was made from, and checked by its own
server.py           a loopback server for looking at a site
reload.py           pages that reload when the site was built again
"""

from sitegen.site.build import build_site

__all__ = ["build_site"]
