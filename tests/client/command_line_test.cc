#include "client/cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace auricle::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

CommandSpec Spec() {
  CommandSpec spec;
  spec.name = "play";
  spec.positionals = {"CLIP"};
  spec.flags = {{"json", FlagKind::kSwitch, "", "", "as JSON"},
                {"format", FlagKind::kChoice, "ambix|fuma", "ambix", "channels"},
                {"count", FlagKind::kInteger, "N", "3", "how many"},
                {"gain", FlagKind::kReal, "DB", "-1.5", "level"},
                {"choice", FlagKind::kText, "TEXT", "", "an option", true}};
  return spec;
}

TEST(CommandLine, FillsDefaultsAndTakesBothSpellingsOfAValue) {
  const auto parsed = ParseCommandLine(Spec(), {"--count=7", "a.wav", "--gain", "-6", "--choice", "x", "--choice=y=z"});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_THAT(parsed->positionals, ElementsAre("a.wav"));
  EXPECT_EQ(parsed->Integer("count"), 7);
  EXPECT_DOUBLE_EQ(parsed->Real("gain"), -6.0);
  EXPECT_EQ(parsed->Text("format"), "ambix");
  EXPECT_THAT(parsed->Texts("choice"), ElementsAre("x", "y=z"));
  EXPECT_FALSE(parsed->Switch("json"));
}

TEST(CommandLine, TakesASingleDashAsAWordAndEverythingAfterTwoDashes) {
  EXPECT_THAT(ParseCommandLine(Spec(), {"-"})->positionals, ElementsAre("-"));
  EXPECT_THAT(ParseCommandLine(Spec(), {"--", "--json"})->positionals, ElementsAre("--json"));
}

TEST(CommandLine, RefusesWhatItDoesNotKnowAndNamesTheNearest) {
  const struct {
    std::vector<std::string> words;
    const char* complaint;
  } cases[] = {
      {{"a", "--formt", "fuma"}, "did you mean --format?"},
      {{"a", "-format", "fuma"}, "did you mean --format?"},
      {{"a", "--jsno"}, "did you mean --json?"},
      {{"a", "--xyzzy"}, "unknown flag --xyzzy"},
      {{"a", "--format", "wxyz"}, "--format: is \"wxyz\", must be ambix, fuma"},
      {{"a", "--count", "-1"}, "--count: is \"-1\", must be a whole number"},
      {{"a", "--count", "2.5"}, "--count"},
      {{"a", "--count", "99999999999999999999"}, "--count"},
      {{"a", "--gain", "loud"}, "--gain: is \"loud\", must be a number"},
      {{"a", "--gain", "nan"}, "--gain"},
      {{"a", "--count"}, "--count: needs a value"},
      {{"a", "--json=1"}, "--json: takes no value"},
      {{}, "needs CLIP"},
      {{"a", "b"}, "one word too many: \"b\""},
  };
  for (const auto& c : cases) {
    const auto parsed = ParseCommandLine(Spec(), c.words);
    ASSERT_FALSE(parsed.ok()) << c.complaint;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(c.complaint));
  }
}

TEST(CommandLine, UnderstandsHelpWithoutTheRest) {
  EXPECT_TRUE(ParseCommandLine(Spec(), {"--help"})->help);
  EXPECT_THAT(CommandHelp(Spec()), HasSubstr("--count N"));
}

TEST(CommandLine, NamesEveryExitStatusInTheHelp) {
  for (const int status : {kExitOk, kExitRefused, kExitUsage, kExitInterrupted}) {
    EXPECT_THAT(CommandHelp(Spec()), HasSubstr(" " + std::to_string(status) + " "));
  }
}

TEST(CommandLine, OffersTheNearestSpellingAndNoneThatIsFarOff) {
  EXPECT_EQ(NearestSpelling("sceen", {"scene", "ask"}), "scene");
  EXPECT_EQ(NearestSpelling("aks", {"scene", "ask"}), "ask");
  EXPECT_EQ(NearestSpelling("serve", {"scene", "ask", "eval"}), "");
}

}  // namespace
}  // namespace auricle::client
