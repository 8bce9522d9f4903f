// The heap-and-list encoder against the definition of byte-pair encoding, done the slow way.
#include "model/text/bpe.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace auricle::model {
namespace {

struct Vocabulary {
  BytePairEncoder encoder;
  std::vector<std::string> tokens;
  std::map<std::pair<std::string, std::string>, size_t> ranks;
};

// Bytes a to d and `merges` random merges of tokens made so far.
Vocabulary RandomVocabulary(std::mt19937& random, size_t merges) {
  Vocabulary made;
  const auto add = [&](const std::string& token) {
    EXPECT_TRUE(made.encoder.AddToken(token, static_cast<TokenId>(made.tokens.size())).ok());
    made.tokens.push_back(token);
  };
  for (char c : {'a', 'b', 'c', 'd'}) add(std::string(1, c));
  for (int attempt = 0; made.ranks.size() < merges && attempt < 1000; ++attempt) {
    const std::string left = made.tokens[random() % made.tokens.size()],
                      right = made.tokens[random() % made.tokens.size()];
    if (left.size() + right.size() > 8 || made.ranks.contains({left, right})) continue;
    if (made.encoder.Find(left + right) < 0) add(left + right);
    EXPECT_TRUE(made.encoder.AddMerge(left, right).ok());
    made.ranks.emplace(std::pair(left, right), made.ranks.size());
  }
  return made;
}

// Sennrich et al. 2016, algorithm 1: the adjacent pair of lowest rank is merged, the leftmost of equals, until none is
// left.
std::vector<std::string> EncodeByDefinition(const Vocabulary& vocabulary, const std::string& piece) {
  std::vector<std::string> parts;
  for (char c : piece) parts.emplace_back(1, c);
  while (true) {
    size_t best = parts.size(), best_rank = vocabulary.ranks.size();
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto rank = vocabulary.ranks.find({parts[i], parts[i + 1]});
      if (rank != vocabulary.ranks.end() && rank->second < best_rank) best = i, best_rank = rank->second;
    }
    if (best == parts.size()) return parts;
    parts[best] += parts[best + 1];
    parts.erase(parts.begin() + static_cast<ptrdiff_t>(best) + 1);
  }
}

TEST(BytePairEncoderTest, EncodesRandomPiecesAsTheDefinitionDoes) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    const Vocabulary vocabulary = RandomVocabulary(random, 1 + random() % 30);
    for (int n = 0; n < 20; ++n) {
      std::string piece;
      for (size_t length = random() % 40; piece.size() < length;) piece += static_cast<char>('a' + random() % 4);
      std::vector<TokenId> ids;
      vocabulary.encoder.Encode(piece, ids);
      std::vector<std::string> got;
      for (TokenId id : ids) got.emplace_back(vocabulary.encoder.Bytes(id));
      EXPECT_EQ(got, EncodeByDefinition(vocabulary, piece)) << piece;
    }
  }
}

TEST(BytePairEncoderTest, DropsBytesThatNoTokenSpells) {
  BytePairEncoder encoder;
  ASSERT_TRUE(encoder.AddToken("a", 0).ok());
  ASSERT_TRUE(encoder.AddToken("aa", 1).ok());
  ASSERT_TRUE(encoder.AddMerge("a", "a").ok());
  std::vector<TokenId> ids;
  encoder.Encode("a?a!", ids);  // what vanishes does not stand between its neighbours
  EXPECT_EQ(ids, (std::vector<TokenId>{1}));
}

TEST(BytePairEncoderTest, TakesAWholePieceAtOnceWhereMergesAreIgnored) {
  BytePairEncoder encoder;
  for (const auto& [token, id] : {std::pair{"a", 0}, {"b", 1}, {"ab", 2}, {"aba", 3}}) {
    ASSERT_TRUE(encoder.AddToken(token, id).ok());
  }
  ASSERT_TRUE(encoder.AddMerge("a", "b").ok());
  std::vector<TokenId> merged, whole;
  encoder.Encode("aba", merged);
  encoder.set_ignore_merges(true);
  encoder.Encode("aba", whole);
  EXPECT_EQ(merged, (std::vector<TokenId>{2, 0}));
  EXPECT_EQ(whole, (std::vector<TokenId>{3}));
}

TEST(BytePairEncoderTest, RefusesTokensAndMergesThatContradict) {
  BytePairEncoder encoder;
  ASSERT_TRUE(encoder.AddToken("a", 0).ok());
  EXPECT_FALSE(encoder.AddToken("b", 0).ok());
  EXPECT_FALSE(encoder.AddToken("a", 1).ok());
  EXPECT_FALSE(encoder.AddToken("", 2).ok());
  EXPECT_FALSE(encoder.AddToken("c", -1).ok());
  EXPECT_FALSE(encoder.AddToken("c", int64_t{1} << 40).ok());
  EXPECT_FALSE(encoder.AddMerge("a", "a").ok());
}

}  // namespace
}  // namespace auricle::model
