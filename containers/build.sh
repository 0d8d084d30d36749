#!/usr/bin/env bash
# Build the images of the modules: containers/build.sh [NAME[-torch|-cuda] ...]   (default: all without PyTorch)
#
# Environment, all optional:
#   ENGINE             docker, podman or buildah   (default: the first that works, in this order)
#   REGISTRY           prefix of the image names   (default: localhost/deepcohort)
#   IMAGE_BUILD_FLAGS  further flags of the build, e.g. a proxy or the certificates of a site
set -euo pipefail
cd "$(dirname "$0")/.."

working_engine() {
    if docker info >/dev/null 2>&1; then echo docker
    elif command -v podman >/dev/null; then echo podman
    elif command -v buildah >/dev/null; then echo buildah
    else
        echo "build.sh: no container engine found: install docker, podman or buildah" >&2
        return 1
    fi
}

engine=${ENGINE:-$(working_engine)}
registry=${REGISTRY:-localhost/deepcohort}
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' deepcohort/__init__.py)
read -r -a flags <<<"${IMAGE_BUILD_FLAGS:-}"
# PyTorch brings CUDA libraries of several GB: images that have it are built where they are named.
without_torch() {
    local file
    for file in containers/*/Dockerfile; do
        grep -qs '^torch==' "$(dirname "$file")/requirements.lock" || basename "$(dirname "$file")"
    done | LC_ALL=C sort
}
[ "$#" -gt 0 ] || set -- $(without_torch)

for name in "$@"; do
    room=${name%-torch}
    room=${room%-cuda}
    variant=${name#"$room"}
    # Images of outside programs have no packages of Python, and so no lock.
    needed=containers/$room/Dockerfile
    [ -z "$variant" ] || needed=containers/$room/requirements$variant.lock
    if [ ! -e "$needed" ]; then
        echo "build.sh: no image $name: $needed does not exist" >&2
        exit 2
    fi
    image=$registry/$room:$version$variant
    echo "build.sh: $image with $engine" >&2
    arguments=(--build-arg "VERSION=$version$variant")
    [ -z "$variant" ] || arguments+=(--build-arg "VARIANT=$variant")
    "$engine" build "${flags[@]}" "${arguments[@]}" \
        --file "containers/$room/Dockerfile" --tag "$image" .
done
