#include "model/text/stream_decoder.h"

#include <gtest/gtest.h>

#include <random>

#include "model/text/bpe_trainer.h"
#include "model/text/utf8.h"

namespace auricle::model {
namespace {

std::shared_ptr<const Tokenizer> ByteTokenizer() {
  const std::vector<std::string_view> special = {"<|im_end|>"};
  return Tokenizer::FromJson(TrainBpe({}, 257, special).value(), "bytes").value();
}

TEST(StreamDecoderTest, EmitsValidUtf8WhoseSumIsTheWholeDecodeForRandomBytes) {
  const auto tokenizer = ByteTokenizer();
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<TokenId> ids;
    for (int i = 0; i < 40; ++i) ids.push_back(random() % 257);
    StreamDecoder stream(tokenizer);
    std::string joined;
    for (TokenId id : ids) {
      const std::string delta = stream.Push(id);
      EXPECT_FALSE(FirstInvalidUtf8(delta).has_value());
      joined += delta;
    }
    joined += stream.Flush();
    EXPECT_EQ(joined, tokenizer->Decode(ids, true));
  }
}

TEST(StreamDecoderTest, CanBeUsedAgainAfterFlush) {
  const auto tokenizer = ByteTokenizer();
  const auto first_byte_of_euro = tokenizer->Encode("€", SpecialTokens::kAsText)->front();
  StreamDecoder stream(tokenizer);
  EXPECT_EQ(stream.Push(first_byte_of_euro), "");
  EXPECT_EQ(stream.Flush(), "\uFFFD");
  EXPECT_EQ(stream.Push(tokenizer->Encode("a", SpecialTokens::kAsText)->front()), "a");
  EXPECT_EQ(stream.Flush(), "");
}

}  // namespace
}  // namespace auricle::model
