#!/usr/bin/env bash
# Builds the image stand-ins of images/NAME/, under the public names that the first line of each Dockerfile gives.
#   images.sh NAME...    those, and the ones they stand on (their FROM lines); no name: all
#   images.sh --list     the names
# The builder's cache decides what is new: a second run takes about a second. Needs `engine.sh up` first.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
home=${OZONE_ENGINE_HOME:-$HOME/.cache/ozone-engine}
export DOCKER_HOST=unix://$home/docker.sock DOCKER_CONFIG=$home/docker-config DOCKER_BUILDKIT=1
client=/usr/bin/docker

image_of() { sed -n '1s/^# image: //p' "$here/images/$1/Dockerfile"; }
folder_of() { grep -lxF "# image: $1" "$here"/images/*/Dockerfile | sed 's|/Dockerfile$||; s|.*/||'; }
needs() {
  local image
  sed -n 's/^FROM \([^ ]*\).*/\1/p' "$here/images/$1/Dockerfile" | sort -u |
    while read -r image; do folder_of "$image"; done
}

# Each image is built as soon as those it stands on are, and once, though several wait for it: left to itself, the
# builder of this engine's age would run the same steps for each of them.
build() {
  local name=$1 jobs=() job need begin
  (
    flock 9
    [ ! -e "$run/$name.built" ] || exit 0
    for need in $(needs "$name"); do build "$need" & jobs+=($!); done
    for job in ${jobs[@]+"${jobs[@]}"}; do wait "$job"; done
    begin=$SECONDS
    $client build --progress plain -t "$(image_of "$name")" "$here/images/$name" >"$home/build-$name.log" 2>&1 || {
      tail -30 "$home/build-$name.log" >&2
      echo "images: $name failed; see $home/build-$name.log" >&2
      exit 1
    }
    touch "$run/$name.built"
    [ $((SECONDS - begin)) -lt 2 ] || echo "images: $name built in $((SECONDS - begin)) s"
  ) 9>"$run/$name.lock"
}

names=("$@")
[ $# -gt 0 ] || mapfile -t names < <(ls "$here/images")
if [ "${1:-}" = --list ]; then
  for name in "$here"/images/*/; do name=$(basename "$name"); printf '%-10s %s\n' "$name" "$(image_of "$name")"; done
  exit
fi
for name in "${names[@]}"; do
  [ -f "$here/images/$name/Dockerfile" ] || { echo "images: there is no $name; see $0 --list" >&2; exit 2; }
done
begin=$SECONDS
exec 8>"$home/images.lock"
flock 8
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT
jobs=()
for name in "${names[@]}"; do build "$name" & jobs+=($!); done
for job in "${jobs[@]}"; do wait "$job"; done
echo "images: ${names[*]} are there after $((SECONDS - begin)) s"
