// SPDX-License-Identifier: Apache-2.0
// zlab-traffic: the clients and the backends of the lab. One verb each; see --help and README.md.
#include <CLI/CLI.hpp>
#include <exception>
#include <string>

#include "tests/lab/traffic/hold.h"
#include "tests/lab/traffic/kinds.h"
#include "tests/lab/traffic/probe.h"
#include "tests/lab/traffic/requests.h"
#include "tests/lab/traffic/serve.h"

namespace {

using namespace zcluster::traffic;

// What the command line says, as text; parsed where it is used.
struct Flags {
  std::string to;
  double seconds = 0;
  Output output;
  uint16_t port = 8080;
  std::string name = "backend";
  size_t connections = 200;
  std::string kinds = "busy";
  uint64_t bytes_per_second = 2000;
  std::string protocol = "udp";
  std::string interval = "1ms";
  std::string threshold = "5ms";
  uint64_t requests_per_second = 100;
  std::string timeout = "3s";
  std::string to6;
};

void AddClientFlags(CLI::App& verb, Flags& flags) {
  verb.add_option("--to", flags.to, "ADDR:PORT or [ADDR6]:PORT")->required();
  verb.add_option("--report", flags.output.file, "write the JSON report to this file");
  verb.add_flag("--text", flags.output.text, "print the last report for people");
  verb.add_option("--seconds", flags.seconds, "end after so long (default: at SIGTERM)");
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app{
      "Traffic for the lab: a backend, long-lived connections, a probe, requests.\n"
      "SIGTERM ends with a report, SIGUSR1 asks for one, SIGUSR2 sets a mark."};
  app.require_subcommand(1);
  CLI::App& serve = *app.add_subcommand("serve", "be a backend: echo TCP and UDP");
  serve.add_option("--port", flags.port, "where to listen")->check(CLI::Range(1, 65535));
  serve.add_option("--name", flags.name, "what to call it in its one line of output");
  CLI::App& hold = *app.add_subcommand("hold", "keep TCP connections, compare each byte");
  AddClientFlags(hold, flags);
  hold.add_option("--connections", flags.connections, "how many")->check(CLI::Range(1, 20000));
  hold.add_option("--kinds", flags.kinds, "in turn: busy,idle,half-open; default busy");
  hold.add_option("--rate", flags.bytes_per_second, "bytes a second on each connection")
      ->check(CLI::Range(10, 500000));
  CLI::App& probe = *app.add_subcommand("probe", "one small probe after the other: the outage");
  AddClientFlags(probe, flags);
  probe.add_option("--protocol", flags.protocol, "udp or tcp-echo")
      ->check(CLI::IsMember({"udp", "tcp-echo"}));
  probe.add_option("--interval", flags.interval, "between two probes");
  probe.add_option("--threshold", flags.threshold, "list gaps from this length on");
  CLI::App& requests = *app.add_subcommand("requests", "a steady load of short connections");
  AddClientFlags(requests, flags);
  requests.add_option("--rate", flags.requests_per_second, "requests a second")
      ->check(CLI::Range(1, 10000));
  requests.add_option("--timeout", flags.timeout, "after which a request has failed");
  CLI::App& kinds = *app.add_subcommand("kinds", "a flow of each kind that conntrack knows");
  kinds.add_option("--to", flags.to, "the VIP, IPv4")->required();
  kinds.add_option("--to6", flags.to6, "and IPv6, without brackets")->required();
  kinds.add_option("--report", flags.output.file, "write the JSON report to this file");
  CLI::App& serve_kinds = *app.add_subcommand("serve-kinds", "be the backend of `kinds`");
  serve_kinds.add_option("--name", flags.name, "what it answers");
  CLI11_PARSE(app, argc, argv);

  Control control(flags.seconds);
  Reporter reporter(flags.output);
  if (serve.parsed()) return Serve(flags.port, flags.name, control);
  if (serve_kinds.parsed()) return ServeKinds(flags.name, control);
  if (kinds.parsed()) return Kinds({flags.to, flags.to6}, control, reporter);
  const Endpoint to = ParseEndpoint(flags.to);
  if (hold.parsed()) {
    return Hold({to, flags.connections, ParseKinds(flags.kinds), flags.bytes_per_second}, control,
                reporter);
  }
  if (probe.parsed()) {
    return Probe({to, flags.protocol != "udp", ParseNanoseconds(flags.interval),
                  ParseNanoseconds(flags.threshold)},
                 control, reporter);
  }
  return Requests({to, flags.requests_per_second, ParseNanoseconds(flags.timeout)}, control,
                  reporter);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Main(argc, argv);
  } catch (const std::exception& error) {
    Die(error.what());
  }
}
