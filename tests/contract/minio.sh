#!/bin/sh
# Builds MinIO, of which there are neither packages nor wheels, and prints the program's path. Needs Go 1.24 or newer.
# The first time takes two to three minutes (unoptimised: half the time); the program is kept, and the build's log.
# Exit code 3: there is no Go; the one line on stderr says so. 1: the build failed; stderr has the end of its log.
set -eu
version=v0.0.0-20260212201848-7aac2a2c5b7c
tries=3                           # what was downloaded is kept, so that each goes on from there
[ -n "${HOME:-}" ] || HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
export HOME
PATH=$PATH:/usr/local/go/bin:/usr/lib/go/bin:$HOME/go/bin
folder=${OZONE_ENGINE_HOME:-$HOME/.cache/ozone-engine}/minio-$version
[ -x "$folder/minio" ] || command -v go >/dev/null ||
  { echo "minio: there is no Go to build it with, neither in PATH nor in /usr/local/go" >&2; exit 3; }
mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
build() {
  GOBIN=$folder GOFLAGS=-trimpath nice -n 10 \
    go install -gcflags "all=-N -l" -ldflags "-s -w" "github.com/minio/minio@$version"
}
try=0
while [ ! -x "$folder/minio" ]; do
  try=$((try + 1))
  echo "try $try of $tries, $(go version)" >>"$folder/log"
  build >>"$folder/log" 2>&1 && break
  [ $try -lt $tries ] || { echo "minio: not built after $tries tries:" >&2; tail -20 "$folder/log" >&2; exit 1; }
  sleep $((try * 5))              # a registry that refuses for a moment
done
echo "$folder/minio"
