#!/bin/bash
# Runs one process of the cluster: start.sh jobmanager | taskmanager; or checks it: start.sh healthcheck PROCESS
set -eu
flink=/opt/flink
data=/flink-data
# Touched where a new generation begins in a container that runs (see below).
renewed=/tmp/renewed

case "$1" in
jobmanager | taskmanager) ;;
healthcheck)
  # What begins anew has as long for it as what starts.
  [ -z "$(find $renewed -mmin -5 2>/dev/null)" ] || exit 0
  case "${2-}" in
  # Healthy means that the job runs, not only that the web page answers.
  jobmanager) curl -sf http://127.0.0.1:8081/jobs/overview | grep -q '"state":"RUNNING"' ;;
  taskmanager) exec 3<>/dev/tcp/127.0.0.1/6122 ;;
  *) exit 2 ;;
  esac
  exit
  ;;
*)
  echo "start.sh jobmanager | taskmanager | healthcheck PROCESS" >&2
  exit 2
  ;;
esac

# `migrate` writes these once the sink's tables are as this plan wants them. Flink's state belongs to one
# generation: the state of an earlier plan must never be restored into the tables of this one.
prepared() { [ "$(cat $data/plan 2>/dev/null)" = "$OZONE_FINGERPRINT" ]; }
present() { cat $data/generation 2>/dev/null || true; }

run() {
  local settings=(
    -D "execution.checkpointing.dir=file://$data/checkpoints/$OZONE_GENERATION"
    -D "high-availability.storageDir=file://$data/ha/$OZONE_GENERATION"
    -D "high-availability.cluster-id=/$OZONE_GENERATION"
  )
  case "$1" in
  jobmanager)
    exec $flink/bin/standalone-job.sh start-foreground "${settings[@]}" \
      --job-classname org.apache.flink.client.python.PythonDriver \
      -pyclientexec python3 -py /opt/ozone/jobs/flatten.py --job /opt/ozone/job.json \
      --checkpoints "$data/checkpoints/$OZONE_GENERATION"
    ;;
  taskmanager)
    exec $flink/bin/taskmanager.sh start-foreground "${settings[@]}"
    ;;
  esac
}

# Whoever stops a site stops it between two checkpoints, and the next start reads and writes again what came after the
# last one. So there is one more before the end, where the job can still make one (it cannot where the sink is down).
jobs=http://127.0.0.1:8081/jobs
ask() { curl -sf --max-time 10 "$@"; }
checkpoint() {
  local job trigger end=$((SECONDS + 30))
  job=$(ask $jobs | sed -n 's/.*"id":"\([0-9a-f]*\)","status":"RUNNING".*/\1/p')
  [ -n "$job" ] || return 0
  trigger=$(ask -H 'Content-Type: application/json' -d '{"checkpointType":"CONFIGURED"}' $jobs/$job/checkpoints |
    grep -o '[0-9a-f]\{32\}') || return 0
  while [ $SECONDS -lt $end ] && ask $jobs/$job/checkpoints/$trigger | grep -q IN_PROGRESS; do sleep 0.2; done
}
finish() {
  stopped=yes
  [ -n "$process" ] || return 0
  [ "$service" != jobmanager ] || checkpoint || true
  kill $process 2>/dev/null || true
}

export FLINK_LOG_DIR=/tmp/flink-log
mkdir -p $FLINK_LOG_DIR
rm -f $renewed

# Docker stops this shell; Flink has to hear of it.
service=$1 # inside of a function, where a signal may come, $1 is another
process=
stopped=
trap finish TERM INT

while [ -z "$stopped" ]; do
  if ! prepared; then
    echo "The tables are not prepared for this plan: run the service migrate (docker compose up does)." >&2
    until prepared || [ -n "$stopped" ]; do sleep 1; done
    continue
  fi
  # The job's sources and sinks carry it.
  OZONE_GENERATION=$(present)
  export OZONE_GENERATION
  run "$1" &
  process=$!
  # A new generation (the sink was wiped, say) ends the process, and the next one begins here: Docker calls a
  # container that it starts again unhealthy for a moment, and `docker compose up --wait` would give up.
  while sleep 2; do
    [ "$(present)" = "$OZONE_GENERATION" ] || { kill $process; break; }
  done &
  watch=$!
  code=0
  wait $process || code=$?
  # A signal ends the first wait early.
  while kill -0 $process 2>/dev/null; do wait $process || code=$?; done
  process=
  kill $watch 2>/dev/null || true
  [ "$(present)" != "$OZONE_GENERATION" ] || exit $code
  touch $renewed
done
exit 143
