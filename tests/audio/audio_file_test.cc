#include "model/audio/audio_file.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace auricle::audio {
namespace {

using ::testing::HasSubstr;

class AudioFile : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ("audio_file_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  std::string Store(const std::string& name, const std::string& bytes) const {
    std::ofstream(Path(name), std::ios::binary) << bytes;
    return Path(name);
  }
  static std::string Bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }

  std::filesystem::path folder_;
};

template <typename T>
void Append(std::string& out, T value) {
  static_assert(std::endian::native == std::endian::little);
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// A WAV file byte by byte (Microsoft/IBM, "Multimedia Programming Interface", 1991). `claimed` is what the data chunk
// says about its size.
std::string Wav(uint16_t format, uint16_t channels, uint32_t rate, uint16_t bits, const std::string& data,
                uint32_t claimed) {
  std::string out = "RIFF";
  Append<uint32_t>(out, 36 + claimed);
  out += "WAVEfmt ";
  Append<uint32_t>(out, 16);
  Append<uint16_t>(out, format);
  Append<uint16_t>(out, channels);
  Append<uint32_t>(out, rate);
  Append<uint32_t>(out, rate * channels * bits / 8);
  Append<uint16_t>(out, static_cast<uint16_t>(channels * bits / 8));
  Append<uint16_t>(out, bits);
  out += "data";
  Append<uint32_t>(out, claimed);
  return out + data;
}

std::string Wav16(uint16_t channels, uint32_t rate, const std::vector<int16_t>& samples) {
  std::string data;
  for (const int16_t s : samples) Append(data, s);
  return Wav(1, channels, rate, 16, data, static_cast<uint32_t>(data.size()));
}

std::string WavFloat(uint16_t channels, uint32_t rate, const std::vector<float>& samples) {
  std::string data;
  for (const float s : samples) Append(data, s);
  return Wav(3, channels, rate, 32, data, static_cast<uint32_t>(data.size()));
}

FoaClip NoiseClip(size_t frames, int rate) {
  std::mt19937 bits(5);
  FoaClip clip = MakeSilentClip(frames, rate);
  for (float& x : clip.samples) x = static_cast<float>(static_cast<double>(bits()) / 2147483648.0 - 1.0) * 0.9f;
  return clip;
}

TEST_F(AudioFile, ReadsSixteenBitSamplesAsFractionsOf32768) {
  const auto buffer = ReadAudioBytes(Wav16(2, 22050, {0, 1, -1, 16384, 32767, -32768}));
  ASSERT_TRUE(buffer.ok()) << buffer.status();
  EXPECT_EQ(buffer->sample_rate, 22050);
  EXPECT_EQ(buffer->channels, 2);
  EXPECT_EQ(buffer->frames(), 3u);
  EXPECT_EQ(buffer->interleaved, (std::vector<float>{0, 1 / 32768.f, -1 / 32768.f, 0.5f, 32767 / 32768.f, -1.0f}));
}

TEST_F(AudioFile, ReadsTheSameFromPathAndFromMemory) {
  const std::string bytes = Wav16(4, 48000, std::vector<int16_t>(400, 1234));
  const auto from_path = ReadAudioFile(Store("a.wav", bytes));
  const auto from_memory = ReadAudioBytes(bytes);
  ASSERT_TRUE(from_path.ok() && from_memory.ok());
  EXPECT_EQ(from_path->interleaved, from_memory->interleaved);
  EXPECT_EQ(from_path->interleaved.size(), 400u);
}

TEST_F(AudioFile, FloatWavComesBackBitForBit) {
  FoaClip clip = NoiseClip(1000, 44100);
  clip.samples[0] = 3.75f;  // past full scale
  clip.samples[1] = -1e-30f;
  clip.samples[2] = 1.0f / 3.0f;
  ASSERT_TRUE(WriteFoaFile(Path("a.wav"), clip).ok());
  const auto back = ReadFoaFile(Path("a.wav"), FoaFormat::kAmbiX);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->sample_rate, 44100);
  EXPECT_EQ(back->samples, clip.samples);
}

TEST_F(AudioFile, FlacComesBackWithinOneStepOf24Bits) {
  const FoaClip clip = NoiseClip(3000, 16000);
  ASSERT_TRUE(WriteFoaFile(Path("a.flac"), clip).ok());
  const auto back = ReadFoaFile(Path("a.flac"), FoaFormat::kAmbiX);
  ASSERT_TRUE(back.ok()) << back.status();
  ASSERT_EQ(back->samples.size(), clip.samples.size());
  for (size_t i = 0; i < clip.samples.size(); ++i) ASSERT_NEAR(back->samples[i], clip.samples[i], 1.0 / 8388608);
  EXPECT_EQ(*EncodeFoaFlac(clip), Bytes(Path("a.flac")));  // in memory and on disk: one encoder
}

TEST_F(AudioFile, FlacClipsInsteadOfWrappingAround) {
  FoaClip clip = MakeSilentClip(100, 16000);
  clip.samples[10] = 1.7f;
  clip.samples[11] = -1.7f;
  ASSERT_TRUE(WriteFoaFile(Path("a.flac"), clip).ok());
  const auto back = ReadFoaFile(Path("a.flac"), FoaFormat::kAmbiX);
  ASSERT_TRUE(back.ok());
  EXPECT_NEAR(back->samples[10], 1.0f, 1e-6);
  EXPECT_NEAR(back->samples[11], -1.0f, 1e-6);
}

TEST_F(AudioFile, WritesEqualBytesForEqualClips) {
  for (const char* name : {"a.wav", "a.flac"}) {
    ASSERT_TRUE(WriteFoaFile(Path(name), NoiseClip(500, 16000)).ok());
    const std::string first = Bytes(Path(name));
    ASSERT_TRUE(WriteFoaFile(Path(name), NoiseClip(500, 16000)).ok());
    EXPECT_EQ(Bytes(Path(name)), first);
  }
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++files;
  EXPECT_EQ(files, 2u);  // no temporary file is left behind
}

TEST_F(AudioFile, RefusesToWriteNothingOtherExtensionsAndFoldersThatAreNotThere) {
  EXPECT_EQ(WriteFoaFile(Path("a.wav"), MakeSilentClip(0, 16000)).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(WriteFoaFile(Path("a.mp3"), MakeSilentClip(9, 16000)).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(WriteFoaFile(Path("no/such/a.wav"), MakeSilentClip(9, 16000)).code(), absl::StatusCode::kUnavailable);
}

TEST_F(AudioFile, SaysThatATextFileIsNotAudioWhateverItsName) {
  const auto buffer = ReadAudioFile(Store("notes.wav", "Buy milk.\nWalk the dog, who barks.\n"));
  ASSERT_EQ(buffer.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(buffer.status().message()), HasSubstr("notes.wav"));
  EXPECT_THAT(std::string(buffer.status().message()), HasSubstr("not an audio file"));
  for (const char* name : {"notes.mp3", "notes.ogg", "notes.gsm", "notes.vox", "notes.raw", "notes"}) {
    EXPECT_EQ(ReadAudioFile(Store(name, "Buy milk.\nWalk the dog, who barks.\n")).status().code(),
              absl::StatusCode::kInvalidArgument)
        << name;
  }
  EXPECT_FALSE(ReadAudioBytes("").ok());
  EXPECT_FALSE(ReadAudioBytes(std::string(100000, 'x')).ok());
  EXPECT_FALSE(ReadAudioFile(Store("empty.flac", "")).ok());
}

TEST_F(AudioFile, TellsAMissingFileFromABadOne) {
  EXPECT_EQ(ReadAudioFile(Path("nowhere.wav")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadAudioFile(folder_.string()).status().code(), absl::StatusCode::kInvalidArgument);  // a folder
}

TEST_F(AudioFile, RefusesACutFlac) {
  const std::string whole = *EncodeFoaFlac(NoiseClip(40000, 16000));
  for (const double share : {0.3, 0.5, 0.9, 0.99}) {
    const auto buffer = ReadAudioBytes(whole.substr(0, static_cast<size_t>(share * static_cast<double>(whole.size()))));
    ASSERT_EQ(buffer.status().code(), absl::StatusCode::kInvalidArgument) << share;
    EXPECT_THAT(std::string(buffer.status().message()), HasSubstr("cut short"));
  }
}

TEST_F(AudioFile, RefusesAFileWithoutSamples) {
  const auto buffer = ReadAudioBytes(Wav16(4, 16000, {}));
  ASSERT_EQ(buffer.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(buffer.status().message()), HasSubstr("no samples"));
}

TEST_F(AudioFile, RefusesNaNAndInfinityInFloatFiles) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    const auto buffer = ReadAudioBytes(WavFloat(1, 16000, {0.1f, 0.2f, bad, 0.3f}));
    ASSERT_EQ(buffer.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(buffer.status().message()), HasSubstr("frame 2"));
  }
}

TEST_F(AudioFile, RefusesSamplesFarPastFullScaleAndSaysHowFarIsAllowed) {
  EXPECT_TRUE(ReadAudioBytes(WavFloat(1, 16000, {0.1f, 1e6f, -1e6f})).ok());
  for (const float bad : {1e30f, -1.0001e6f}) {
    const auto buffer = ReadAudioBytes(WavFloat(1, 16000, {0.1f, 0.2f, bad, 0.3f}));
    ASSERT_EQ(buffer.status().code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(std::string(buffer.status().message()), HasSubstr("level: frame 2"));
    EXPECT_THAT(std::string(buffer.status().message()), HasSubstr("1e+06"));
  }
}

// Recorders that stream write the largest size into the header: what is there is read, and no memory is taken for the
// rest.
TEST_F(AudioFile, ReadsAWavWhoseHeaderClaimsMoreThanThereIs) {
  std::string data;
  for (int i = 0; i < 8; ++i) Append<int16_t>(data, 100);
  const auto buffer = ReadAudioBytes(Wav(1, 4, 16000, 16, data, 0xFFFFFF00u));
  ASSERT_TRUE(buffer.ok()) << buffer.status();
  EXPECT_EQ(buffer->frames(), 2u);
}

TEST_F(AudioFile, RefusesAFlacWhoseHeaderClaimsHours) {
  std::string bytes = *EncodeFoaFlac(NoiseClip(2000, 16000));
  ASSERT_EQ(bytes.substr(0, 4), "fLaC");
  // STREAMINFO: total samples are the low 36 bits of bytes 21 to 25 of the file.
  bytes[21] = static_cast<char>(bytes[21] | 0x0F);
  for (int i = 22; i < 26; ++i) bytes[static_cast<size_t>(i)] = '\xFE';
  const auto buffer = ReadAudioBytes(bytes);
  ASSERT_EQ(buffer.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(buffer.status().message()), HasSubstr("duration"));
}

TEST_F(AudioFile, HoldsLimitsOnLengthChannelsAndRate) {
  const std::string ten_seconds = Wav16(1, 8000, std::vector<int16_t>(80000, 1));
  EXPECT_TRUE(ReadAudioBytes(ten_seconds, {.max_seconds = 10}).ok());
  const auto too_long = ReadAudioBytes(ten_seconds, {.max_seconds = 9.99});
  ASSERT_EQ(too_long.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(too_long.status().message()), HasSubstr("duration"));

  const std::string six_channels = Wav16(6, 8000, std::vector<int16_t>(60, 1));
  EXPECT_TRUE(ReadAudioBytes(six_channels).ok());  // how many are right is FromInterleaved's business
  const auto too_many = ReadAudioBytes(six_channels, {.max_channels = 4});
  ASSERT_EQ(too_many.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(too_many.status().message()), HasSubstr("channels"));

  const auto too_fast = ReadAudioBytes(Wav16(1, 8000, {1, 2}), {.min_sample_rate = 8001});
  EXPECT_THAT(std::string(too_fast.status().message()), HasSubstr("sample_rate_hz"));
}

// Whatever a stranger sends: a Status, never a crash. Run under the sanitizers, this is what it is for.
TEST_F(AudioFile, SurvivesEveryCutAndManyFlippedBytes) {
  std::mt19937 bits(9);
  for (const std::string& whole :
       {*EncodeFoaFlac(NoiseClip(600, 16000)), Wav16(4, 16000, std::vector<int16_t>(800, 77)),
        WavFloat(4, 16000, std::vector<float>(400, 0.5f))}) {
    for (size_t length = 0; length < whole.size(); length += length < 120 ? 1 : 97) {
      const auto cut = ReadAudioBytes(whole.substr(0, length), {.max_seconds = 5});
      if (!cut.ok()) {
        EXPECT_EQ(cut.status().code(), absl::StatusCode::kInvalidArgument);
      }
    }
    for (int round = 0; round < 300; ++round) {
      std::string damaged = whole;
      for (int flips = 0; flips < 3; ++flips) {
        const size_t range = round % 2 == 0 ? std::min<size_t>(damaged.size(), 100) : damaged.size();
        damaged[bits() % range] = static_cast<char>(bits());
      }
      const auto read = ReadAudioBytes(damaged, {.max_seconds = 5});
      if (!read.ok()) {
        EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
      } else {
        for (const float x : read->interleaved) ASSERT_TRUE(std::isfinite(x));
      }
    }
  }
}

}  // namespace
}  // namespace auricle::audio
