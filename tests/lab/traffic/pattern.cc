// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/traffic/pattern.h"

namespace zcluster::traffic {
namespace {

// splitmix64's finaliser: near numbers give unrelated ones.
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

void Pattern::Fill(uint64_t position, std::span<uint8_t> bytes) const {
  for (uint8_t& byte : bytes) byte = At(position++);
}

bool Pattern::Matches(uint64_t position, std::span<const uint8_t> bytes) const {
  for (uint8_t byte : bytes) {
    if (byte != At(position++)) return false;
  }
  return true;
}

uint8_t Pattern::At(uint64_t position) const {
  return static_cast<uint8_t>(Mix(Mix(seed_) ^ (position / 8)) >> (8 * (position % 8)));
}

}  // namespace zcluster::traffic
