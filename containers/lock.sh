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

# Each lock, containers/ROOM/requirements[-VARIANT].lock, is of the extras ROOM and VARIANT, and of
# ROOM-VARIANT where there is one.
for wanted in containers/*/requirements*.lock; do
    folder=$(dirname "$wanted")
    variant=$(basename "$wanted" .lock)
    variant=${variant#requirements}
    room=$(basename "$folder")
    own=()
    if [ -n "$variant" ] && grep -q "^$room$variant = " pyproject.toml; then own=("$room$variant"); fi
    lock "$wanted" "$room" ${variant:+"${variant#-}"} "${own[@]}"
    digest=$(sha256sum "$wanted" | cut -c 1-64)
    sed -i "s/^# sha256 of requirements$variant.lock: .*/# sha256 of requirements$variant.lock: $digest/" \
        "$folder/environment$variant.yml"
done
