#!/usr/bin/env bash
# Makes .venv and installs into it what `make demo` or `make test` needs. Called as
#
#     tools/setup.sh demo|tutorials|test
#
# A second call returns at once: a stamp holds the pyproject.toml that was installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/apt.sh

level=${1:?"usage: tools/setup.sh demo|tutorials|test"}
python=.venv/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '%s\n' "$*" >&2; }

# Whether an interpreter runs (a pyenv shim may exist and fail) and is new enough.
is_usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

base_of() { "$1" -c 'import sys; print(sys._base_executable)'; }

# A .venv of another interpreter than the one asked for is made anew.
is_as_asked() { [[ -z ${PYTHON:-} || "$(base_of "$python")" -ef "$(base_of "$PYTHON")" ]]; }

find_python() {
    local candidate candidates=(python3.11 python3.12 python3.13 python3)
    [[ -z ${PYTHON:-} ]] || candidates=("$PYTHON")
    for candidate in "${candidates[@]}"; do
        if is_usable "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    say "Python 3.11 or newer is needed; none of these runs and is one: ${candidates[*]}."
    say 'Install it (Debian 12: apt-get install python3), or say where it is:'
    say '    make PYTHON=/path/to/python3.11 …'
    return 1
}

# Debian ships venv without what it needs to install pip.
missing_for_venv() {
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
        "$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
}

missing_for_test() {
    [[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ]] || echo rabbitmq-server
    command -v chromium >/dev/null || echo chromium
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || echo postgresql
}

make_venv() {
    say "Making .venv with $("$1" --version) …"
    rm -rf .venv
    "$1" -m venv .venv
}

# The editable install points to this folder, so a folder that was moved needs a new one.
stamp() { pwd && cat pyproject.toml; }

is_installed() { cmp --quiet ".venv/installed-$1" <(stamp); }

# uv takes a tenth of pip's time, but may not know every setting that a user's pip knows.
install_package() {
    "$python" -m pip install --quiet uv &&
        "$python" -m uv pip install --quiet --python "$python" --editable "$1" && return
    say 'uv could not install; trying pip …'
    "$python" -m pip install --quiet --editable "$1"
}

install_extras() {
    say "Installing nango-jupyter with its extras [$2] …"
    install_package ".[$2]"
    stamp >".venv/installed-$1"
}

base=
packages=()
if ! is_usable "$python" || ! is_as_asked; then
    base=$(find_python)
    mapfile -t packages < <(missing_for_venv "$base")
fi
if [[ $level == test ]]; then
    mapfile -t -O "${#packages[@]}" packages < <(missing_for_test)
fi
((${#packages[@]} == 0)) || apt_install "${packages[@]}"
[[ -z $base ]] || make_venv "$base"

# What the tests need includes what the tutorials need, and that what the demo needs.
case $level in
    demo) is_installed tutorials || is_installed test || is_installed demo ||
        install_extras demo lab,local ;;
    tutorials) is_installed test || is_installed tutorials || install_extras tutorials tutorials ;;
    test) is_installed test || install_extras test test ;;
esac
