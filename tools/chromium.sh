#!/bin/sh
# Give the browser tests a Chromium, or say how to; never install onto somebody's desk unasked.
# Root in a container and CI=true are nobody's desk. Elsewhere the browser tests are skipped, with this command as reason.
set -eu

install='apt-get update && apt-get install -y chromium'

for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then exit 0; fi
done

sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
if command -v apt-get >/dev/null && { [ -z "$sudo" ] || [ "${CI:-}" = true ]; }; then
  echo "Installing the Debian package chromium for the browser tests."
  $sudo apt-get -qq update
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends chromium >/dev/null
else
  echo "No Chromium here, so the browser tests will be skipped; on Debian: sudo sh -c '$install'"
fi
