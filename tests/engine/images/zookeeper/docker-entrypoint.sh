#!/bin/bash
# Stand-in for the official entrypoint: /conf/zoo.cfg as mounted, or made from the ZOO_* variables that tests use.
set -e
if [ "$1" = zkServer.sh ] && [ "$(id -u)" = 0 ]; then
  chown -R zookeeper /data /datalog /logs
  exec setpriv --reuid=zookeeper --regid=zookeeper --clear-groups "$0" "$@"
fi
if [ ! -f /conf/zoo.cfg ]; then
  cat >/conf/zoo.cfg <<-CFG
	dataDir=/data
	dataLogDir=/datalog
	tickTime=${ZOO_TICK_TIME:-2000}
	initLimit=${ZOO_INIT_LIMIT:-5}
	syncLimit=${ZOO_SYNC_LIMIT:-2}
	maxClientCnxns=${ZOO_MAX_CLIENT_CNXNS:-60}
	admin.enableServer=${ZOO_ADMINSERVER_ENABLED:-true}
	4lw.commands.whitelist=${ZOO_4LW_COMMANDS_WHITELIST:-srvr}
	clientPort=2181
	CFG
fi
[ -f /data/myid ] || echo "${ZOO_MY_ID:-1}" >/data/myid
exec "$@"
