#!/usr/bin/env bash
# Runs the unit tests, those that need no broker, database or browser, on every other Python 3.11+
# that is found: on the PATH, and among pyenv's versions. Arguments go to pytest.
#
#     tools/pythons.sh
#
# Each has a virtual environment of its own under build/pythons, which a second call uses again.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

own=.venv/bin/python
place=build/pythons
# Of the server and the forms those that a new Python breaks first; all of them take minutes.
tests=(
    tests/unit tests/display tests/magics tests/samples
    tests/server/test_{actions,definitions,http,loader,messages,runner,schemas,sources,turns}.py
    tests/widgets/test_{fields,form}.py
    tests/test_{imports,known,local,local_actions,session,wire_recordings}.py
)
table=
failed=0

say() { printf '%s\n' "$*" >&2; }

# "3.12 3.12.1 /path/to/python", without links, for one that runs (a pyenv shim may exist and fail)
# and is new enough.
describe() {
    "$1" - 2>/dev/null <<'PYTHON'
import os, platform, sys
minor = "%d.%d" % sys.version_info[:2]
if sys.implementation.name == "cpython" and sys.version_info >= (3, 11):
    base = getattr(sys, "_base_executable", sys.executable)
    print(minor, platform.python_version(), os.path.realpath(base))
PYTHON
}

candidates() {
    local minor
    for minor in 11 12 13 14 15; do
        type -aP "python3.$minor"
    done
    type -aP python3
    compgen -G "${PYENV_ROOT:-$HOME/.pyenv}/versions/*/bin/python3"
}

# The newest of each minor version, but that of .venv, on which `make test` runs.
find_pythons() {
    local candidate skip
    skip=$("$own" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    while read -r candidate; do
        describe "$candidate"
    done < <(candidates | sort --unique) |
        sort --version-sort --reverse |
        awk -v skip="$skip" '$1 != skip && !seen[$1]++' |
        sort --version-sort
}

# The editable install points to this folder, so a folder that was moved needs a new one.
stamp() { pwd && echo "$1" && cat pyproject.toml; }

prepare() {
    local venv=$place/$1 base=$2
    cmp --quiet "$venv/installed" <(stamp "$base") && "$venv/bin/python" -c '' 2>/dev/null && return
    say "Installing into $venv …"
    "$own" -m uv venv --quiet --clear --python "$base" "$venv" &&
        "$own" -m uv pip install --quiet --python "$venv/bin/python" --editable '.[test]' &&
        stamp "$base" >"$venv/installed"
}

run_tests() {
    "$1" -m pytest -q --numprocesses 2 --dist loadfile --no-loadscope-reorder -p no:cacheprovider \
        -p tests.project.without_services "${tests[@]}" "${@:2}"
}

check() {
    local minor=$1 version=$2 base=$3 started=$SECONDS outcome=ok log=$place/$1.log
    shift 3
    printf '\n== Python %s\n' "$version"
    if ! prepare "$minor" "$base"; then
        outcome='FAILED (not installed)'
    else
        run_tests "$place/$minor/bin/python" "$@" | tee "$log"
        ((PIPESTATUS[0] == 0)) || outcome=FAILED
        outcome+=" ($(grep -oE '[0-9]+ (passed|failed|errors?)' "$log" | paste -sd ' '))"
    fi
    [[ $outcome == ok* ]] || failed=1
    table+=$(printf '%-8s %4d s  %s' "$version" $((SECONDS - started)) "$outcome")$'\n'
}

mkdir -p "$place"
mapfile -t found < <(find_pythons)
say "$("$own" --version), of .venv, is left to \`make test\`. Found beside it: ${#found[@]}."
for one in "${found[@]}"; do
    say "    $one"
done
for one in "${found[@]}"; do
    read -r minor version base <<<"$one"
    check "$minor" "$version" "$base" "$@"
done

printf '\n%s' "${table:-No other Python 3.11 or newer was found.$'\n'}"
exit "$failed"
