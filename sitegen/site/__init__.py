"""Building a site: a folder that works from a web server and from file://.

build.py            the whole build, stage by stage
node.py             Node.js and npm: the machine's own, or the one that comes as a Python package
engine_files.py     Pyodide, ONNX Runtime Web and js-sha256 as pinned by engines/package-lock.json
classic.py          ES modules made into classic scripts, which alone load on file://
runtime_wheel.py    the runtime as a wheel, and the lock through which Pyodide finds it
snapshot.py         Pyodide's memory after it has imported the runtime
packing.py          assets as gzip + base64 in classic scripts
page.py             index.html with its content-security policy
offline.py          the service worker, and what lets browsers install the page
icons.py            the icons of an installed page
licences.py         the notices of everything that ships
cache.py            what was made once is kept by the hash of what it was made from
server.py           a loopback server for looking at a site
"""

from sitegen.site.build import build_site

__all__ = ["build_site"]
