#!/bin/sh
# The wheel, installed as people install it: an empty environment, the newest of everything that pyproject.toml allows, and
# a site built, checked and asked from a folder that is no checkout. Each argument is a Python; without any, all that are here.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
tried=""
for python in "${@:-python3.11 python3.12 python3.13 python3.14}"; do
    for python in $python; do
        command -v "$python" >/dev/null 2>&1 || { echo "$python is not here: left out"; continue; }
        "$python" -m venv "$place/$python"
        bin="$place/$python/bin"
        [ -n "$(ls "$place"/*.whl 2>/dev/null)" ] || "$bin/pip" wheel --quiet --no-deps --wheel-dir "$place" "$root"
        "$bin/pip" install --quiet --disable-pip-version-check --upgrade --upgrade-strategy eager "$place"/*.whl
        "$bin/pip" check
        mkdir "$place/$python/away"
        cd "$place/$python/away"
        env -u PYTHONPATH SITEGEN_CACHE="$place/cache" sh -eu -c '
            "$1/sitegen" --help >/dev/null
            "$1/sitegen" build --out dist
            "$1/sitegen" verify --site dist --integrity
            "$1/python" -c "
import sitegen
from sitegen.phantom import phantom
from PIL import Image
Image.fromarray(phantom(0, 512)).save(\"image.png\")
result = sitegen.Predictor(sitegen.load_bundle()).predict(\"image.png\")
assert result.findings or not result.accepted, result
"
            "$1/sitegen" predict image.png --force >/dev/null
        ' sh "$bin"
        cd "$root"
        echo "$("$bin/python" -V), with: $("$bin/pip" list --format freeze --disable-pip-version-check | tr '\n' ' ')"
        tried="$tried $python"
    done
done
[ -n "$tried" ] || { echo "none of these Pythons is here: $*"; exit 2; }
echo "A fresh install works on:$tried"
