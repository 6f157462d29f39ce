#!/usr/bin/env bash
# Runs the code blocks of all documents, and builds their site into build/site. A warning of Sphinx
# is an error.
#
# The tutorials are the notebooks with their outputs, which the tests in tests/notebooks execute,
# check, and leave in build/notebooks. Those that are missing there, or older than the notebook,
# are executed first, two at a time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=.venv/bin/python
tests=()
for notebook in notebooks/[0-9]*.ipynb; do
    name=$(basename "$notebook" .ipynb)
    test=tests/notebooks/test_$name.py
    if [[ ! -e $test ]]; then
        printf '%s has no test, and is shown without outputs\n' "$notebook" >&2
    elif [[ ! build/notebooks/$name.ipynb -nt $notebook ]]; then
        tests+=("$test")
    fi
done
if ((${#tests[@]})); then
    printf 'Executing the notebooks of %s …\n' "${tests[*]}"
    "$python" -m pytest -q --numprocesses 2 --dist loadfile "${tests[@]}"
fi

printf 'Running the code blocks …\n'
"$python" -m pytest -q --numprocesses 2 --dist loadfile tests/docs

printf 'Building build/site …\n'
"$python" -m sphinx --fail-on-warning --keep-going --jobs 2 --quiet -d build/doctrees docs build/site
# A page needs nothing from elsewhere to be read.
if grep -rlE '<(script|link|img|iframe)[^>]* (src|href)="(https?:)?//' --include='*.html' build/site; then
    printf 'These pages fetch something from the network.\n' >&2
    exit 1
fi
printf 'Written: build/site/index.html (open it in a browser)\n'
