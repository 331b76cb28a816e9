#!/bin/sh
# Run the unit tests under every Python 3.10 to 3.13 found, each in a throwaway environment without Jupyter:
# the model promises to need nothing but the standard library, and only an environment without the rest can tell.
set -eu

# A pyenv shim exists for versions that are not switched on, so ask the interpreter, and then pyenv's own folder.
find_python() {
  for candidate in "python$1" "$HOME"/.pyenv/versions/"$1".*/bin/python; do
    if "$candidate" -c 'import ensurepip' 2>/dev/null; then echo "$candidate"; return; fi
  done
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed= tested=

for version in 3.10 3.11 3.12 3.13; do
  python=$(find_python "$version")
  if [ -z "$python" ]; then echo "== Python $version: not found"; continue; fi
  echo "== Python $version"
  "$python" -m venv "$scratch/$version"
  "$scratch/$version/bin/python" -m pip install --quiet --disable-pip-version-check . pytest hypothesis
  # Not `python -m pytest`: that would test this folder, and not what was installed.
  "$scratch/$version/bin/pytest" -q -p no:cacheprovider --ignore=tests/browser tests || failed="$failed $version"
  tested="$tested $version"
done

if [ -z "$tested" ]; then echo "No Python 3.10 to 3.13 found."; exit 1; fi
if [ -n "$failed" ]; then echo "Failed under Python:$failed"; exit 1; fi
echo "Passed under Python:$tested"
