// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/traffic/kinds.h"

#include <netinet/in.h>

#include <memory>
#include <vector>

#include "tests/lab/traffic/ftp.h"
#include "tests/lab/traffic/packets.h"

namespace zcluster::traffic {
namespace {

constexpr uint64_t kControl = 0, kTick = 1, kFirstTalk = 2;
constexpr uint64_t kTickNs = 20'000'000;
constexpr uint16_t kOwnPort = 7101;

// One flow: what is said next, and who answered.
class Talk {
 public:
  Talk(std::string name, Fd socket, Endpoint to, bool raw)
      : name_(std::move(name)), socket_(std::move(socket)), to_(to), raw_(raw) {}
  virtual ~Talk() = default;

  int fd() const { return socket_.get(); }
  void Say() {
    const std::string packet = Next();
    sendto(fd(), packet.data(), packet.size(), MSG_DONTWAIT, to_.get(), to_.size);
  }
  void Hear() {
    Endpoint from;
    for (std::string packet; !(packet = TakePacket(fd(), raw_, from)).empty();) {
      const std::string who = Understand(packet);
      if (who.empty()) continue;
      if (first_.empty()) first_ = who;
      if (who == first_) {
        ++answered_;
      } else {
        ++others_;
      }
    }
  }
  void Mark() { answered_ = 0; }
  bool ready() const { return !first_.empty(); }
  void Describe(Report& report) const {
    report.AddJson(name_, Report().Add("answered", answered_).Add("others", others_).Json());
  }

 protected:
  virtual std::string Next() = 0;
  // Who says this; or nothing, if it is no answer.
  virtual std::string Understand(const std::string& packet) = 0;

 private:
  const std::string name_;
  const Fd socket_;
  const Endpoint to_;
  const bool raw_;
  std::string first_;
  uint64_t answered_ = 0, others_ = 0;
};

// UDP, GRE, or no tracked protocol at all: what the backend says is its name, behind `prefix`.
class Plain : public Talk {
 public:
  Plain(std::string name, Fd socket, const Endpoint& to, bool raw, std::string prefix)
      : Talk(std::move(name), std::move(socket), to, raw), prefix_(std::move(prefix)) {}

 protected:
  std::string Next() override { return prefix_ + "who?"; }
  std::string Understand(const std::string& packet) override {
    return packet.size() > prefix_.size() ? packet.substr(prefix_.size()) : "";
  }

 private:
  const std::string prefix_;
};

class Echo : public Talk {
 public:
  Echo(std::string name, const Endpoint& to)
      : Talk(std::move(name), OpenRaw(to.family(), Protocol(to)), to, true),
        v6_(to.family() == AF_INET6) {}

 protected:
  std::string Next() override {
    std::string echo{static_cast<char>(v6_ ? 128 : 8), 0, 0, 0, 0x71, 0x00, 0, 1};
    if (!v6_) {  // the kernel sums IPv6's
      constexpr uint32_t kSum = 0xffff - (0x0800 + 0x7100 + 1);
      echo[2] = static_cast<char>(kSum >> 8);
      echo[3] = static_cast<char>(kSum & 0xff);
    }
    return echo;
  }
  std::string Understand(const std::string& packet) override {
    const bool answer = packet.size() >= 8 && static_cast<uint8_t>(packet[0]) == (v6_ ? 129 : 0);
    return answer && packet[4] == 0x71 ? "somebody" : "";
  }

 private:
  static int Protocol(const Endpoint& to) {
    return to.family() == AF_INET6 ? int{IPPROTO_ICMPV6} : int{IPPROTO_ICMP};
  }
  const bool v6_;
};

class Sctp : public Talk {
 public:
  Sctp(std::string name, const Endpoint& to)
      : Talk(std::move(name), OpenRaw(to.family(), IPPROTO_SCTP), to, true) {}

 protected:
  std::string Next() override {
    using namespace sctp;
    if (step_ == kData) return Packet(kOwnPort, kKindsPort, kServerTag, kData, "who?");
    if (step_ == kCookieEcho) return Packet(kOwnPort, kKindsPort, kServerTag, kCookieEcho, "cook");
    return Packet(kOwnPort, kKindsPort, 0, kInit, Beginning(kClientTag));
  }
  std::string Understand(const std::string& packet) override {
    if (packet.size() < sctp::kHeader) return "";
    if (packet[12] == sctp::kInitAck && step_ == sctp::kInit) step_ = sctp::kCookieEcho;
    if (packet[12] == sctp::kCookieAck) step_ = sctp::kData;
    return packet[12] == sctp::kData ? packet.substr(sctp::kHeader) : "";
  }

 private:
  char step_ = sctp::kInit;
};

class Client {
 public:
  Client(const KindsOptions& options, Control& control, Reporter& reporter)
      : control_(control), reporter_(reporter), ticker_(kTickNs), ftp_(options.to) {
    const std::string gre("\0\0\x08\0", 4);
    for (const bool v6 : {false, true}) {
      const std::string suffix = v6 ? "6" : "", host = v6 ? "[" + options.to6 + "]" : options.to;
      const Endpoint to = ParseEndpoint(host + ":" + std::to_string(kKindsPort));
      Endpoint all = to;  // a raw socket has no port
      reinterpret_cast<sockaddr_in*>(&all.address)->sin_port = 0;
      talks_.push_back(std::make_unique<Plain>("udp" + suffix, OpenDatagrams(to.family(), kOwnPort),
                                               to, false, ""));
      talks_.push_back(std::make_unique<Echo>("echo" + suffix, all));
      talks_.push_back(std::make_unique<Sctp>("sctp" + suffix, all));
      talks_.push_back(std::make_unique<Plain>("esp" + suffix, OpenRaw(to.family(), IPPROTO_ESP),
                                               all, true, "espespes"));
      if (!v6) {
        talks_.push_back(
            std::make_unique<Plain>("gre", OpenRaw(AF_INET, IPPROTO_GRE), all, true, gre));
      }
    }
    poller_.Add(control_.fd(), EPOLLIN, kControl);
    poller_.Add(ticker_.fd(), EPOLLIN, kTick);
    for (size_t i = 0; i < talks_.size(); ++i)
      poller_.Add(talks_[i]->fd(), EPOLLIN, kFirstTalk + i);
  }

  int Run() {
    reporter_.Interim(Describe());
    for (;;) {
      for (const epoll_event& event : poller_.Wait()) {
        if (event.data.u64 == kTick) {
          if (ticker_.Take() > 0) Tick();
        } else if (event.data.u64 == kControl) {
          if (Obey(control_.Take())) continue;
          reporter_.Final(Describe());
          return 0;
        } else {
          talks_[event.data.u64 - kFirstTalk]->Hear();
        }
      }
    }
  }

 private:
  void Tick() {
    for (const std::unique_ptr<Talk>& talk : talks_) talk->Say();
    ftp_.Tick();
  }
  bool Obey(Control::Orders orders) {
    if (orders.mark) {
      for (const std::unique_ptr<Talk>& talk : talks_) talk->Mark();
      ftp_.Mark();
    }
    if (orders.report || orders.mark) reporter_.Interim(Describe());
    return !orders.stop;
  }
  Report Describe() const {
    Report report;
    bool ready = ftp_.ready();
    for (const std::unique_ptr<Talk>& talk : talks_) {
      talk->Describe(report);
      ready = ready && talk->ready();
    }
    ftp_.Describe(report);
    return report.Add("ready", ready);
  }

  Control& control_;
  Reporter& reporter_;
  Ticker ticker_;
  Poller poller_;
  std::vector<std::unique_ptr<Talk>> talks_;
  FtpClient ftp_;
};

// Answers the raw protocols and UDP.
class Server {
 public:
  Server(std::string name, Control& control) : name_(std::move(name)), control_(control) {
    for (const int family : {AF_INET, AF_INET6}) {
      doors_.push_back({OpenDatagrams(family, kKindsPort), false, false, ""});
      doors_.push_back({OpenRaw(family, IPPROTO_SCTP), true, true, ""});
      doors_.push_back({OpenRaw(family, IPPROTO_ESP), true, false, "espespes"});
    }
    doors_.push_back({OpenRaw(AF_INET, IPPROTO_GRE), true, false, std::string("\0\0\x08\0", 4)});
    poller_.Add(control_.fd(), EPOLLIN, kControl);
    poller_.Add(ftp_.fd(), EPOLLIN, kTick);
    for (size_t i = 0; i < doors_.size(); ++i)
      poller_.Add(doors_[i].socket.get(), EPOLLIN, kFirstTalk + i);
  }

  int Run() {
    for (;;) {
      for (const epoll_event& event : poller_.Wait()) {
        if (event.data.u64 == kControl) {
          if (control_.Take().stop) return 0;
        } else if (event.data.u64 == kTick) {
          ftp_.Serve(name_);
        } else {
          Answer(doors_[event.data.u64 - kFirstTalk]);
        }
      }
    }
  }

 private:
  struct Door {
    Fd socket;
    bool raw;
    bool sctp;
    std::string prefix;
  };
  void Answer(const Door& door) {
    Endpoint from;
    for (std::string packet; !(packet = TakePacket(door.socket.get(), door.raw, from)).empty();) {
      const std::string answer = door.sctp ? sctp::Answer(packet, name_) : door.prefix + name_;
      sendto(door.socket.get(), answer.data(), answer.size(), 0, from.get(), from.size);
    }
  }

  const std::string name_;
  Control& control_;
  Poller poller_;
  std::vector<Door> doors_;
  FtpServer ftp_;
};

}  // namespace

int Kinds(const KindsOptions& options, Control& control, Reporter& reporter) {
  return Client(options, control, reporter).Run();
}

int ServeKinds(const std::string& name, Control& control) { return Server(name, control).Run(); }

}  // namespace zcluster::traffic
