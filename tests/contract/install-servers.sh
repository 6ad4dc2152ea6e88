#!/bin/sh
# Installs the servers of the contract tests from Debian's packages, without starting them, the Java compiler of the
# property tests, and the browser that looks at dashboards.
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
packages="mariadb-server postgresql openjdk-17-jdk-headless chromium"
# shellcheck disable=SC2086  # a list of words
apt-get install -y -qq --no-install-recommends $packages >/dev/null
