#!/bin/sh
# Starts SeaweedFS with the three keys of the environment: one for everything, one to read, one to add files.
set -eu

quoted() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; }
identity() {
  printf '{"name": "%s", "credentials": [{"accessKey": %s, "secretKey": %s}], "actions": [%s]}' \
    "$1" "$(quoted "$2")" "$(quoted "$3")" "$4"
}

umask 077
{
  printf '{"identities": [\n'
  identity root "$OBJECT_STORE_ROOT_KEY" "$OBJECT_STORE_ROOT_SECRET" '"Admin", "Read", "Write", "List", "Tagging"'
  printf ',\n'
  identity read "$OBJECT_STORE_READ_KEY" "$OBJECT_STORE_READ_SECRET" '"Read:openmrs-data", "List:openmrs-data"'
  printf ',\n'
  identity write "$OBJECT_STORE_WRITE_KEY" "$OBJECT_STORE_WRITE_SECRET" '"Write:openmrs-data/parquet/*", "List:openmrs-data"'
  printf ']}\n'
} > /tmp/s3.json

# Only the S3 interface asks for keys; the other parts listen inside this container alone.
exec weed -logtostderr=true server -dir=/data -ip=127.0.0.1 -ip.bind=127.0.0.1 \
  -volume.max=0 -master.volumeSizeLimitMB=1024 \
  -s3 -s3.port=9000 -s3.config=/tmp/s3.json -s3.ip.bind=0.0.0.0
