#!/bin/sh
# Gives the tests their browsers: already there, installed with apt where that is allowed, or a word on what to install.
# A browser that cannot be had is no failure: its tests are skipped, and say so.
set -u

# provide NAME PROGRAM PACKAGES…: sees to it that PROGRAM is there.
provide() {
    name=$1 program=$2
    shift 2
    command -v "$program" >/dev/null 2>&1 && return
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        echo "Installing with apt: $*"
        [ -n "${updated:-}" ] || apt-get update -qq
        updated=yes
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "$@" >/dev/null && return
    fi
    echo "$name is not installed: its tests will be skipped. Install it with 'sudo apt install $*' and run again."
}

provide "Chromium with its driver" chromedriver chromium chromium-driver
command -v firefox >/dev/null 2>&1 || provide Firefox firefox-esr firefox-esr
provide "WebKitGTK with its driver" WebKitWebDriver webkit2gtk-driver
provide "Xvfb, the screen of WebKitGTK," Xvfb xvfb
exit 0
