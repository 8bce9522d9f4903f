#include "server/inference/encoding_cache.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace auricle::server {
namespace {

// Clips differ where their bytes do.
EncodingCache::Found Find(EncodingCache& cache, const std::string& bytes) {
  auto data = std::make_shared<const std::string>(bytes);
  AudioPayload payload;
  const absl::string_view view = *data;
  payload.pieces.push_back(Bytes{.owner = std::move(data), .view = view});
  payload.end_seconds = 1;
  return cache.FindOrAdd("model", std::move(payload), 30);
}

TEST(EncodingCacheTest, SharesAClipFromTheFirstRequestOn) {
  EncodingCache cache(2);
  const EncodingCache::Found first = Find(cache, "a"), second = Find(cache, "a");
  EXPECT_TRUE(first.added);
  EXPECT_FALSE(second.added);
  EXPECT_EQ(first.audio, second.audio);
  EXPECT_TRUE(Find(cache, "b").added);
}

TEST(EncodingCacheTest, ClipsThatWereRefusedPushNothingOutAndAreNotHeldOnTo) {
  EncodingCache cache(1);
  cache.Keep(Find(cache, "heard").audio);
  for (const char* name : {"b", "c", "d"}) {
    EncodingCache::Found refused = Find(cache, name);
    ASSERT_TRUE(refused.added);
    const std::weak_ptr<HeardAudio> watched = refused.audio;
    cache.Forget(refused.audio);
    refused.audio.reset();
    EXPECT_TRUE(watched.expired());
  }
  EXPECT_FALSE(Find(cache, "heard").added);
}

TEST(EncodingCacheTest, KeepsTheClipsThatWereUsedLast) {
  EncodingCache cache(2);
  for (const char* name : {"a", "b"}) cache.Keep(Find(cache, name).audio);
  EXPECT_FALSE(Find(cache, "a").added);  // used again: b is the older one now
  cache.Keep(Find(cache, "c").audio);
  EXPECT_FALSE(Find(cache, "a").added);
  EXPECT_FALSE(Find(cache, "c").added);
  EXPECT_TRUE(Find(cache, "b").added);
}

TEST(EncodingCacheTest, WhatWasForgottenMeanwhileIsNotKept) {
  EncodingCache cache(1);
  const EncodingCache::Found clip = Find(cache, "a");
  cache.Forget(clip.audio);
  cache.Keep(clip.audio);
  EXPECT_TRUE(Find(cache, "a").added);
}

TEST(EncodingCacheTest, WithoutPlacesNothingIsShared) {
  EncodingCache cache(0);
  const EncodingCache::Found first = Find(cache, "a");
  cache.Keep(first.audio);
  EXPECT_NE(Find(cache, "a").audio, first.audio);
}

}  // namespace
}  // namespace auricle::server
