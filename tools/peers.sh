#!/usr/bin/env bash
# Makes build/peers: a virtual environment with the packages that the benchmarks compare with, and
# with this project. They pin versions that the tests don't want, so they have a place of their own.
#
#     tools/peers.sh
#
# What can't be installed is said, and the benchmarks go on without it. A second call returns at once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/apt.sh

own=.venv/bin/python
place=build/peers
python=$place/bin/python
peers=(jupysql bigquery-magics itables sparkmagic)
stamp=$place/installed

say() { printf '%s\n' "$*" >&2; }

stamp_text() { pwd && echo "${peers[*]}" && cat pyproject.toml; }

install() { "$own" -m uv pip install --quiet --python "$python" "$@"; }

# sparkmagic needs Kerberos, whose Python packages are compiled where they are installed.
missing_for_kerberos() {
    command -v krb5-config >/dev/null || echo libkrb5-dev
    command -v gcc >/dev/null || echo gcc libc6-dev
    "$own" - <<'PYTHON' || "$own" -c 'import sys; print("python%d.%d-dev" % sys.version_info[:2])'
import pathlib, sys, sysconfig
sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())
PYTHON
}

if cmp --quiet "$stamp" <(stamp_text) && "$python" -c '' 2>/dev/null; then
    exit
fi

say 'Installing what the benchmarks compare with into build/peers (a minute or two) …'
"$own" -m pip --disable-pip-version-check install --quiet uv
"$own" -m uv venv --quiet --clear --python "$own" "$place"

mapfile -t packages < <(missing_for_kerberos | tr ' ' '\n')
((${#packages[@]} == 0)) || apt_install "${packages[@]}" || say 'Going on without Kerberos.'

# All at once finds versions that agree; if one fails, the others are still worth having.
if ! install --editable . "${peers[@]}"; then
    install --editable .
    for peer in "${peers[@]}"; do
        install "$peer" || say "$peer could not be installed: the benchmarks go on without it."
    done
fi
"$own" -m uv pip check --quiet --python "$python" ||
    say 'Some of these packages ask for versions that exclude each other (listed above).'
stamp_text >"$stamp"
