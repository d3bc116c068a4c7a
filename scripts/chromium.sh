#!/bin/sh
# The browser tests drive a real Chromium. Install Debian's where that is possible; elsewhere those tests skip, saying so.
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium from Debian for the browser tests …"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null ||
        echo "Chromium could not be installed; the browser tests will be skipped." >&2
fi
exit 0
