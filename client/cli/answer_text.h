// An answer as text for people: the words, the options with their probabilities, and the evidence.
#pragma once

#include <string>

#include "auricle/v1/inference.pb.h"
#include "client/cli/terminal.h"

namespace auricle::client {

// First line the answer itself, then EvidenceText.
std::string AnswerText(const v1::AskResponse& response, const TerminalStyle& style);

// Set off by empty lines: bars for the options and a line for each source heard.
std::string EvidenceText(const v1::AskResponse& response, const TerminalStyle& style);

}  // namespace auricle::client
