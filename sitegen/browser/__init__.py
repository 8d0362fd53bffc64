"""Driving real browsers, and proving that the page computes what Python computes.

driver.py            what all browsers have in common
engines.py           the engines by name
chromium.py          headless Chromium, through its driver
firefox.py           headless Firefox, through bidi.py (WebDriver BiDi)
webkit.py            WebKitGTK, through its driver, on display.py's screen and recording_proxy.py's network
selenium_driver.py   what drivers behind selenium have in common
processes.py         programs that are gone when their work is done
page.py              open a site and call its API
images.py            a synthetic set of images, where none is named
parity.py            compare result documents
report.py            tables for the terminal
verify.py            all of it, for `sitegen verify`
"""
