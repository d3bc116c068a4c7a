#!/bin/sh
# Write requirements.lock from pyproject.toml: every version and hash, for Python 3.11 and newer on Linux x86-64 and macOS arm64,
# and check that there is a ready-made wheel of each for every Python and both systems. Two packages depart from what others
# name (tool.uv in pyproject.toml), which is why the lock is installed with --no-deps.
set -eu
cd "$(dirname "$0")/.."
uv=${UV:-uv}
command -v "$uv" >/dev/null || { echo "Writing the lock needs uv; install it, or name it: make UV=/path/to/uv lock" >&2; exit 2; }
"$uv" pip compile --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --no-annotate --quiet \
    --custom-compile-command "make lock" pyproject.toml --extra test -o requirements.lock
nowhere=$(mktemp -d)
trap 'rm -rf "$nowhere"' EXIT
for platform in x86_64-manylinux_2_28 aarch64-apple-darwin; do
    for python in 3.11 3.12 3.13 3.14; do
        MACOSX_DEPLOYMENT_TARGET=14.0 "$uv" pip install --dry-run --quiet --target "$nowhere" --python-version "$python" \
            --python-platform "$platform" --only-binary :all: --no-deps --require-hashes -r requirements.lock
    done
done
