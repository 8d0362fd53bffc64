#!/bin/sh
# Gives the tests a Chromium: already there, installed with apt where that is allowed, or a word on what to install.
set -u
if command -v chromedriver >/dev/null 2>&1; then
    exit 0
fi
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "Installing Chromium and its driver with apt"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y chromium chromium-driver >/dev/null && exit 0
fi
echo "No chromedriver found: the browser tests will be skipped."
echo "Install it with 'sudo apt install chromium chromium-driver', or Chrome and its chromedriver, and run again."
