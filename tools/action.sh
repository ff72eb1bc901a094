#!/usr/bin/env bash
# Installs kplan from the checkout of the action into an environment of its own, and runs what the inputs ask for.
# The inputs are in KPLAN_ACTION_* variables; none of them is part of a command line here.
set -euo pipefail

python="${KPLAN_ACTION_PYTHON:-python3}"
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "::error title=kplan::kplan needs Python 3.11 or later; run actions/setup-python first, or set the input python"
  exit 2
fi

home="${RUNNER_TEMP:?}/kplan-action"
if [ ! -d "$home" ]; then
  "$python" -m venv "$home"
fi
bin="$home/bin"
[ -d "$bin" ] || bin="$home/Scripts"
"$bin/python" -m pip install --quiet --disable-pip-version-check "${GITHUB_ACTION_PATH:?}"
exec "$bin/python" -m kplan.cli.action
