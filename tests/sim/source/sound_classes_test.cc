#include "sim/source/sound_classes.h"

#include <fstream>
#include <set>
#include <string>

#include "gtest/gtest.h"

namespace auricle::sim {
namespace {

TEST(SoundClasses, AreTheRowsOfTheCommittedTableInOrder) {
  std::ifstream table(std::string(AURICLE_SOURCE_DIR) + "/sim/source/classes.tsv");
  ASSERT_TRUE(table.good());
  std::string line;
  std::getline(table, line);
  EXPECT_EQ(line, "name\tlabel\tnoun\tplural\tparent");
  for (const SoundClass& sound : SoundClasses()) {
    ASSERT_TRUE(std::getline(table, line));
    EXPECT_EQ(line, sound.name + "\t" + sound.label + "\t" + sound.noun + "\t" + sound.plural + "\t" + sound.parent);
  }
  EXPECT_FALSE(std::getline(table, line)) << line;
}

TEST(SoundClasses, AreFortyToFortyFiveAndNoTwoSoundAlikeInWords) {
  EXPECT_GE(SoundClasses().size(), 40u);
  EXPECT_LE(SoundClasses().size(), 45u);
  std::set<std::string> names, labels, nouns;
  for (const SoundClass& sound : SoundClasses()) {
    EXPECT_TRUE(names.insert(sound.name).second) << sound.name;
    EXPECT_TRUE(labels.insert(sound.label).second) << sound.label;
    EXPECT_TRUE(nouns.insert(sound.noun).second) << sound.noun;
  }
}

TEST(SoundClasses, AreFoundByName) {
  for (size_t i = 0; i < SoundClasses().size(); ++i)
    EXPECT_EQ(FindSoundClass(SoundClasses()[i].name), static_cast<int>(i));
  EXPECT_EQ(FindSoundClass("unicorn"), -1);
  EXPECT_EQ(FindSoundClass(""), -1);
}

}  // namespace
}  // namespace auricle::sim
