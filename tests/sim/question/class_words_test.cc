#include "sim/question/class_words.h"

#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/question/answer_parser.h"
#include "sim/question/tasks.h"
#include "sim/source/sound_classes.h"

namespace auricle::sim {
namespace {

using ::testing::ElementsAre;

TEST(ClassWordsTest, EveryClassOfTheTableHasWordsOfItsOwn) {
  std::set<std::string> nouns;
  ASSERT_EQ(AllClassWords().size(), SoundClasses().size());
  for (const SoundClass& sound : SoundClasses()) {
    const ClassWords* words = FindClassWords(sound.name);
    ASSERT_NE(words, nullptr) << sound.name;
    EXPECT_EQ(words->label, sound.label);
    EXPECT_TRUE(nouns.insert(words->noun).second) << words->noun << " names two classes";
    EXPECT_EQ(words->noun.find(" or "), std::string::npos) << "a question about two things: " << words->noun;
  }
}

TEST(ClassWordsTest, EveryNameOfAClassIsReadAsThatClassAndNoOther) {
  for (const ClassWords& words : AllClassWords()) {
    std::vector<std::string> texts = words.synonyms;
    texts.insert(texts.end(), {words.noun, words.a_noun, words.the_noun, words.plural, words.label});
    for (const std::string& text : texts) {
      EXPECT_THAT(FindClasses(TokeniseAnswer("I hear " + text + "."), {}), ElementsAre(words.name)) << text;
    }
  }
}

TEST(ClassWordsTest, AClassOutsideTheVocabularyIsNamedAfterItsKey) {
  const ClassWords words = DeriveClassWords("vuvuzela_blow", "a vuvuzela being blown");
  EXPECT_EQ(words.the_noun, "the vuvuzela blow");
  const std::vector<ClassWords> extra = {words};
  EXPECT_THAT(FindClasses(TokeniseAnswer("A vuvuzela being blown"), extra), ElementsAre("vuvuzela_blow"));
}

TEST(TasksTest, TwentySixTasksOfThreeLevelsAreFoundByTheirNames) {
  std::set<std::string_view> names;
  int levels[4] = {};
  for (const TaskInfo& info : AllTasks()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(FindTask(info.name), &InfoOf(info.task)) << info.name << " is out of the enum's order";
    ++levels[info.level];
  }
  EXPECT_THAT(levels, ElementsAre(0, 9, 10, 7));
  EXPECT_EQ(FindTask("estimate_colour"), nullptr);
}

}  // namespace
}  // namespace auricle::sim
