#!/usr/bin/env bash
# Runs every check, the cheap ones first, and ends with what each took. All of them run even if one
# fails, so that one run shows everything there is to mend. Arguments go to pytest.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

python=.venv/bin/python
table=
failed=0

step() {
    local name=$1 started=${EPOCHREALTIME//[.,]/} outcome=ok
    shift
    printf '\n== %s\n' "$name"
    "$@" || outcome=FAILED failed=1
    local spent=$(((${EPOCHREALTIME//[.,]/} - started) / 100000))
    table+=$(printf '%-12s %4d.%d s  %s' "$name" $((spent / 10)) $((spent % 10)) "$outcome")$'\n'
}

step set-up bash tools/setup.sh test
if ((failed == 0)); then
    step lint "$python" -m ruff check
    step format "$python" -m ruff format --check
    step types "$python" -m mypy
    # Three on two cores: many tests wait for a broker, a kernel or a page.
    # A file's tests stay together: they share kernels, browsers and servers. Their order is that of
    # tests/conftest.py.
    # The documents' code blocks are run by `make docs`: together they would take too long.
    step tests "$python" -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder \
        --ignore tests/docs "$@"
fi

printf '\n%s' "$table"
exit "$failed"
