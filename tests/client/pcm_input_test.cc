#include "client/cli/pcm_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "tests/client/wav_bytes.h"

namespace auricle::client {
namespace {

using test::LittleEndianBytes;
using test::WavBytes;

// Bytes that come out of a pipe, a few at a time.
class Piped {
 public:
  explicit Piped(std::string bytes) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    read_end = ends[0];
    writer_ = std::thread([bytes = std::move(bytes), end = ends[1]] {
      for (size_t i = 0; i < bytes.size(); i += 7) {
        if (write(end, bytes.data() + i, std::min<size_t>(7, bytes.size() - i)) < 0) break;
      }
      close(end);
    });
  }
  ~Piped() {
    writer_.join();
    close(read_end);
  }
  int read_end;

 private:
  std::thread writer_;
};

std::vector<float> Floats(const std::string& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

TEST(PcmInput, PassesRawPcmOnAndDropsATornFrame) {
  const std::string frames = "0123456789abcdefABCDEFGH";  // three frames of 4 x 16 bit
  Piped pipe(frames + "xyz");
  auto input = PcmInput::Open(pipe.read_end, {});
  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_EQ(input->sample_rate_hz(), 16000u);
  EXPECT_EQ(*input->Read(2), frames.substr(0, 16));
  EXPECT_EQ(*input->Read(2), frames.substr(16));
  EXPECT_EQ(*input->Read(2), "");
}

TEST(PcmInput, ReadsWhatArecordWritesIntoAPipe) {
  const std::string data = "0123456701234567";
  for (const uint32_t claimed : {0u, 0x7fffffdcu, 0xffffffffu, 16u}) {
    Piped pipe(WavBytes(1, 4, 44100, 16, data, claimed));
    auto input = PcmInput::Open(pipe.read_end, {});
    ASSERT_TRUE(input.ok()) << input.status();
    EXPECT_EQ(input->sample_rate_hz(), 44100u);
    EXPECT_EQ(input->channels(), 4u);
    EXPECT_EQ(input->encoding(), v1::AUDIO_ENCODING_PCM_S16LE);
    EXPECT_EQ(*input->Read(100), data) << claimed;
  }
}

TEST(PcmInput, StopsWhereTheHeaderSaysTheSamplesEnd) {
  Piped pipe(WavBytes(1, 1, 8000, 16, "abcdLISTtrailer!", 4));
  auto input = PcmInput::Open(pipe.read_end, {});
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(input->channels(), 1u);  // reported, not judged
  EXPECT_EQ(*input->Read(100), "abcd");
  EXPECT_EQ(*input->Read(100), "");
}

TEST(PcmInput, TurnsOtherIntegersIntoFloat) {
  const struct {
    int bits;
    std::string data;
    std::vector<float> expected;
  } cases[] = {{8, std::string("\x80\x00\xff\x40", 4), {0.0f, -1.0f, 127.0f / 128, -0.5f}},
               {24, LittleEndianBytes(0x400000, 3) + LittleEndianBytes(0x800000, 3), {0.5f, -1.0f}},
               {32, LittleEndianBytes(0x40000000, 4) + LittleEndianBytes(0xc0000000, 4), {0.5f, -0.5f}}};
  for (const auto& c : cases) {
    Piped pipe(WavBytes(1, 1, 16000, c.bits, c.data, static_cast<uint32_t>(c.data.size())));
    auto input = PcmInput::Open(pipe.read_end, {});
    ASSERT_TRUE(input.ok()) << input.status();
    EXPECT_EQ(input->encoding(), v1::AUDIO_ENCODING_PCM_F32LE);
    EXPECT_EQ(Floats(*input->Read(100)), c.expected) << c.bits << " bits";
  }
}

TEST(PcmInput, LeavesWholeFilesAlone) {
  const std::string flac = "fLaC and then the rest of the file";
  Piped pipe(flac);
  auto input = PcmInput::Open(pipe.read_end, {});
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(input->encoding(), v1::AUDIO_ENCODING_FILE);
  EXPECT_EQ(*input->Read(1000), flac);
}

TEST(PcmInput, RefusesFilesOfOtherKinds) {
  for (const std::string& bytes :
       {std::string("RIFF"), std::string("RIFFabc"), std::string("RIFFabcdAVI LIST"), std::string("RIFXabcdWAVEfmt "),
        std::string("RF64abcdWAVEds64"), std::string("BW64abcdWAVEds64"), std::string("riff.abcdefghijk"),
        std::string("FORMabcdAIFFCOMM"), std::string("ID3\4abcdefghijkl")}) {
    Piped pipe(bytes);
    const absl::Status status = PcmInput::Open(pipe.read_end, {}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bytes;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("must be WAV, FLAC, OGG, CAF or raw PCM"));
  }
  Piped few("RI");  // too short for a magic number
  EXPECT_TRUE(PcmInput::Open(few.read_end, {}).ok());
}

TEST(PcmInput, KnowsWithoutWaitingWhetherAPipeHasEnded) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::string frames = "0123456789abcdefABCDEFGH";
  ASSERT_EQ(write(ends[1], frames.data(), frames.size()), static_cast<ssize_t>(frames.size()));
  auto input = PcmInput::Open(ends[0], {});
  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_EQ(*input->Read(2), frames.substr(0, 16));
  EXPECT_FALSE(input->AtEnd());
  EXPECT_EQ(*input->Read(1), frames.substr(16)) << "looking must lose nothing";
  EXPECT_FALSE(input->AtEnd()) << "the writer only pauses";
  close(ends[1]);
  EXPECT_TRUE(input->AtEnd());
  EXPECT_EQ(*input->Read(1), "");
  close(ends[0]);
}

TEST(PcmInput, HasEndedWhereTheHeaderSaysSo) {
  Piped pipe(WavBytes(1, 1, 8000, 16, "abcdLISTtrailer!", 4));
  auto input = PcmInput::Open(pipe.read_end, {});
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(*input->Read(1), "ab");
  EXPECT_FALSE(input->AtEnd());
  EXPECT_EQ(*input->Read(1), "cd");
  EXPECT_TRUE(input->AtEnd());
}

TEST(PcmInput, RefusesHeadersThatMakeNoSense) {
  const std::string good = WavBytes(1, 4, 16000, 16, "", 0);
  std::string no_format = "RIFF" + LittleEndianBytes(4, 4) + "WAVEdata" + LittleEndianBytes(4, 4) + "abcd";
  for (const std::string& bytes :
       {std::string(), good.substr(0, 30), no_format, WavBytes(1, 0, 16000, 16, "ab", 2),
        WavBytes(1, 4, 16000, 12, "ab", 2), WavBytes(6, 4, 16000, 8, "ab", 2),
        "RIFF" + LittleEndianBytes(4, 4) + "WAVEjunk" + LittleEndianBytes(0xfffffff0, 4) + "ab"}) {
    Piped pipe(bytes);
    EXPECT_EQ(PcmInput::Open(pipe.read_end, {}).status().code(), absl::StatusCode::kInvalidArgument) << bytes.size();
  }
}

}  // namespace
}  // namespace auricle::client
