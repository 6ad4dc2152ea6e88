#!/bin/bash
# Honours what upstream's does: KAFKA_HEAP_OPTS, KAFKA_JVM_PERFORMANCE_OPTS, KAFKA_LOG4J_OPTS, KAFKA_JMX_OPTS, KAFKA_OPTS, CLASSPATH, LOG_DIR
home=$(dirname "$(dirname "$(readlink -f "$0")")")
log4j=${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=/etc/kafka/docker/tools-log4j2.yaml}
# shellcheck disable=SC2086  # each of them is a list of words
exec java ${KAFKA_HEAP_OPTS:--Xmx256m} $KAFKA_JVM_PERFORMANCE_OPTS "-Dkafka.logs.dir=${LOG_DIR:-$home/logs}" $log4j $KAFKA_JMX_OPTS \
  -cp "$home/libs/*${CLASSPATH:+:$CLASSPATH}" $KAFKA_OPTS "$@"
