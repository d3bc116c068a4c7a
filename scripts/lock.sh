#!/bin/sh
# Write requirements.lock: every version and hash, for Python 3.11 and newer on Linux x86-64 and macOS arm64.
# opencv-python (windowed, needs libGL) is left out in favour of opencv-python-headless, which is why the lock is
# installed with --no-deps.
set -eu
cd "$(dirname "$0")/.."
"${UV:-uv}" pip compile --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
    --no-emit-package opencv-python --no-annotate --quiet --custom-compile-command "make lock" \
    requirements.in -o requirements.lock
