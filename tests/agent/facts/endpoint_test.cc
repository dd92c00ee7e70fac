// SPDX-License-Identifier: Apache-2.0
#include "agent/facts/endpoint.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace zcluster::facts {
namespace {

TEST(Endpoint, TakesBothFamilies) {
  const auto v4 = ParseEndpoint("192.0.2.1:80");
  ASSERT_TRUE(v4.has_value());
  EXPECT_EQ(v4->address.ss_family, AF_INET);
  EXPECT_EQ(v4->length, sizeof(sockaddr_in));
  EXPECT_EQ(reinterpret_cast<const sockaddr_in&>(v4->address).sin_port, htons(80));
  const auto v6 = ParseEndpoint("[2001:db8::1]:443");
  ASSERT_TRUE(v6.has_value());
  EXPECT_EQ(v6->address.ss_family, AF_INET6);
  EXPECT_EQ(reinterpret_cast<const sockaddr_in6&>(v6->address).sin6_port, htons(443));
}

TEST(Endpoint, RefusesWhatIsNone) {
  for (const char* text : {"", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "host:80", ":80"})
    EXPECT_FALSE(ParseEndpoint(text).has_value()) << text;
}

}  // namespace
}  // namespace zcluster::facts
