#!/bin/bash
# Stand-in for the official entrypoint: jobmanager | standalone-job | taskmanager | history-server | any command, with
# JOB_MANAGER_RPC_ADDRESS, TASK_MANAGER_NUMBER_OF_TASK_SLOTS, FLINK_PROPERTIES ("key: value" lines) and
# ENABLE_BUILT_IN_PLUGINS. It rewrites conf/config.yaml; a site that mounts that file calls Flink's own scripts instead.
flink=/opt/flink
if [ "$1" = help ]; then
  echo "Usage: docker-entrypoint.sh (jobmanager|standalone-job|taskmanager|history-server)"
  exit
fi
[ "$DISABLE_JEMALLOC" = true ] || export LD_PRELOAD=$LD_PRELOAD:/usr/lib/x86_64-linux-gnu/libjemalloc.so
for plugin in ${ENABLE_BUILT_IN_PLUGINS//;/ }; do
  [ -e "$flink/opt/$plugin" ] || { echo "Plugin $plugin does not exist. Exiting." >&2; exit 1; }
  mkdir -p "$flink/plugins/${plugin%.jar}" && ln -fs "$flink/opt/$plugin" "$flink/plugins/${plugin%.jar}/"
done

options=("-Djobmanager.rpc.address=${JOB_MANAGER_RPC_ADDRESS:-$(hostname -f)}" -Dblob.server.port=6124 -Dquery.server.port=6125)
[ -z "$TASK_MANAGER_NUMBER_OF_TASK_SLOTS" ] || options+=("-Dtaskmanager.numberOfTaskSlots=$TASK_MANAGER_NUMBER_OF_TASK_SLOTS")
while read -r line; do           # read strips the blanks around a line
  [ -z "$line" ] || options+=("-D${line%%:*}=$(envsubst <<<"${line#*:}" | sed 's/^[[:space:]]*//')")
done <<<"$FLINK_PROPERTIES"
$flink/bin/config-parser-utils.sh $flink/conf $flink/bin $flink/lib "${options[@]}" || exit

case $1 in
  jobmanager) exec $flink/bin/jobmanager.sh start-foreground "${@:2}" ;;
  standalone-job) exec $flink/bin/standalone-job.sh start-foreground "${@:2}" ;;
  taskmanager) exec $flink/bin/taskmanager.sh start-foreground "${@:2}" ;;
  history-server) exec $flink/bin/historyserver.sh start-foreground "${@:2}" ;;
esac
exec "$@"
