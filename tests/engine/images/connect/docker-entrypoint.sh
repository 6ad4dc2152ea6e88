#!/bin/bash
# Stand-in for Debezium's entrypoint: `start` turns BOOTSTRAP_SERVERS and the like, and every CONNECT_* variable, into
# worker properties (lower case, _ becomes .); any other command is run as it is.
set -e
[ "$1" = start ] || exec "$@"

declare -A default=(
  [BOOTSTRAP_SERVERS]=0.0.0.0:9092 [GROUP_ID]=1 [CONFIG_STORAGE_TOPIC]='' [OFFSET_STORAGE_TOPIC]='' [STATUS_STORAGE_TOPIC]=connect-status
  [KEY_CONVERTER]=org.apache.kafka.connect.json.JsonConverter [VALUE_CONVERTER]=org.apache.kafka.connect.json.JsonConverter
  [CONFIG_STORAGE_REPLICATION_FACTOR]=1 [OFFSET_STORAGE_REPLICATION_FACTOR]=1 [STATUS_STORAGE_REPLICATION_FACTOR]=1
  [OFFSET_FLUSH_INTERVAL_MS]=60000 [PLUGIN_PATH]=$KAFKA_CONNECT_PLUGINS_DIR [LISTENERS]=http://0.0.0.0:8083
)
for name in "${!default[@]}"; do
  variable=CONNECT_$name
  value=${!variable:-${!name:-${default[$name]}}}
  [ -n "$value" ] || { echo "The $name variable must be set" >&2; exit 1; }
  export "$variable=$value"
done
properties=/kafka/config/connect-distributed.properties
while IFS= read -r -d '' entry; do
  case $entry in
    CONNECT_LOG4J*) ;;
    CONNECT_*) name=${entry%%=*}; name=${name#CONNECT_}; name=${name,,}; echo "${name//_/.}=${entry#*=}" ;;
  esac
done < <(env -0) >$properties
[ -z "$HEAP_OPTS" ] || export KAFKA_HEAP_OPTS=$HEAP_OPTS
exec /kafka/bin/connect-distributed.sh $properties
