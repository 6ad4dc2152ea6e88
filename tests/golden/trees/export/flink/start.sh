#!/bin/bash
# Starts one process of the cluster: start.sh jobmanager | taskmanager; or checks: start.sh healthcheck
set -eu
flink=/opt/flink
data=/flink-data

case "$1" in
healthcheck)
  # Healthy means that the job runs, not only that the web page answers.
  curl -sf http://127.0.0.1:8081/jobs/overview | grep -q '"state":"RUNNING"'
  exit
  ;;
esac

# `migrate` writes these once the sink's tables are as this plan wants them. Flink's state belongs to one
# generation: the state of an earlier plan must never be restored into the tables of this one.
if [ "$(cat $data/plan 2>/dev/null)" != "$OZONE_FINGERPRINT" ]; then
  echo "The tables are not prepared for this plan: run the service migrate first (docker compose up does)." >&2
  sleep 5
  exit 1
fi
generation=$(cat $data/generation)
# The job's sources and sinks carry it.
export OZONE_GENERATION=$generation
# A new generation under a running process (the sink was wiped, say) ends it; Docker starts it again in the new one.
(
  while sleep 2; do
    [ "$(cat $data/generation 2>/dev/null)" = "$generation" ] || { kill $$; exit; }
  done
) &
settings=(
  -D "execution.checkpointing.dir=file://$data/checkpoints/$generation"
)
export FLINK_LOG_DIR=/tmp/flink-log
mkdir -p $FLINK_LOG_DIR

case "$1" in
jobmanager)
  exec $flink/bin/standalone-job.sh start-foreground "${settings[@]}" \
    --job-classname org.apache.flink.client.python.PythonDriver \
    -pyclientexec python3 -py /opt/ozone/jobs/flatten.py --job /opt/ozone/job.json --checkpoints "$data/checkpoints/$generation"
  ;;
taskmanager)
  exec $flink/bin/taskmanager.sh start-foreground "${settings[@]}"
  ;;
*)
  echo "start.sh jobmanager | taskmanager | healthcheck" >&2
  exit 2
  ;;
esac
