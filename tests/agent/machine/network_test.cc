// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "agent/machine/machine.h"

namespace zcluster::machine {
namespace {

Address On(const std::string& interface, const std::string& address, int prefix_length,
           bool vip = false) {
  return {.address = address,
          .prefix_length = prefix_length,
          .v6 = address.find(':') != std::string::npos,
          .interface = interface,
          .refused = "",
          .vip = vip};
}

struct Network {
  const char* name;
  const char* address;
  int prefix_length;
  const char* other;
  bool same;
};

class NetworkOf : public testing::TestWithParam<Network> {};

TEST_P(NetworkOf, HoldsTheOtherOrNot) {
  const Network& c = GetParam();
  EXPECT_EQ(SameNetwork(On("eth0", c.address, c.prefix_length), c.other), c.same);
}

INSTANTIATE_TEST_SUITE_P(
    Network, NetworkOf,
    testing::Values(Network{"Same", "10.0.0.5", 24, "10.0.0.200", true},
                    Network{"Next", "10.0.0.5", 24, "10.0.1.5", false},
                    Network{"UnevenInside", "10.0.0.5", 23, "10.0.1.5", true},
                    Network{"UnevenOutside", "10.0.0.5", 23, "10.0.2.5", false},
                    Network{"LastBit", "10.0.0.4", 31, "10.0.0.5", true},
                    Network{"BeyondLastBit", "10.0.0.5", 31, "10.0.0.6", false},
                    Network{"Itself", "10.0.0.5", 32, "10.0.0.5", true},
                    Network{"NobodyElse", "10.0.0.5", 32, "10.0.0.4", false},
                    Network{"Everything", "10.0.0.5", 0, "192.0.2.1", true},
                    Network{"V6", "2001:db8::1", 64, "2001:db8::ffff:1", true},
                    Network{"V6Next", "2001:db8::1", 64, "2001:db8:0:1::1", false},
                    Network{"V6Uneven", "2001:db8::1", 63, "2001:db8:0:1::1", true},
                    Network{"OtherFamily", "10.0.0.5", 0, "2001:db8::1", false},
                    Network{"Nonsense", "10.0.0.5", 0, "somewhere", false}),
    [](const testing::TestParamInfo<Network>& each) { return each.param.name; });

struct Choice {
  const char* name;
  const char* vip;
  const char* interface;
};

class InterfaceOf : public testing::TestWithParam<Choice> {};

TEST_P(InterfaceOf, IsThatOfTheNarrowestNetwork) {
  const std::vector<Address> addresses = {
      On("lo", "127.0.0.1", 8),          On("lo", "203.0.113.1", 24),
      On("eth0", "10.0.0.5", 8),         On("eth1", "10.1.0.5", 16),
      On("eth2", "10.1.2.5", 24),        On("eth3", "10.1.2.6", 24),
      On("eth4", "10.1.2.99", 28, true), On("eth5", "198.51.100.9", 24, true),
      On("eth6", "2001:db8::5", 64),     On("eth7", "192.0.2.9", 24)};
  EXPECT_EQ(InterfaceFor(addresses, GetParam().vip), GetParam().interface);
}

INSTANTIATE_TEST_SUITE_P(
    Network, InterfaceOf,
    testing::Values(Choice{"Only", "10.7.0.1", "eth0"}, Choice{"Narrower", "10.1.9.9", "eth1"},
                    Choice{"TheFirstOfTwoAlike", "10.1.2.200", "eth2"},
                    Choice{"NotByAnotherVip", "10.1.2.98", "eth2"},
                    Choice{"NoneByAnotherVip", "198.51.100.1", ""},
                    Choice{"NotByItself", "192.0.2.9", ""}, Choice{"NeverLo", "127.0.0.9", ""},
                    Choice{"NeverLoEither", "203.0.113.9", ""},
                    Choice{"V6", "2001:db8::99", "eth6"}, Choice{"None", "172.16.0.1", ""}),
    [](const testing::TestParamInfo<Choice>& each) { return each.param.name; });

TEST(Source, IsOurAddressThere) {
  const std::vector<Address> addresses = {On("eth0", "10.0.0.99", 24, true),
                                          On("eth0", "10.0.0.5", 24)};
  const Address* source = SourceFor(addresses, "10.0.0.254");
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(source->address, "10.0.0.5");
  EXPECT_EQ(SourceFor(addresses, "10.0.1.254"), nullptr);
}

}  // namespace
}  // namespace zcluster::machine
