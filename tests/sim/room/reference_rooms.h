// The ten rooms of shared/reference/shoebox_rir: geometry, exact image lists, and responses of another simulator.
#pragma once

#include <array>
#include <fstream>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "sim/room/shoebox.h"

namespace auricle::sim {

struct ReferenceRoom {
  int id = 0;
  Shoebox room;
  Vec3 source, listener;
  nlohmann::json json;  // the whole entry
  std::string response_path;
};

inline std::string ReferenceRoomFolder() { return std::string(AURICLE_SHARED_DIR) + "/reference/shoebox_rir"; }

// Empty where the shared folder is absent.
inline std::vector<ReferenceRoom> ReferenceRooms() {
  std::ifstream file(ReferenceRoomFolder() + "/configs.json");
  if (!file) return {};
  const nlohmann::json all = nlohmann::json::parse(file);
  std::vector<ReferenceRoom> rooms;
  for (const auto& c : all.at("configs")) {
    const auto vec = [&](const char* key) { return Vec3{c.at(key)[0], c.at(key)[1], c.at(key)[2]}; };
    ReferenceRoom r;
    r.id = c.at("id");
    r.room.size_m = vec("room");
    r.source = vec("source");
    r.listener = vec("receiver");
    // From the reflection coefficients, which the file gives to full precision.
    for (int w = 0; w < 6; ++w) {
      const double beta = c.at("reflection_beta")[w];
      r.room.absorption[w] = 1.0 - beta * beta;
    }
    r.json = c;
    r.response_path = ReferenceRoomFolder() + (r.id < 10 ? "/c0" : "/c") + std::to_string(r.id) + ".wav";
    rooms.push_back(r);
  }
  return rooms;
}

}  // namespace auricle::sim
