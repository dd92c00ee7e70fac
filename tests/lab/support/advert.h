// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace zcluster::lab {

// For perl -e, with the arguments FROM TO ROUTER_ID COUNT: sends so many VRRPv3 adverts of the
// highest priority, as the owner of the addresses does.
inline constexpr char kForgeAdverts[] = R"(
use Socket;
my ($from, $to, $router, $count) = @ARGV;
socket(my $s, AF_INET, SOCK_RAW, 112) or die $!;
setsockopt($s, 0, 2, pack("l", 255)) or die $!;
setsockopt($s, 0, 33, pack("l", 255)) or die $!;
setsockopt($s, 0, 32, inet_aton($from)) or die $!;
sub advert { pack("CCCCnna4", 0x31, $router, 255, 1, 10, $_[0], inet_aton("169.254.77.$router")) }
my $pseudo = inet_aton($from) . inet_aton($to) . pack("CCn", 0, 112, length advert(0)) . advert(0);
my $sum = unpack("%32n*", $pseudo);
$sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
send($s, advert(~$sum & 0xffff), 0, pack_sockaddr_in(0, inet_aton($to))) for 1 .. $count;
)";

}  // namespace zcluster::lab
