#include "client/cli/scene_table.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/scene_words.h"

namespace auricle::client {
namespace {

std::string RowText(const std::string& marker, const std::string& label, const std::string& sure,
                    const std::string& azimuth, const std::string& sector, const std::string& elevation,
                    const std::string& distance, const std::string& spans) {
  std::string line =
      absl::StrCat(Fit(marker, 2), " ", Fit(label, 19), " ", Fit(sure, 5, true), " ", Fit(azimuth, 10, true), " ",
                   Fit(sector, 13), " ", Fit(elevation, 8, true), " ", Fit(distance, 6, true), "  ", spans);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

std::string SceneTable(const v1::Scene& scene, bool is_truth, const TerminalStyle& style) {
  std::string text = style.Dim(
      RowText("", is_truth ? "truth" : "heard", is_truth ? "" : "sure", "azimuth", "", "up/down", "metres", "when"));
  int index = 0;
  for (const v1::Source& source : scene.sources()) {
    const std::string marker = is_truth ? absl::StrCat("○", std::string(1, static_cast<char>('a' + index % 26)))
                                        : style.InSourceColour(index, absl::StrCat("●", index + 1));
    const double azimuth = source.direction().azimuth_deg();
    // One span a line, so that a source that starts often stays within 80 columns.
    const auto span_text = [&](int i) {
      return i < source.active_size()
                 ? absl::StrFormat("%.1f-%.1f s", source.active(i).start_seconds(), source.active(i).end_seconds())
                 : std::string("-");
    };
    absl::StrAppend(&text, RowText(marker, SourceLabel(source),
                                   is_truth ? "" : absl::StrFormat("%.0f %%", source.confidence() * 100),
                                   AzimuthText(azimuth), absl::StrCat("(", AzimuthSector(azimuth), ")"),
                                   ElevationText(source.direction().elevation_deg()),
                                   absl::StrFormat("%.1f", source.distance_m()), span_text(0)));
    for (int i = 1; i < source.active_size(); ++i)
      absl::StrAppend(&text, RowText("", "", "", "", "", "", "", span_text(i)));
    ++index;
  }
  if (index == 0) absl::StrAppend(&text, "   no source\n");
  absl::StrAppend(&text, "   ", RoomText(scene.room()),
                  absl::StrFormat("; %.1f s of audio\n", scene.duration_seconds()));
  return text;
}

}  // namespace auricle::client
