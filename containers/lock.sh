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

lock_apart() { # file, overrides, extra: an image whose packages exclude what others ask for
    local file=$1 overrides=$2 rest
    rest=$(mktemp)
    # All versions that are tested, but of packages that it has its own of.
    awk 'NR == FNR { split($0, part, /[<>=]/); own[part[1]]; next }
         /^[^ ]/ { split($0, part, "=="); skip = part[1] in own } !skip' \
        "$overrides" "${UV_CONSTRAINT:-/dev/null}" >"$rest"
    UV_CONSTRAINT=$rest UV_OVERRIDE=$overrides lock "$file" "$3"
    sed -i "s|-c $rest|-c ${UV_CONSTRAINT:-}|" "$file"
    rm "$rest"
}

# Each lock, containers/ROOM/requirements[-VARIANT].lock, is of the extras ROOM and VARIANT, and of
# ROOM-VARIANT where there is one. An image with overrides.txt stands apart: its extra names all it needs.
for wanted in containers/*/requirements*.lock; do
    folder=$(dirname "$wanted")
    if [ -e "$folder/overrides.txt" ]; then
        lock_apart "$wanted" "$folder/overrides.txt" "$(basename "$folder")"
        continue
    fi
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
