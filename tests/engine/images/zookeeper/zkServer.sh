#!/bin/sh
exec java "-Xmx${ZK_SERVER_HEAP:-256}m" $SERVER_JVMFLAGS -cp "/conf:/opt/zookeeper/lib/*" \
  org.apache.zookeeper.server.quorum.QuorumPeerMain /conf/zoo.cfg
