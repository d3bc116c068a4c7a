#!/bin/sh
# Make the environment in $1 with the locked versions and the program itself.
set -eu
venv=$1
case "$(uname -s) $(uname -m)" in
    "Linux x86_64" | "Darwin arm64") ;;
    *)
        echo "Earwitness runs on Linux x86-64 and macOS arm64, and this is $(uname -s) $(uname -m); use one of those." >&2
        exit 2
        ;;
esac
python=""
for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "Earwitness needs Python 3.11, 3.12 or 3.13; install one, or name it: make PYTHON=/path/to/python3.12 app" >&2
    exit 2
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "This Python has no venv module; on Debian and Ubuntu: apt install python3-venv" >&2
    exit 2
fi
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
echo "Installing the locked versions into $venv (about 2 minutes and 7 GB on Linux, where PyTorch brings its GPU libraries) …"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
echo "Done."
