// A scene in words for people: directions, spans and one line a source. Pure functions.
#pragma once

#include <string>

#include "auricle/v1/scene.pb.h"

namespace auricle::client {

// Any real angle into (-180, 180], 0 front, +90 left.
double WrapAzimuth(double azimuth_deg);

// One of eight: "front", "front left", "left", "back left", "back", "back right", "right", "front right".
std::string AzimuthSector(double azimuth_deg);

// "40° left", "0° front", "180° back".
std::string AzimuthText(double azimuth_deg);

// "12° up", "level" (within 3 degrees of the horizon), "8° down".
std::string ElevationText(double elevation_deg);

// "0.3-1.8 s, 2.4-3.0 s"; "-" where there is none.
std::string SpansText(const v1::Source& source);

// "static", "moving left", ...; "-" where unknown.
std::string MotionText(v1::MotionKind motion);

// The label with article where the scene has one ("a dog barking"), else the class name.
std::string SourceLabel(const v1::Source& source);

// "a dog barking, 40° left (front left), 12° up, 2.1 m, 0.3-1.8 s".
std::string SourceText(const v1::Source& source);

// "room of 82 m³, T30 0.52 s", "free field (no walls)", or "room unknown" where no volume is given.
std::string RoomText(const v1::Room& room);

}  // namespace auricle::client
