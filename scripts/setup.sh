#!/bin/sh
# Make the environment in $1 with the locked versions and the program itself.
set -eu
venv=$1
fail() {
    echo "$1" >&2
    exit 2
}

case "$(uname -s) $(uname -m)" in
    "Linux x86_64")
        if ldd --version 2>&1 | grep -qi musl; then
            fail "Earwitness needs a Linux with glibc, and this one has musl, for which PyTorch has no build; use Debian, Ubuntu or Fedora."
        fi
        ;;
    "Darwin arm64")
        version=$(sw_vers -productVersion)
        [ "${version%%.*}" -ge 14 ] || fail "Earwitness needs macOS 14 or newer, and this is $version; update the system first."
        ;;
    *) fail "Earwitness runs on Linux x86-64 and macOS arm64, and this is $(uname -s) $(uname -m); use one of those." ;;
esac

# Python 3.11 to 3.13 are tried first, in the order a person would expect; 3.14 has all packages too and is taken when alone.
python=""
for newest in 13 14; do
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python3.14; do
        [ -z "$python" ] && [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
        "$candidate" -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $newest))" 2>/dev/null && python=$candidate
    done
done
[ -n "$python" ] || fail "Earwitness needs Python 3.11, 3.12, 3.13 or 3.14; install one, or name it: make PYTHON=/path/to/python3.12 app"
"$python" -c 'import ensurepip, venv' 2>/dev/null || fail "This Python has no venv module; on Debian and Ubuntu: apt install python3-venv"

free_kb=$(df -Pk . | awk 'NR == 2 {print $4}')
need_gb=$([ "$(uname -s)" = Darwin ] && echo 3 || echo 9)
if [ ! -x "$venv/bin/streamlit" ] && [ "$free_kb" -lt $((need_gb * 1000000)) ]; then
    fail "Earwitness needs $need_gb GB of free disk here, and there are $((free_kb / 1000000)) GB; make room and try again."
fi

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
echo "Installing the locked versions into $venv (some minutes; about $need_gb GB, PyTorch above all) …"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
echo "Done."
