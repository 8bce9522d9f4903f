#include "client/cli/answer_text.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/scene_words.h"

namespace auricle::client {

std::string AnswerText(const v1::AskResponse& response, const TerminalStyle& style) {
  return style.Bold(response.answer()) + "\n" + EvidenceText(response, style);
}

std::string EvidenceText(const v1::AskResponse& response, const TerminalStyle& style) {
  std::string text;
  if (!response.probabilities().empty()) {
    text += "\n";
    size_t widest = 0;
    for (const auto& option : response.probabilities())
      widest = std::max<size_t>(widest, DisplayWidth(option.option()));
    for (const auto& option : response.probabilities()) {
      constexpr int kBar = 20;
      const int filled = static_cast<int>(std::lround(std::clamp(option.probability(), 0.0f, 1.0f) * kBar));
      std::string bar;
      for (int i = 0; i < kBar; ++i) bar += i < filled ? "█" : "·";
      const std::string line =
          absl::StrCat("  ", option.letter(), ". ", Fit(option.option(), std::min<size_t>(widest, 44)), "  ", bar,
                       absl::StrFormat(" %3.0f %%", option.probability() * 100));
      text += (option.letter() == response.letter() ? line : style.Dim(line)) + "\n";
    }
  }
  if (response.has_scene()) {
    text += "\n" + style.Dim("heard:") + "\n";
    int index = 0;
    for (const v1::Source& source : response.scene().sources()) {
      absl::StrAppend(&text, "  ", style.InSourceColour(index++, "●"), " ", SourceText(source),
                      style.Dim(absl::StrFormat("  (%.0f %% sure)", source.confidence() * 100)), "\n");
    }
    if (index == 0) text += "  no source\n";
    absl::StrAppend(&text, "  ", style.Dim(RoomText(response.scene().room())), "\n");
  }
  return text;
}

}  // namespace auricle::client
