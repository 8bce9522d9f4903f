// Whether a question is about what can be heard, from the levels that the truth states and the rule as it is written
// down; not by the code that asks.
#pragma once

#include <string>
#include <vector>

#include "auricle/v1/question.pb.h"
#include "auricle/v1/scene.pb.h"

namespace auricle::sim {

// Three tenths of a second, or half of the time that it sounds, at no more than 10 dB under the rest.
bool CanBeHeard(const v1::Source& source);

// Whether a text has a class's noun, plural or name among its words.
bool NamesClass(const std::string& text, const std::string& class_name);

// What is wrong with asking this about that scene, a sentence each; none where nothing is. It names, offers or has for
// an answer a source that cannot be heard, or counts and lists in a scene that holds one.
std::vector<std::string> InaudibleIn(const v1::Question& question, const v1::Scene& truth);

}  // namespace auricle::sim
