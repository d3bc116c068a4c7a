#!/bin/sh
# The tests of cases in PostgreSQL start a real server. Install Debian's where that is possible; elsewhere those tests skip, saying so.
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing PostgreSQL from Debian for the tests of cases …"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null ||
        echo "PostgreSQL could not be installed; its tests will be skipped." >&2
fi
exit 0
