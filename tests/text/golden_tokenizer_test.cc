// The tokeniser against shared/reference/golden/bpe-tiny: ids, pieces and decoded texts by Hugging Face's tokenizers.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "model/text/stream_decoder.h"
#include "model/text/tokenizer.h"

namespace auricle::model {
namespace {

using nlohmann::json;

class GoldenTokenizerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(folder_)) GTEST_SKIP() << folder_ << " is absent";
    for (const char* name : {"gpt2", "qwen2"}) {
      absl::StatusOr<std::shared_ptr<const Tokenizer>> loaded = Tokenizer::Load(folder_ + name + ".json");
      ASSERT_TRUE(loaded.ok()) << loaded.status();
      tokenizers_[name] = *loaded;
    }
  }

  std::vector<json> Lines(const std::string& file) const {
    std::ifstream in(folder_ + file);
    std::vector<json> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
    return lines;
  }

  const std::string folder_ = std::string(AURICLE_SHARED_DIR) + "/reference/golden/bpe-tiny/";
  std::map<std::string, std::shared_ptr<const Tokenizer>> tokenizers_;
};

TEST_F(GoldenTokenizerTest, SplitsTextIntoTheReferencePieces) {
  const std::vector<json> cases = Lines("cases.jsonl");
  ASSERT_EQ(cases.size(), 390u);
  for (const json& c : cases) {
    const auto pieces = tokenizers_[c["tokenizer"]]->Split(c["text"].get<std::string>(), SpecialTokens::kRecognise);
    ASSERT_TRUE(pieces.ok()) << pieces.status();
    EXPECT_EQ(*pieces, c["pieces"].get<std::vector<std::string>>()) << c["tokenizer"] << " " << c["text"];
  }
}

TEST_F(GoldenTokenizerTest, EncodesTextToTheReferenceIds) {
  for (const json& c : Lines("cases.jsonl")) {
    const auto ids = tokenizers_[c["tokenizer"]]->Encode(c["text"].get<std::string>(), SpecialTokens::kRecognise);
    ASSERT_TRUE(ids.ok()) << ids.status();
    EXPECT_EQ(*ids, c["ids"].get<std::vector<TokenId>>()) << c["tokenizer"] << " " << c["text"];
  }
}

TEST_F(GoldenTokenizerTest, DecodesIdsToTheReferenceTexts) {
  for (const json& c : Lines("cases.jsonl")) {
    const Tokenizer& tokenizer = *tokenizers_[c["tokenizer"]];
    const auto ids = c["ids"].get<std::vector<TokenId>>();
    EXPECT_EQ(tokenizer.Decode(ids, false), c["decoded"].get<std::string>());
    const json& skipped = c.contains("decoded_skip_special") ? c["decoded_skip_special"] : c["decoded"];
    EXPECT_EQ(tokenizer.Decode(ids, true), skipped.get<std::string>()) << c["text"];
  }
}

TEST_F(GoldenTokenizerTest, StreamsTheReferenceDeltas) {
  const std::vector<json> cases = Lines("streaming.jsonl");
  ASSERT_EQ(cases.size(), 54u);
  for (const json& c : cases) {
    const std::shared_ptr<const Tokenizer>& tokenizer = tokenizers_[c["tokenizer"]];
    const bool skip_special = c["skip_special"];
    StreamDecoder stream(tokenizer, skip_special);
    std::string joined;
    const auto ids = c["ids"].get<std::vector<TokenId>>();
    for (size_t i = 0; i < ids.size(); ++i) {
      const std::string delta = stream.Push(ids[i]);
      EXPECT_EQ(delta, c["deltas"][i].get<std::string>()) << c["name"] << " id " << i;
      joined += delta;
    }
    const std::string flushed = stream.Flush();
    EXPECT_EQ(flushed, c["flush"].get<std::string>()) << c["name"];
    EXPECT_EQ(joined + flushed, c["decoded"].get<std::string>()) << c["name"];
    EXPECT_EQ(tokenizer->Decode(ids, skip_special), c["decoded"].get<std::string>()) << c["name"];
  }
}

TEST_F(GoldenTokenizerTest, GivesNoSpecialTokenForTextThatSpellsOne) {
  for (const auto& [name, tokenizer] : tokenizers_) {
    for (const char* special : {"<|im_start|>", "<|im_end|>", "<|audio|>", "<|endoftext|>"}) {
      const std::string text = std::string("before ") + special + " after";
      const auto ids = tokenizer->Encode(text, SpecialTokens::kAsText);
      ASSERT_TRUE(ids.ok());
      for (TokenId id : *ids) EXPECT_FALSE(tokenizer->IsSpecial(id)) << name << " " << text;
      EXPECT_EQ(tokenizer->Decode(*ids, true), text) << name;
    }
  }
}

TEST_F(GoldenTokenizerTest, LeavesIdsBeyondTheVocabularyWithoutText) {
  for (const auto& [name, tokenizer] : tokenizers_) {
    EXPECT_EQ(tokenizer->size(), 324) << name;
    EXPECT_EQ(tokenizer->Decode({324, 327, -1, 1 << 30}, false), "") << name;
  }
}

}  // namespace
}  // namespace auricle::model
