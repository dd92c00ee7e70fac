// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/yaml.h"
#include "zcluster/v1/config.pb.h"

namespace zcluster {
namespace {

namespace pb = google::protobuf;

// Reads back what was written, into an equal message.
testing::AssertionResult ComesBack(const pb::Message& message) {
  const std::string text = WriteYaml(message);
  const std::unique_ptr<pb::Message> read(message.New());
  YamlDocument document;
  const absl::Status status = document.Read("written", text, *read);
  if (!status.ok()) return testing::AssertionFailure() << status << " in\n" << text;
  std::string difference;
  pb::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  if (!differencer.Compare(message, *read))
    return testing::AssertionFailure() << difference << " in\n" << text;
  return testing::AssertionSuccess();
}

TEST(WriteYaml, IsAPageThatAnOperatorCouldHaveWritten) {
  v1::PairConfig config;
  config.set_name("lab");
  config.mutable_vrrp()->set_router_id(51);
  config.mutable_vrrp()->mutable_advert_interval()->set_nanos(100'000'000);
  config.set_failback(v1::FAILBACK_PREFERRED);
  config.set_preferred("node1.example.net");
  config.add_vips()->set_address("192.0.2.10/24");
  config.mutable_vips(0)->set_interface("eth0");
  config.add_vips()->set_address("2001:db8::10/64");
  config.mutable_conntrack()->set_replicate(false);
  config.add_roots()->set_path("/etc/haproxy");
  config.mutable_roots(0)->add_exclude("*.tmp");
  v1::PairConfig::Command& command = *config.add_commands();
  command.set_name("say");
  command.set_summary("Says one word to both");
  command.add_argv("/usr/bin/echo");
  command.add_argv("{word}");
  command.add_arguments()->set_name("word");
  command.mutable_arguments(0)->set_pattern("[a-z]+\\d");
  command.mutable_timeout()->set_seconds(5400);
  v1::PairConfig::Operator& anna = *config.add_operators();
  anna.set_name("anna");
  anna.set_role(v1::RIGHT_ADMIN);
  config.set_generation(12);
  EXPECT_EQ(WriteYaml(config), R"(name: lab
vrrp:
  router_id: 51
  advert_interval: 100ms
failback: PREFERRED
preferred: node1.example.net
vips:
  - address: 192.0.2.10/24
    interface: eth0
  - address: "2001:db8::10/64"
conntrack:
  replicate: false
roots:
  - path: /etc/haproxy
    exclude: ["*.tmp"]
commands:
  - name: say
    summary: Says one word to both
    argv: [/usr/bin/echo, "{word}"]
    arguments:
      - name: word
        pattern: "[a-z]+\\d"
    timeout: 1h30m
operators:
  - name: anna
    role: ADMIN
generation: 12
)");
  EXPECT_TRUE(ComesBack(config));
}

TEST(WriteYaml, WritesTheEmptyMessageAsADocument) {
  EXPECT_EQ(WriteYaml(v1::AgentConfig()), "{}\n");
  EXPECT_TRUE(ComesBack(v1::AgentConfig()));
}

TEST(WriteYaml, KeepsASectionThatIsThereButEmpty) {
  v1::PairConfig config;
  config.mutable_conntrack();
  config.add_vips();
  config.add_vips()->set_interface("eth0");
  EXPECT_EQ(WriteYaml(config), "vips:\n  - {}\n  - interface: eth0\nconntrack: {}\n");
  EXPECT_TRUE(ComesBack(config));
}

TEST(WriteYaml, BreaksAListThatIsTooLongForALine) {
  v1::AgentConfig config;
  for (int i = 0; i < 3; ++i) config.add_programs(absl::StrCat("/usr/bin/", std::string(40, 'x')));
  EXPECT_EQ(WriteYaml(config),
            absl::StrCat("programs:\n  - ", config.programs(0), "\n  - ", config.programs(0),
                         "\n  - ", config.programs(0), "\n"));
  EXPECT_TRUE(ComesBack(config));
}

TEST(WriteYaml, WritesAnEnumThatItDoesNotKnowSoThatNobodyReadsAnother) {
  v1::PairConfig config;
  config.set_failback(static_cast<v1::Failback>(77));
  EXPECT_EQ(WriteYaml(config), "failback: 77\n");
  EXPECT_FALSE(ComesBack(config));
}

struct Written {
  const char* text;
  const char* yaml;
};

TEST(WriteYaml, QuotesWhatIsNotPlainlyThatText) {
  for (const Written& c : {Written{"lab", "lab"},
                           Written{"eth0.5", "eth0.5"},
                           Written{"10.0.0.1", "10.0.0.1"},
                           Written{"two words", "two words"},
                           Written{"51", "\"51\""},
                           Written{"1.5", "\"1.5\""},
                           Written{"1.2.3.", "\"1.2.3.\""},
                           Written{"2024-01-02", "\"2024-01-02\""},
                           Written{"0x1F", "\"0x1F\""},
                           Written{"1e3", "\"1e3\""},
                           Written{"-1", "\"-1\""},
                           Written{"- a", "\"- a\""},
                           Written{".inf", "\".inf\""},
                           Written{"---", "\"---\""},
                           Written{"...", "\"...\""},
                           Written{"true", "\"true\""},
                           Written{"False", "\"False\""},
                           Written{"no", "\"no\""},
                           Written{"Y", "\"Y\""},
                           Written{"null", "\"null\""},
                           Written{"~", "\"~\""},
                           Written{"a: b", "\"a: b\""},
                           Written{"a #b", "\"a #b\""},
                           Written{"a, b", "\"a, b\""},
                           Written{"{a}", "\"{a}\""},
                           Written{"[a]", "\"[a]\""},
                           Written{"&a", "\"&a\""},
                           Written{"*a", "\"*a\""},
                           Written{"!a", "\"!a\""},
                           Written{"|", "\"|\""},
                           Written{">", "\">\""},
                           Written{"%a", "\"%a\""},
                           Written{"@a", "\"@a\""},
                           Written{"=", "\"=\""},
                           Written{" a", "\" a\""},
                           Written{"a ", "\"a \""},
                           Written{"it's", "\"it's\""},
                           Written{"a\"b\\c", "\"a\\\"b\\\\c\""},
                           Written{"a\nb\tc\rd", "\"a\\nb\\tc\\x0Dd\""},
                           Written{"\x7f", "\"\\x7F\""},
                           Written{"\xc2\x85", "\"\\x85\""},
                           Written{"\xe2\x80\xa8", "\"\\L\""},
                           Written{"\xef\xbb\xbf", "\"\\uFEFF\""},
                           Written{"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""}}) {
    v1::PairConfig config;
    config.set_name(c.text);
    EXPECT_EQ(WriteYaml(config), absl::StrCat("name: ", c.yaml, "\n"));
    EXPECT_TRUE(ComesBack(config));
  }
}

TEST(WriteYaml, KeepsEveryCharacterThatAByteOrTwoCanBe) {
  for (int c = 0; c < 0x800; ++c) {
    v1::PairConfig config;
    std::string text;
    if (c < 0x80) {
      text.push_back(static_cast<char>(c));
    } else {
      text.push_back(static_cast<char>(0xc0 | (c >> 6)));
      text.push_back(static_cast<char>(0x80 | (c & 0x3f)));
    }
    config.add_roots()->add_exclude(text);
    config.mutable_roots(0)->add_exclude(absl::StrCat("a", text, "b"));
    config.mutable_roots(0)->set_path(absl::StrCat(text, text));
    EXPECT_TRUE(ComesBack(config)) << c;
  }
}

TEST(WriteYaml, KeepsATextLongerThanAnyLine) {
  v1::PairConfig config;
  config.set_name(std::string(100000, 'x'));
  config.add_roots()->set_path(absl::StrCat("a: ", std::string(100000, 'y')));
  EXPECT_TRUE(ComesBack(config));
}

// Messages without rhyme or reason, of any shape that the schema allows.
class Chaos {
 public:
  explicit Chaos(uint32_t seed) : random_(seed) {}

  void Fill(pb::Message& message) {
    for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
      const pb::FieldDescriptor& field = *message.GetDescriptor()->field(i);
      if (field.is_repeated()) {
        for (int n = Below(4); n > 0; --n) Add(message, field);
      } else if (Below(3) != 0) {
        Set(message, field);
      }
    }
    if (message.GetDescriptor() == pb::Duration::descriptor()) {
      auto& duration = static_cast<pb::Duration&>(message);
      duration.set_seconds(Below(2) * Below(24 * 3650 * 3600));
      duration.set_nanos(Below(2) == 0 ? Below(1000) * 1'000'000 : Below(1'000'000'000));
    }
  }

 private:
  int Below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }

  std::string Text() {
    static const std::vector<std::string> kPieces = {"a",
                                                     "Z",
                                                     "7",
                                                     "0",
                                                     "-",
                                                     ".",
                                                     ":",
                                                     ": ",
                                                     "#",
                                                     " #",
                                                     "{",
                                                     "}",
                                                     "[",
                                                     "]",
                                                     ",",
                                                     "&",
                                                     "*",
                                                     "!",
                                                     "|",
                                                     ">",
                                                     "'",
                                                     "\"",
                                                     "%",
                                                     "@",
                                                     "`",
                                                     "\\",
                                                     "\n",
                                                     "\r",
                                                     "\t",
                                                     " ",
                                                     "~",
                                                     "?",
                                                     "- ",
                                                     "\x1",
                                                     "\x04",
                                                     "/",
                                                     "\x7f",
                                                     "=",
                                                     "<<",
                                                     "---",
                                                     "...",
                                                     "\n\n",
                                                     "null",
                                                     "true",
                                                     "\xc2\x85",
                                                     "\xe2\x80\xa9",
                                                     "\xef\xbb\xbf",
                                                     "\xc3\xa9",
                                                     "\xf0\x9f\x90\x98",
                                                     "1e5",
                                                     "0x",
                                                     "\\n",
                                                     "$",
                                                     "${a}",
                                                     "no",
                                                     std::string(1, '\0')};
    std::string text;
    for (int n = Below(6); n > 0; --n)
      text += kPieces[static_cast<size_t>(Below(static_cast<int>(kPieces.size())))];
    return text;
  }

  void Add(pb::Message& message, const pb::FieldDescriptor& field) {
    const pb::Reflection& reflection = *message.GetReflection();
    if (field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE) {
      Fill(*reflection.AddMessage(&message, &field));
    } else {
      ASSERT_EQ(field.cpp_type(), pb::FieldDescriptor::CPPTYPE_STRING) << field.full_name();
      reflection.AddString(&message, &field, Text());
    }
  }

  void Set(pb::Message& message, const pb::FieldDescriptor& field) {
    const pb::Reflection& reflection = *message.GetReflection();
    switch (field.cpp_type()) {
      case pb::FieldDescriptor::CPPTYPE_MESSAGE:
        return Fill(*reflection.MutableMessage(&message, &field));
      case pb::FieldDescriptor::CPPTYPE_STRING:
        return reflection.SetString(&message, &field, Text());
      case pb::FieldDescriptor::CPPTYPE_BOOL:
        return reflection.SetBool(&message, &field, Below(2) == 0);
      case pb::FieldDescriptor::CPPTYPE_UINT32:
        return reflection.SetUInt32(&message, &field, static_cast<uint32_t>(random_()));
      case pb::FieldDescriptor::CPPTYPE_UINT64:
        return reflection.SetUInt64(&message, &field, uint64_t{random_()} << 32 | random_());
      case pb::FieldDescriptor::CPPTYPE_ENUM:
        return reflection.SetEnumValue(&message, &field, Below(field.enum_type()->value_count()));
      default:
        // Seconds and nanoseconds of a duration are set as one.
        return;
    }
  }

  std::mt19937 random_;
};

template <typename Message>
class WriteYamlAnything : public testing::Test {};
using Files = testing::Types<v1::PairConfig, v1::AgentConfig>;
TYPED_TEST_SUITE(WriteYamlAnything, Files);

TYPED_TEST(WriteYamlAnything, ComesBackFromItsText) {
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    TypeParam message;
    Chaos(seed).Fill(message);
    ASSERT_TRUE(ComesBack(message)) << "seed " << seed;
  }
}

TYPED_TEST(WriteYamlAnything, HasOneTextAndThatIsPrintable) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    TypeParam message, read;
    Chaos(seed).Fill(message);
    const std::string text = WriteYaml(message);
    YamlDocument document;
    ASSERT_TRUE(document.Read("written", text, read).ok());
    EXPECT_EQ(WriteYaml(read), text) << "seed " << seed;
    for (const char c : text)
      ASSERT_TRUE(c == '\n' || !absl::ascii_iscntrl(static_cast<unsigned char>(c))) << text;
  }
}

}  // namespace
}  // namespace zcluster
