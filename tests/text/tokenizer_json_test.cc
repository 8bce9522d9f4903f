// Files that are not what they should be, and the small print of the format.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "model/text/bpe_trainer.h"
#include "model/text/tokenizer.h"

namespace auricle::model {
namespace {

using nlohmann::json;

json GoodFile() {
  const std::vector<std::string_view> special = {"<|im_end|>"};
  return json::parse(TrainBpe(std::vector<std::string>{"the dog", "the bell", "the dog"}, 262, special).value());
}

absl::Status LoadError(const json& file) { return Tokenizer::FromJson(file.dump(), "t.json").status(); }

void ExpectRefused(const json& file, const std::string& field) {
  const absl::Status status = LoadError(file);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << field;
  EXPECT_NE(status.message().find("t.json"), absl::string_view::npos) << status;
  EXPECT_NE(status.message().find(field), absl::string_view::npos) << status;
}

TEST(TokenizerJsonTest, AcceptsTheUnchangedFile) { EXPECT_TRUE(LoadError(GoodFile()).ok()) << LoadError(GoodFile()); }

TEST(TokenizerJsonTest, NamesTheFieldThatIsWrong) {
  json file = GoodFile();
  file["model"]["type"] = "WordPiece";
  ExpectRefused(file, "model.type");
  file = GoodFile();
  file["model"]["byte_fallback"] = true;
  ExpectRefused(file, "model.byte_fallback");
  file = GoodFile();
  file["model"]["merges"][0] = json{"q", "zz"};
  ExpectRefused(file, "model.merges");
  file = GoodFile();
  file["model"]["merges"][0] = "nospace";
  ExpectRefused(file, "model.merges");
  file = GoodFile();
  file["model"]["vocab"]["!"] = 5;
  ExpectRefused(file, "model.vocab");
  file = GoodFile();
  file["model"]["vocab"]["犬"] = 9999;
  ExpectRefused(file, "model.vocab");
  file = GoodFile();
  file["model"]["vocab"]["zzz"] = 4000000000u;
  ExpectRefused(file, "model.vocab");
  file = GoodFile();
  file["normalizer"] = {{"type", "Replace"}};
  ExpectRefused(file, "normalizer");
  file = GoodFile();
  file["pre_tokenizer"] = {{"type", "Whitespace"}};
  ExpectRefused(file, "pre_tokenizer");
  file = GoodFile();
  file["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "(unclosed";
  ExpectRefused(file, "pre_tokenizer");
  file = GoodFile();
  file["pre_tokenizer"]["pretokenizers"].erase(1);
  ExpectRefused(file, "not byte-level");
  file = GoodFile();
  file["added_tokens"][0]["id"] = 3;
  ExpectRefused(file, "added_tokens");
  file = GoodFile();
  file["added_tokens"].push_back(file["added_tokens"][0]);
  ExpectRefused(file, "added_tokens");
}

TEST(TokenizerJsonTest, RefusesWhatIsNotJsonAndFilesThatAreNotThere) {
  EXPECT_EQ(Tokenizer::FromJson("{\"model\":", "t.json").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Tokenizer::FromJson("[]", "t.json").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Tokenizer::Load("/nonexistent/tokenizer.json").status().code(), absl::StatusCode::kNotFound);
}

TEST(TokenizerJsonTest, TakesBothSpellingsOfMerges) {
  json file = GoodFile();
  const auto pairs = Tokenizer::FromJson(file.dump(), "pairs").value();
  for (json& merge : file["model"]["merges"]) merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
  const auto strings = Tokenizer::FromJson(file.dump(), "strings").value();
  EXPECT_EQ(*pairs->Encode("the dog the bell", SpecialTokens::kAsText),
            *strings->Encode("the dog the bell", SpecialTokens::kAsText));
}

TEST(TokenizerJsonTest, SplitsDigitsInsideTheGpt2PatternAsSmolLm2Does) {
  // Digits first, then GPT-2's pattern inside each piece: "  5" is two spaces and 5, not " " and " 5".
  json file = GoodFile();
  file["normalizer"] = nullptr;
  file["pre_tokenizer"] = {{"type", "Sequence"},
                           {"pretokenizers",
                            {{{"type", "Digits"}, {"individual_digits", true}},
                             {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}}}};
  const auto tokenizer = Tokenizer::FromJson(file.dump(), "t").value();
  EXPECT_EQ(*tokenizer->Split("at  512 m", SpecialTokens::kAsText),
            (std::vector<std::string>{"at", "  ", "5", "1", "2", " m"}));
}

TEST(TokenizerJsonTest, TakesLongPiecesAndLongTextsInStride) {
  const auto tokenizer = Tokenizer::FromJson(GoodFile().dump(), "t").value();
  const std::string one_piece(200000, 'e'), spaces(200000, ' ');
  EXPECT_EQ(tokenizer->Decode(*tokenizer->Encode(one_piece, SpecialTokens::kAsText), true), one_piece);
  EXPECT_EQ(tokenizer->Decode(*tokenizer->Encode(spaces + "x", SpecialTokens::kAsText), true), spaces + "x");
}

TEST(TokenizerJsonTest, RefusesTextThatIsNotUtf8WithTheOffset) {
  const auto tokenizer = Tokenizer::FromJson(GoodFile().dump(), "t").value();
  const absl::Status status = tokenizer->Encode("ab\xFF", SpecialTokens::kAsText).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("byte 2"), absl::string_view::npos) << status;
}

}  // namespace
}  // namespace auricle::model
