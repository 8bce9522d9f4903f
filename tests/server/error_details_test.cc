#include "server/runtime/error_details.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace auricle::server {
namespace {

TEST(EchoTest, RepeatsWhatIsShort) {
  EXPECT_EQ(Echo(""), "");
  EXPECT_EQ(Echo("seven"), "seven");
  EXPECT_EQ(Echo(std::string(1024, 'x')), std::string(1024, 'x'));
}

TEST(EchoTest, CutsWhatIsLongBetweenTwoCharacters) {
  EXPECT_EQ(Echo(std::string(100'000, 'x')), std::string(1024, 'x'));
  // Characters of two, three and four bytes, at every distance from the cut.
  const std::vector<std::string> characters = {"\xC3\xA9", "\xE7\x8A\xAC", "\xF0\x9F\x90\x95"};
  for (const std::string& character : characters) {
    for (size_t before = 0; before < character.size(); ++before) {
      std::string sent(before, 'x');
      while (sent.size() < 3000) sent += character;
      const std::string echo = Echo(sent);
      EXPECT_EQ(sent.substr(0, echo.size()), echo);
      EXPECT_EQ((echo.size() - before) % character.size(), 0u);
      EXPECT_LE(echo.size(), 1024u);
      EXPECT_GT(echo.size(), 1024u - character.size());
    }
  }
}

TEST(EchoTest, EndsOnBytesThatAreNoText) { EXPECT_LE(Echo(std::string(5000, '\x80')).size(), 1024u); }

}  // namespace
}  // namespace auricle::server
