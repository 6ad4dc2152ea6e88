#!/bin/bash
# Stand-in for the official healthcheck.sh: whatever its flags, it asks over TCP, where the server of the init phase
# does not listen, whether InnoDB is there.
mariadb --no-defaults -h127.0.0.1 -uhealthcheck -phealthcheck -Nse \
  "SELECT 1 FROM information_schema.engines WHERE engine = 'InnoDB' AND support IN ('YES', 'DEFAULT')" 2>/dev/null | grep -q 1
