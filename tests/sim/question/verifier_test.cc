#include "sim/question/verifier.h"

#include <cmath>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/question/questions.h"
#include "tests/sim/question/synthetic_scenes.h"

namespace auricle::sim {
namespace {

v1::Question Choices(const std::string& letter, std::vector<std::string> options) {
  v1::Question question;
  question.set_form(v1::QUESTION_FORM_MULTIPLE_CHOICE);
  for (std::string& option : options) question.add_options(std::move(option));
  question.mutable_key()->set_letter(letter);
  return question;
}

v1::Question Open(const std::string& task = "") {
  v1::Question question;
  question.set_form(v1::QUESTION_FORM_OPEN);
  question.set_task(task);
  return question;
}

v1::Question Azimuth(double degrees) {
  v1::Question question = Open("estimate_azimuth");
  question.mutable_key()->set_azimuth_deg(degrees);
  return question;
}
v1::Question Elevation(double degrees) {
  v1::Question question = Open("estimate_elevation");
  question.mutable_key()->set_elevation_deg(degrees);
  return question;
}
v1::Question Distance(double metres) {
  v1::Question question = Open("estimate_distance");
  question.mutable_key()->set_distance_m(metres);
  return question;
}
v1::Question Seconds(double seconds, const std::string& task) {
  v1::Question question = Open(task);
  question.mutable_key()->set_seconds(seconds);
  return question;
}
v1::Question Classes(std::vector<std::string> names) {
  v1::Question question = Open("detect_sources");
  for (std::string& name : names) question.mutable_key()->mutable_classes()->add_class_names(std::move(name));
  return question;
}
v1::Question Choice(const std::string& value, std::vector<std::string> allowed) {
  v1::Question question = Open();
  question.mutable_key()->mutable_choice()->set_value(value);
  for (std::string& one : allowed) question.mutable_key()->mutable_choice()->add_allowed(std::move(one));
  return question;
}

#define EXPECT_RIGHT(question, answer) \
  EXPECT_TRUE(Verify(question, answer).correct()) << "\"" << answer << "\": " << Verify(question, answer).explanation()
#define EXPECT_WRONG(question, answer) \
  EXPECT_FALSE(Verify(question, answer).correct()) << "\"" << answer << "\": " << Verify(question, answer).explanation()

TEST(VerifierTest, ReadsLettersAsPeopleWriteThem) {
  const v1::Question question = Choices("B", {"right", "left", "behind", "in front"});
  for (const char* answer :
       {"B", "b", "(b)", "B.", "B)", "Answer: B.", "The answer is B", "B. left", "b - left", "**B**", "Option B",
        "left", "Left.", " LEFT ", "It is on the left.", "B: left", "\"B\""}) {
    EXPECT_RIGHT(question, answer);
  }
  for (const char* answer : {"A", "(c)", "Answer: D.", "behind", "right", "A. right"}) EXPECT_WRONG(question, answer);
  for (const char* answer : {"", "   ", "E", "maybe", "42"}) {
    EXPECT_WRONG(question, answer);
    EXPECT_FALSE(Verify(question, answer).parsed()) << answer;
  }
}

TEST(VerifierTest, SeveralLettersAreNoAnswer) {
  const v1::Question question = Choices("B", {"right", "left", "behind", "in front"});
  for (const char* answer : {"A or B", "B or C", "A, B, C, D", "B. left C. behind", "left or behind", "a and b"}) {
    EXPECT_WRONG(question, answer);
    EXPECT_EQ(Verify(question, answer).reward(), 0.0) << answer;
  }
}

TEST(VerifierTest, TheArticleIsNotTheLetterA) {
  const v1::Question question = Choices("C", {"a dog", "a bell", "a cow", "a dog and a bell"});
  EXPECT_RIGHT(question, "a cow");
  EXPECT_RIGHT(question, "It is a cow.");
  EXPECT_RIGHT(question, "C. a cow");
  EXPECT_WRONG(question, "A");
  EXPECT_WRONG(question, "A. a dog");
  EXPECT_WRONG(question, "a dog and a bell");
  EXPECT_RIGHT(Choices("D", {"a dog", "a bell", "a cow", "a dog and a bell"}), "I hear a dog and a bell");
}

TEST(VerifierTest, ReadsAzimuthsInDegreesWordsAndClockHours) {
  for (const char* answer :
       {"40 degrees left", "About 40 degrees to the left.", "45 deg to your left", "45\xC2\xB0 left", "+40 degrees",
        "azimuth 40 degrees", "front-left", "Front left", "to the front and left", "in front of you, to the left",
        "forty-five degrees to the left", "at your 11 o'clock", "40", "left, 40 degrees",
        "40 degrees to the left, 10 degrees up, 2 m away", "The dog is 2.1 m away, 40 degrees left",
        "between 30 and 50 degrees left"}) {
    EXPECT_RIGHT(Azimuth(40), answer);
  }
  for (const char* answer : {"40 degrees right", "-40 degrees",
                             "\xE2\x88\x92"
                             "40\xC2\xB0",
                             "front-right", "behind", "90 degrees left", "right", "3 o'clock", "40 degrees up",
                             "left or right", "40 degrees left or 120 degrees right"}) {
    EXPECT_WRONG(Azimuth(40), answer);
  }
  for (const char* answer : {"-45 degrees", "45 degrees right", "front-right", "right, 45 degrees", "1 o'clock"}) {
    EXPECT_RIGHT(Azimuth(-42), answer);
  }
  for (const char* answer : {"behind you", "directly behind", "right behind you", "180 degrees", "at the back",
                             "-175 degrees", "behind you slightly left", "6 o'clock", "175 degrees right"}) {
    EXPECT_RIGHT(Azimuth(178), answer);
  }
  for (const char* answer :
       {"left", "to your left", "on the left-hand side", "9 o'clock", "ninety degrees to the left"}) {
    EXPECT_RIGHT(Azimuth(90), answer);
  }
  for (const char* answer :
       {"straight ahead", "in front", "right in front of you", "12 o'clock", "0 degrees", "dead ahead"}) {
    EXPECT_RIGHT(Azimuth(-3), answer);
  }
  EXPECT_RIGHT(Azimuth(-135), "back-right");
  EXPECT_RIGHT(Azimuth(-135), "behind you, 45 degrees to the right");
  EXPECT_WRONG(Azimuth(-45), "back-right");
  EXPECT_FALSE(Verify(Azimuth(40), "I cannot tell").parsed());
}

TEST(VerifierTest, ReadsElevations) {
  for (const char* answer :
       {"20 degrees up", "20 degrees above", "about 25 degrees above you", "+20", "elevation 20 degrees",
        "40 degrees left, 20 degrees up", "up 20 degrees", "twenty degrees higher than you"}) {
    EXPECT_RIGHT(Elevation(20), answer);
  }
  for (const char* answer : {"20 degrees down", "-20 degrees", "level", "20 degrees left", "below you", "overhead"}) {
    EXPECT_WRONG(Elevation(20), answer);
  }
  for (const char* answer :
       {"level", "Level with you", "at ear level", "0 degrees", "at the same height", "5 degrees down"}) {
    EXPECT_RIGHT(Elevation(2), answer);
  }
  EXPECT_RIGHT(Elevation(-30), "30 degrees below the horizon");
  EXPECT_RIGHT(Elevation(85), "directly above you");
}

TEST(VerifierTest, ReadsDistancesInEveryUnit) {
  for (const char* answer :
       {"2.5 m", "2.5 metres", "2.5 meters away", "250 cm", "two and a half metres", "two point five m", "about 2-3 m",
        "2 to 3 metres", "8 feet", "2.5", "40 degrees left, 2.5 m"}) {
    EXPECT_RIGHT(Distance(2.5), answer);
  }
  for (const char* answer : {"4 m", "1.4 metres", "25 cm", "2.5 km away or 9 m", "2.5 or 9 m", "-2.5 m"}) {
    EXPECT_WRONG(Distance(2.5), answer);
  }
  EXPECT_RIGHT(Distance(0.5), "half a metre");
  EXPECT_FALSE(Verify(Distance(2.5), "2.5 s").parsed());
}

TEST(VerifierTest, ReadsTimesAndSpans) {
  EXPECT_RIGHT(Seconds(1.2, "detect_time"), "at 1.2 s");
  EXPECT_RIGHT(Seconds(1.2, "detect_time"), "1500 ms");
  EXPECT_RIGHT(Seconds(1.2, "detect_time"), "after 1.5 seconds");
  EXPECT_WRONG(Seconds(1.2, "detect_time"), "1.7 s");
  EXPECT_RIGHT(Seconds(0.2, "estimate_reverberation"), "0.3 s");
  EXPECT_WRONG(Seconds(0.2, "estimate_reverberation"), "0.35 s");
  EXPECT_RIGHT(Seconds(1.0, "estimate_reverberation"), "1.3 s");
  v1::Question span = Open("detect_time");
  span.mutable_key()->mutable_span()->set_start_seconds(0.5);
  span.mutable_key()->mutable_span()->set_end_seconds(2.5);
  for (const char* answer : {"from 0.5 to 2.3 s", "between 0.5 and 2.5 seconds", "0.5-2.5 s", "0.5 s to 2.5 s",
                             "0.4 \xE2\x80\x93 2.6 seconds", "from 500 ms until 2.4 s"}) {
    EXPECT_RIGHT(span, answer);
  }
  for (const char* answer : {"from 2 to 4 s", "0.5 s", "from 0 to 10 s"}) EXPECT_WRONG(span, answer);
}

TEST(VerifierTest, ReadsCountsVolumesAndAngles) {
  v1::Question count = Open("count_sources");
  count.mutable_key()->set_count(2);
  for (const char* answer : {"2", "two", "There are two sounds.", "2."}) EXPECT_RIGHT(count, answer);
  for (const char* answer : {"3", "one", "2 or 3", "none", "2.5"}) EXPECT_WRONG(count, answer);
  count.mutable_key()->set_count(0);
  EXPECT_RIGHT(count, "None.");
  EXPECT_RIGHT(count, "zero");
  v1::Question volume = Open("estimate_room_size");
  volume.mutable_key()->set_volume_m3(100);
  for (const char* answer : {"100 m3", "120 cubic metres", "about 80 m\xC2\xB3", "a hundred cubic meters", "140 m^3"}) {
    EXPECT_RIGHT(volume, answer);
  }
  for (const char* answer : {"160 m3", "60 m3", "100 m", "open air"}) EXPECT_WRONG(volume, answer);
  v1::Question angle = Open("angular_separation");
  angle.mutable_key()->set_angle_deg(100);
  EXPECT_RIGHT(angle, "90 degrees");
  EXPECT_WRONG(angle, "70 degrees");
}

TEST(VerifierTest, ReadsListsOfSounds) {
  for (const char* answer :
       {"A dog and a bell.", "a bell, a dog", "dogs barking, bells", "I hear a dog barking and a bell ringing"}) {
    EXPECT_RIGHT(Classes({"dog", "bell"}), answer);
  }
  for (const char* answer : {"a dog", "a dog, a bell and a cow", "a cow", "a dog but no bell"}) {
    EXPECT_WRONG(Classes({"dog", "bell"}), answer);
  }
  EXPECT_GT(Verify(Classes({"dog", "bell"}), "a dog").reward(), 0.0);
  EXPECT_LT(Verify(Classes({"dog", "bell"}), "a dog").reward(), 1.0);
  EXPECT_RIGHT(Classes({"dog"}), "The dog is closer than the bell.");
  EXPECT_RIGHT(Classes({"dog"}), "The dog, not the bell.");
  EXPECT_RIGHT(Classes({"dog"}), "Not the bell but the dog.");
  EXPECT_WRONG(Classes({"dog"}), "The dog or the bell.");
  EXPECT_EQ(Verify(Classes({"dog"}), "a dog, a bell, a cow").reward(), 0.0);
}

TEST(VerifierTest, ReadsClosedChoices) {
  const v1::Question yes = Choice("yes", {"yes", "no"});
  EXPECT_RIGHT(yes, "Yes.");
  EXPECT_RIGHT(yes, "yes, there is a dog");
  EXPECT_WRONG(yes, "No.");
  EXPECT_WRONG(yes, "yes and no");
  EXPECT_RIGHT(Choice("no", {"yes", "no"}), "No, I do not hear a dog.");
  EXPECT_RIGHT(Choice("left", {"left", "right"}), "To the left of the bell.");
  EXPECT_WRONG(Choice("left", {"left", "right"}), "It is on the right.");
  EXPECT_WRONG(Choice("left", {"left", "right"}), "left or right");
  const v1::Question absent = Choice("absent", {"absent", "present"});
  EXPECT_RIGHT(absent, "There is no elephant.");
  EXPECT_RIGHT(absent, "I don't hear a dog");
  EXPECT_WRONG(absent, "40 degrees left");
  EXPECT_WRONG(absent, "It is behind you.");
  const v1::Question place = Choice("an echoing room", {"outdoors", "a dry room", "an echoing room"});
  EXPECT_RIGHT(place, "An echoing room.");
  EXPECT_RIGHT(place, "a reverberant room");
  EXPECT_WRONG(place, "a dry room");
  EXPECT_WRONG(place, "outside");
  EXPECT_WRONG(place, "a room");
}

TEST(VerifierTest, ABindingNeedsAllItsParts) {
  v1::Question question = Open("bind_identity_location_distance");
  v1::Binding& binding = *question.mutable_key()->mutable_binding();
  binding.set_class_name("dog");
  binding.set_azimuth_deg(-60);
  binding.set_distance_m(2.0);
  EXPECT_RIGHT(question, "A dog, 60 degrees right, 2 m.");
  EXPECT_RIGHT(question, "A dog barking about 2.5 metres away, 50 degrees to the right");
  EXPECT_WRONG(question, "A dog, 60 degrees left, 2 m.");
  EXPECT_WRONG(question, "A bell, 60 degrees right, 2 m.");
  EXPECT_WRONG(question, "A dog, 60 degrees right, 6 m.");
  EXPECT_WRONG(question, "A dog, 60 degrees right.");
  EXPECT_GT(Verify(question, "A dog, 60 degrees right, 6 m.").reward(), Verify(question, "A cow.").reward());
}

TEST(VerifierTest, RewardFallsWithTheErrorAndOnlyTheRightEarnIt) {
  double last = 1.0;
  for (int error = 0; error <= 180; error += 5) {
    const v1::Verdict verdict = Verify(Azimuth(0), absl::StrCat(error, " degrees left"));
    EXPECT_EQ(verdict.correct(), error <= 20) << error;
    EXPECT_EQ(verdict.reward() == 1.0, verdict.correct()) << error;
    EXPECT_LE(verdict.reward(), last) << error;
    EXPECT_GE(verdict.reward(), 0.0);
    last = verdict.reward();
  }
  EXPECT_EQ(last, 0.0);
}

// What generated questions take: a value just inside the tolerance is right, one just outside is wrong.
TEST(VerifierTest, ToleranceIsTheBorderForGeneratedQuestions) {
  QuestionOptions options;
  options.form = AskForm::kOpen;
  options.per_scene = 0;
  int checked = 0;
  for (uint64_t i = 0; i < 200; ++i) {
    Random random(31, i, "tolerance");
    for (const v1::Question& question : AskAbout(DrawScene(i), options, random)) {
      const v1::AnswerKey& key = question.key();
      double truth = 0, tolerance = 0;
      std::string unit;
      if (key.value_case() == v1::AnswerKey::kAzimuthDeg) truth = key.azimuth_deg(), tolerance = 20, unit = "degrees";
      if (key.value_case() == v1::AnswerKey::kElevationDeg)
        truth = key.elevation_deg(), tolerance = 10, unit = "degrees";
      if (key.value_case() == v1::AnswerKey::kAngleDeg) truth = key.angle_deg(), tolerance = 20, unit = "degrees";
      if (key.value_case() == v1::AnswerKey::kDistanceM) {
        truth = key.distance_m(), tolerance = std::max(1.0, 0.3 * truth), unit = "m";
      }
      if (key.value_case() == v1::AnswerKey::kSeconds) {
        truth = key.seconds(), unit = "s";
        tolerance = question.task() == "estimate_reverberation" ? std::max(0.1, 0.3 * truth) : 0.4;
      }
      if (unit.empty()) continue;
      const double sign = random.Chance(0.5) ? 1 : -1;
      EXPECT_RIGHT(question, absl::StrCat(truth + sign * 0.98 * tolerance, " ", unit));
      EXPECT_WRONG(question, absl::StrCat(truth + sign * 1.02 * tolerance, " ", unit));
      ++checked;
    }
  }
  EXPECT_GT(checked, 500);
}

TEST(VerifierTest, CaseAndWhiteSpaceDoNotMatter) {
  QuestionOptions options;
  options.per_scene = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    Random random(37, i, "case");
    for (const v1::Question& question : AskAbout(DrawScene(i), options, random)) {
      const std::string answer = AnswerText(question);
      std::string spaced = "\n\t ";
      for (char c : answer) spaced += c == ' ' ? "  \t " : std::string(1, c);
      for (const std::string& variant :
           {absl::AsciiStrToUpper(answer), absl::AsciiStrToLower(answer), spaced + " \r\n"}) {
        EXPECT_RIGHT(question, variant);
      }
    }
  }
}

TEST(VerifierTest, AnyBytesGetAVerdictWithAFiniteReward) {
  std::vector<v1::Question> questions;
  QuestionOptions options;
  options.per_scene = 0;
  for (uint64_t i = 0; i < 5; ++i) {
    Random random(41, i, "bytes");
    for (v1::Question& question : AskAbout(DrawScene(i), options, random)) questions.push_back(std::move(question));
  }
  const std::vector<std::string> pieces = {"left",  "right", "40",       "degrees", " ",       ",",   "-",    "m",
                                           "\xC2",  "\xB0",  "\xE2\x88", "\0",      "A",       "no",  "dog",  "to",
                                           "1e999", ".",     "o'clock",  "half",    "hundred", "and", "point"};
  Random random(43, 0, "bytes");
  for (int round = 0; round < 300; ++round) {
    std::string answer;
    const size_t length = random.Index(60);
    for (size_t i = 0; i < length; ++i) {
      if (random.Chance(0.5)) {
        answer += pieces[random.Index(pieces.size())];
      } else {
        answer += static_cast<char>(random.Int(0, 255));
      }
    }
    for (const v1::Question& question : questions) {
      const v1::Verdict verdict = Verify(question, answer);
      EXPECT_TRUE(std::isfinite(verdict.reward()));
      EXPECT_GE(verdict.reward(), 0.0);
      EXPECT_LE(verdict.reward(), 1.0);
      EXPECT_EQ(verdict.correct(), verdict.reward() == 1.0);
      EXPECT_TRUE(verdict.parsed() || !verdict.correct());
    }
  }
}

TEST(VerifierTest, OnlyTheFirstFourKilobytesAreRead) {
  const std::string filler(kMaxAnswerBytes, ' ');
  EXPECT_WRONG(Distance(2.5), filler + "2.5 m");
  EXPECT_RIGHT(Distance(2.5), "2.5 m" + filler + "90 m");
  EXPECT_FALSE(Verify(Azimuth(0), std::string(1 << 22, '9')).correct());
}

TEST(VerifierTest, AQuestionWithoutAKeyIsNotJudged) {
  EXPECT_FALSE(Verify(v1::Question(), "B").parsed());
  EXPECT_FALSE(Verify(Open(), "40 degrees left").parsed());
  EXPECT_FALSE(Verify(Choices("", {"a", "b", "c", "d"}), "B").parsed());
}

}  // namespace
}  // namespace auricle::sim
