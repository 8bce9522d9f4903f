// A WAV file put together by hand (RIFF specification), so that readers are tested against something they did not
// write.
#pragma once

#include <cstdint>
#include <string>

namespace auricle::test {

inline std::string LittleEndianBytes(uint32_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  return out;
}

// `format`: 1 PCM, 3 float. `data_length`: what the header claims; arecord into a pipe claims far too much.
inline std::string WavBytes(int format, int channels, int rate, int bits, const std::string& data,
                            uint32_t data_length) {
  const int frame = channels * bits / 8;
  return "RIFF" + LittleEndianBytes(36 + data_length, 4) + "WAVEfmt " + LittleEndianBytes(16, 4) +
         LittleEndianBytes(format, 2) + LittleEndianBytes(channels, 2) + LittleEndianBytes(rate, 4) +
         LittleEndianBytes(rate * frame, 4) + LittleEndianBytes(frame, 2) + LittleEndianBytes(bits, 2) + "data" +
         LittleEndianBytes(data_length, 4) + data;
}

// `frames` frames of silence and one non-zero byte at the end, 16 bit.
inline std::string SilentWav(int channels, int rate, int frames) {
  std::string data(static_cast<size_t>(frames) * channels * 2, '\0');
  if (!data.empty()) data.back() = 1;
  return WavBytes(1, channels, rate, 16, data, static_cast<uint32_t>(data.size()));
}

}  // namespace auricle::test
