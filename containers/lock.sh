#!/usr/bin/env bash
# Compile the locks of the images from the extras of pyproject.toml (needs uv), and write their
# checksums to the conda environments: Nextflow makes an environment anew when its file changes.
set -euo pipefail
cd "$(dirname "$0")/.."

lock() { # file, extras...
    local file=$1 options=()
    shift
    for extra in "$@"; do options+=(--extra "$extra"); done
    uv pip compile --quiet --python-version 3.11 --python-platform linux --generate-hashes \
        --no-header --no-emit-index-url "${options[@]}" --output-file "$file" pyproject.toml >/dev/null
}

for wanted in containers/*/requirements.lock; do
    folder=$(dirname "$wanted")
    lock "$folder/requirements.lock" "$(basename "$folder")"
    digest=$(sha256sum "$folder/requirements.lock" | cut -c 1-64)
    sed -i "s/^# sha256 of requirements.lock: .*/# sha256 of requirements.lock: $digest/" "$folder/environment.yml"
done
lock containers/imputation/requirements-torch.lock imputation torch
