#include "model/text/bpe_trainer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "model/text/tokenizer.h"

namespace auricle::model {
namespace {

const std::vector<std::string_view> kSpecial = {"<|endoftext|>", "<|im_end|>"};

std::shared_ptr<const Tokenizer> Train(const std::vector<std::string>& lines, int vocab_size) {
  return Tokenizer::FromJson(TrainBpe(lines, vocab_size, kSpecial).value(), "trained").value();
}

TEST(BpeTrainerTest, MergesTheMostFrequentPairFirst) {
  // Gage's textbook example, "aaabdaaabac": aa, then ab (a tie with aaa..., smaller ids first), then what remains.
  const std::vector<std::string> lines = {"aaabdaaabac"};
  const nlohmann::json file = nlohmann::json::parse(TrainBpe(lines, 256 + 2 + 2, kSpecial).value());
  ASSERT_EQ(file["model"]["merges"].size(), 2u);
  EXPECT_EQ(file["model"]["merges"][0], (nlohmann::json{"a", "a"}));
  EXPECT_EQ(file["model"]["merges"][1], (nlohmann::json{"a", "b"}));
}

TEST(BpeTrainerTest, StopsWhereNoPairOccursTwice) {
  const nlohmann::json file =
      nlohmann::json::parse(TrainBpe(std::vector<std::string>{"abc", "ab"}, 1000, kSpecial).value());
  EXPECT_EQ(file["model"]["merges"].size(), 1u);  // ab twice; abc only once
  EXPECT_EQ(file["model"]["vocab"].size(), 257u);
}

TEST(BpeTrainerTest, GivesFrequentWordsOneTokenAndSpecialTokensTheLastIds) {
  std::vector<std::string> lines(20, "Where is the dog? Where is the bell?");
  const auto tokenizer = Train(lines, 300);
  EXPECT_EQ(tokenizer->Encode("Where is the dog?", SpecialTokens::kAsText)->size(), 5u);
  EXPECT_EQ(tokenizer->AddedToken("<|im_end|>"), tokenizer->size() - 1);
}

TEST(BpeTrainerTest, DecodesAnyUtf8BackToItsNormalForm) {
  const auto tokenizer = Train({"the dog barks", "the bell rings"}, 270);
  for (const std::string& text :
       {std::string("naïve 犬 🐕\r\n\t x"), std::string("\0\x01\x7f", 3), std::string("12345")}) {
    EXPECT_EQ(tokenizer->Decode(*tokenizer->Encode(text, SpecialTokens::kAsText), true), text);
  }
}

TEST(BpeTrainerTest, DoesNotDependOnTheOrderOfTheLines) {
  std::vector<std::string> lines = {"the dog barks", "a bell rings", "the bell barks", "dogs and dogs"};
  const std::string forward = TrainBpe(lines, 280, kSpecial).value();
  std::reverse(lines.begin(), lines.end());
  EXPECT_EQ(TrainBpe(lines, 280, kSpecial).value(), forward);
}

TEST(BpeTrainerTest, NamesTheWrongArgument) {
  EXPECT_EQ(TrainBpe({}, 257, kSpecial).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(TrainBpe({}, 257, kSpecial).status().message().find("258"), absl::string_view::npos);
  EXPECT_EQ(TrainBpe(std::vector<std::string>{"ok", "\xFF"}, 300, kSpecial).status().message(),
            "line 1 is not valid UTF-8");
  const std::vector<std::string_view> twice = {"<a>", "<a>"};
  EXPECT_EQ(TrainBpe({}, 300, twice).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace auricle::model
