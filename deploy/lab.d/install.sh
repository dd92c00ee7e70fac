# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The packages that building, testing and the lab need: the one list, for deploy/lab and tests/run.

readonly PACKAGES="g++ cmake ninja-build patch ccache pkg-config libgrpc++-dev protobuf-compiler
  protobuf-compiler-grpc libprotobuf-dev libabsl-dev libmnl-dev libnetfilter-conntrack-dev keepalived
  conntrack conntrackd nftables iproute2 libgtest-dev libgmock-dev libyaml-cpp-dev libcli11-dev libspdlog-dev
  libfmt-dev libboost-dev libsqlite3-dev libre2-dev libxxhash-dev libssl-dev openssl procps util-linux
  libpam0g-dev hostname iputils-ping shellcheck jq libmicrohttpd-dev prometheus-cpp-dev prometheus
  systemd"

# Packages of the list that are not installed, one a line.
missing_packages() {
  local package
  for package in $PACKAGES; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
  done
}

# Installs what is missing; does nothing, not even a network access, when all is there.
install_packages() {
  local missing apt=(apt-get -y -qq -o DPkg::Lock::Timeout=300)
  command -v dpkg-query >/dev/null || {
    echo "this is no Debian: install yourself: ${PACKAGES//$'\n'/ }" >&2
    return 1
  }
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]} > 0)) || return 0
  ((EUID == 0)) || {
    echo "missing packages: ${missing[*]}; run as root to have them installed" >&2
    return 1
  }
  echo "installing: ${missing[*]}" >&2
  export DEBIAN_FRONTEND=noninteractive
  "${apt[@]}" update >&2
  # keepalived and prometheus come with services that would start at once, with no configuration of ours: not now.
  local policy=/usr/sbin/policy-rc.d made_policy=no
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    made_policy=yes
  fi
  local result=0
  "${apt[@]}" install --no-install-recommends "${missing[@]}" </dev/null >&2 || result=$?
  [[ $made_policy == no ]] || rm -f "$policy"
  return "$result"
}
