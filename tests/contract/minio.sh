#!/bin/sh
# Builds MinIO, of which there are neither packages nor wheels, and prints the program's path. Needs Go 1.24 or newer.
# The first time takes two to three minutes (unoptimised: half the time); the program is kept.
set -eu
version=v0.0.0-20260212201848-7aac2a2c5b7c
folder=${OZONE_ENGINE_HOME:-$HOME/.cache/ozone-engine}/minio-$version
command -v go >/dev/null || { echo "minio: there is no Go to build it with" >&2; exit 3; }
mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
[ -x "$folder/minio" ] ||
  GOBIN=$folder GOFLAGS=-trimpath nice -n 19 \
    go install -gcflags "all=-N -l" -ldflags "-s -w" "github.com/minio/minio@$version" >"$folder/log" 2>&1 ||
  { tail -5 "$folder/log" >&2; exit 1; }
echo "$folder/minio"
