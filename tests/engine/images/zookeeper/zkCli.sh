#!/bin/sh
exec java "-Xmx${ZK_CLIENT_HEAP:-128}m" -cp "/conf:/opt/zookeeper/lib/*" org.apache.zookeeper.ZooKeeperMain "$@"
