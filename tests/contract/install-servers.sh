#!/bin/sh
# Installs the servers of the contract tests from Debian's packages, without starting them.
set -eu
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
made=
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod +x $policy
  made=yes
fi
trap '[ -z "$made" ] || rm -f $policy' EXIT
apt-get update -qq
apt-get install -y -qq --no-install-recommends mariadb-server postgresql >/dev/null
