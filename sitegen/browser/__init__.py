"""Driving real browsers, and proving that the page computes what Python computes.

chromium.py    start headless Chromium
page.py        open a site and call its API
images.py      a synthetic set of images, where none is named
parity.py      compare result documents
report.py      tables for the terminal
verify.py      all of it, for `sitegen verify`
"""
