#include "client/cli/scene_picture.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "client/cli/map_geometry.h"
#include "client/cli/scene_words.h"
#include "client/cli/terminal.h"

namespace auricle::client {
namespace {

constexpr Colour kPaper{252, 252, 250}, kInk{31, 36, 42}, kFaint{120, 128, 138}, kLine{214, 218, 223},
    kFloor{244, 246, 248};
// Blue, orange, green, purple, teal, red: the hues of the terminal's markers.
constexpr Colour kHues[kSourceColours] = {{31, 111, 208}, {206, 114, 10}, {45, 138, 62},
                                          {150, 75, 160}, {15, 140, 140}, {200, 48, 48}};
constexpr Colour kTruth{70, 76, 84};

constexpr double kWidth = 940, kMargin = 28;
constexpr Point kCentre{300, 300};
constexpr double kRadius = 228;
constexpr double kLegendX = 604;
constexpr double kMapHeight = 566;
constexpr double kTimelineLeft = 190, kTimelineRow = 26;

struct Rectangle {
  double left, top, right, bottom;
  double Overlap(const Rectangle& other) const {
    const double x = std::min(right, other.right) - std::max(left, other.left);
    const double y = std::min(bottom, other.bottom) - std::max(top, other.top);
    return x > 0 && y > 0 ? x * y : 0;
  }
};

std::string ShortName(const v1::Source& source) {
  return absl::StrReplaceAll(source.class_name().empty() ? source.class_label() : source.class_name(), {{"_", " "}});
}

std::string TruthLetter(int index) { return std::string(1, static_cast<char>('a' + index % 26)); }

// Draws into one drawing and remembers what is taken, so that labels keep clear of markers and of each other.
class PictureWriter {
 public:
  PictureWriter(const v1::Scene& scene, const v1::Scene* truth) : scene_(scene), truth_(truth) {}

  Drawing Draw() {
    const int rows = scene_.sources_size() + (truth_ != nullptr ? truth_->sources_size() : 0);
    drawing_.width = kWidth;
    drawing_.height = kMapHeight + 64 + kTimelineRow * std::max(rows, 1) + 22;
    drawing_.title = absl::StrCat("Top view of a scene of ", scene_.sources_size(), " sources");
    for (const v1::Source& source : scene_.sources()) absl::StrAppend(&drawing_.title, "; ", SourceText(source));
    Add(Box{{1, 1}, kWidth - 2, drawing_.height - 2, 14, kPaper, kLine, 1});
    DrawMap();
    DrawLegend();
    DrawTimeline();
    return std::move(drawing_);
  }

 private:
  void Add(Shape shape) { drawing_.shapes.push_back(std::move(shape)); }
  void Write(Point at, std::string text, double size, Colour colour, TextAnchor anchor = TextAnchor::kStart,
             bool bold = false) {
    Add(Text{at, std::move(text), size, colour, anchor, bold});
  }

  void DrawMap() {
    double farthest = 0;
    for (const v1::Source& source : scene_.sources()) farthest = std::max(farthest, source.distance_m());
    if (truth_ != nullptr) {
      for (const v1::Source& source : truth_->sources()) farthest = std::max(farthest, source.distance_m());
    }
    const std::vector<double> rings = DistanceRings(farthest);
    map_ = {kCentre, kRadius, rings.back()};

    Add(Disc{kCentre, kRadius, kFloor, std::nullopt});
    for (const int azimuth : {0, 45, 90, 135}) {
      Add(Polyline{
          {map_.At(azimuth, map_.range_m), map_.At(azimuth + 180, map_.range_m)}, 1, kLine, azimuth % 90 != 0});
    }
    for (const double ring : rings) {
      const bool rim = ring == rings.back();
      Add(Disc{kCentre, kRadius * ring / map_.range_m, std::nullopt, rim ? kFaint : kLine, rim ? 1.5 : 1.0});
    }
    for (const double ring : rings) {
      // Just inside its ring, where no axis runs.
      const Point at = map_.At(-157.5, ring - map_.range_m * 0.04);
      Write({at.x, at.y + 3}, absl::StrFormat("%g m", ring), 11, kFaint, TextAnchor::kMiddle);
      taken_.push_back({at.x - 15, at.y - 8, at.x + 15, at.y + 6});
    }
    const Point front = map_.At(0, map_.range_m), left = map_.At(90, map_.range_m);
    const Point back = map_.At(180, map_.range_m), right = map_.At(-90, map_.range_m);
    Write({front.x, front.y - 10}, "front", 13, kInk, TextAnchor::kMiddle, true);
    Write({back.x, back.y + 20}, "back", 13, kInk, TextAnchor::kMiddle);
    Write({left.x - 9, left.y + 4}, "left", 13, kInk, TextAnchor::kEnd);
    Write({right.x + 9, right.y + 4}, "right", 13, kInk);
    // The listener: a head with a nose that points to the front.
    Add(Polyline{
        {{kCentre.x - 4, kCentre.y - 9}, {kCentre.x, kCentre.y - 16}, {kCentre.x + 4, kCentre.y - 9}}, 2, kInk});
    Add(Disc{kCentre, 9, kPaper, kInk, 2});
    taken_.push_back({kCentre.x - 12, kCentre.y - 18, kCentre.x + 12, kCentre.y + 12});
    DrawMarkers();
  }

  void DrawMarkers() {
    if (truth_ != nullptr) {
      for (const v1::Source& source : truth_->sources()) {
        const Point at = map_.At(source.direction().azimuth_deg(), source.distance_m());
        Add(Disc{at, 14, std::nullopt, kTruth, 2});
        taken_.push_back({at.x - 15, at.y - 15, at.x + 15, at.y + 15});
      }
    }
    // Least sure first, so that the surest lies on top.
    for (int i = scene_.sources_size() - 1; i >= 0; --i) {
      const v1::Source& source = scene_.sources(i);
      const Point at = map_.At(source.direction().azimuth_deg(), source.distance_m());
      const double radius = 7 + 5 * std::clamp<double>(source.confidence(), 0, 1);
      Add(Disc{at, radius, kHues[i % kSourceColours], kPaper, 1.5});
      Write({at.x, at.y + 4.2}, std::to_string(i + 1), 12, kPaper, TextAnchor::kMiddle, true);
      taken_.push_back({at.x - radius, at.y - radius, at.x + radius, at.y + radius});
    }
    for (int i = 0; i < scene_.sources_size(); ++i) {
      const v1::Source& source = scene_.sources(i);
      PlaceLabel(map_.At(source.direction().azimuth_deg(), source.distance_m()), ShortName(source),
                 kHues[i % kSourceColours]);
    }
    for (int i = 0; truth_ != nullptr && i < truth_->sources_size(); ++i) {
      const v1::Source& source = truth_->sources(i);
      PlaceLabel(map_.At(source.direction().azimuth_deg(), source.distance_m()), TruthLetter(i), kTruth);
    }
  }

  bool CrossesRim(const Rectangle& box) const {
    bool inside = false, outside = false;
    for (const double x : {box.left, box.right}) {
      for (const double y : {box.top, box.bottom}) {
        (std::hypot(x - kCentre.x, y - kCentre.y) < kRadius ? inside : outside) = true;
      }
    }
    return inside && outside;
  }

  // Beside the marker, at the first of eight places that keeps clear of everything, else at the least crowded one.
  void PlaceLabel(Point at, const std::string& text, Colour colour) {
    constexpr double kSize = 13, kGap = 17;
    const double width = TextWidth(text, kSize) * 1.05, half = width / 2;
    const Point baselines[] = {{at.x + kGap, at.y + 4},        {at.x - kGap - width, at.y + 4},
                               {at.x - half, at.y - kGap - 2}, {at.x - half, at.y + kGap + 9},
                               {at.x + kGap, at.y - kGap},     {at.x - kGap - width, at.y - kGap},
                               {at.x + kGap, at.y + kGap + 9}, {at.x - kGap - width, at.y + kGap + 9}};
    Point best = baselines[0];
    double least = HUGE_VAL;
    for (const Point& baseline : baselines) {
      const Rectangle box = {baseline.x - 2, baseline.y - kSize * 0.8, baseline.x + width + 2,
                             baseline.y + kSize * 0.25};
      double crowding = 0;
      for (const Rectangle& other : taken_) crowding += box.Overlap(other);
      // Out of the map's column counts as crowded too.
      crowding += 1000 * (std::max(0.0, kMargin - box.left) + std::max(0.0, box.right - (kLegendX - 10)));
      // Nor should the rim run through it.
      if (CrossesRim(box)) crowding += 60;
      if (crowding < least) least = crowding, best = baseline;
    }
    taken_.push_back({best.x - 2, best.y - kSize * 0.8, best.x + width + 2, best.y + kSize * 0.25});
    Write(best, text, kSize, colour, TextAnchor::kStart, true);
  }

  void DrawLegend() {
    double y = 66;
    Write({kLegendX, y},
          absl::StrFormat("%d source%s in %.1f s", scene_.sources_size(), scene_.sources_size() == 1 ? "" : "s",
                          scene_.duration_seconds()),
          17, kInk, TextAnchor::kStart, true);
    y += 22;
    Write({kLegendX, y}, RoomText(scene_.room()), 13, kFaint);
    y += 34;
    for (int i = 0; i < scene_.sources_size(); ++i) {
      const v1::Source& source = scene_.sources(i);
      Add(Disc{{kLegendX + 9, y - 5}, 9, kHues[i % kSourceColours], std::nullopt});
      Write({kLegendX + 9, y - 0.8}, std::to_string(i + 1), 12, kPaper, TextAnchor::kMiddle, true);
      LegendText(y, source, absl::StrFormat("%.0f %% sure", source.confidence() * 100));
    }
    if (truth_ == nullptr) return;
    y += 6;
    for (int i = 0; i < truth_->sources_size(); ++i) {
      Add(Disc{{kLegendX + 9, y - 5}, 9, std::nullopt, kTruth, 2});
      Write({kLegendX + 9, y - 1}, TruthLetter(i), 12, kTruth, TextAnchor::kMiddle);
      LegendText(y, truth_->sources(i), "truth");
    }
  }

  void LegendText(double& y, const v1::Source& source, const std::string& remark) {
    Write({kLegendX + 28, y}, SourceLabel(source), 15, kInk, TextAnchor::kStart, true);
    Write({kLegendX + 28, y + 18},
          absl::StrCat(AzimuthText(source.direction().azimuth_deg()), ", ",
                       ElevationText(source.direction().elevation_deg()),
                       absl::StrFormat(", %.1f m", source.distance_m()), " · ", remark),
          13, kFaint);
    y += 46;
  }

  void DrawTimeline() {
    const double top = kMapHeight + 28, right = kWidth - kMargin;
    double duration = scene_.duration_seconds();
    if (!(duration > 0)) duration = 1;
    const auto x_of = [&](double seconds) {
      return kTimelineLeft + std::clamp(seconds / duration, 0.0, 1.0) * (right - kTimelineLeft);
    };
    const int rows = std::max(1, scene_.sources_size() + (truth_ != nullptr ? truth_->sources_size() : 0));
    const double bottom = top + rows * kTimelineRow;
    const double step = duration <= 12 ? 1 : duration <= 30 ? 5 : 10;
    for (double t = 0; t <= duration + 1e-9; t += step) {
      Add(Polyline{{{x_of(t), top}, {x_of(t), bottom + 4}}, 1, kLine});
      Write({x_of(t), bottom + 18}, absl::StrFormat("%g s", t), 11, kFaint, TextAnchor::kMiddle);
    }
    double y = top;
    for (int i = 0; i < scene_.sources_size(); ++i) {
      Write({kTimelineLeft - 12, y + 17}, ShortName(scene_.sources(i)), 13, kInk, TextAnchor::kEnd);
      for (const v1::TimeSpan& span : scene_.sources(i).active()) {
        Add(Box{{x_of(span.start_seconds()), y + 6},
                std::max(3.0, x_of(span.end_seconds()) - x_of(span.start_seconds())),
                14,
                4,
                kHues[i % kSourceColours],
                std::nullopt});
      }
      y += kTimelineRow;
    }
    if (truth_ == nullptr) return;
    for (int i = 0; i < truth_->sources_size(); ++i) {
      Write({kTimelineLeft - 12, y + 17}, absl::StrCat("truth: ", ShortName(truth_->sources(i))), 13, kFaint,
            TextAnchor::kEnd);
      for (const v1::TimeSpan& span : truth_->sources(i).active()) {
        Add(Box{{x_of(span.start_seconds()), y + 6},
                std::max(3.0, x_of(span.end_seconds()) - x_of(span.start_seconds())),
                14,
                4,
                std::nullopt,
                kTruth,
                1.5});
      }
      y += kTimelineRow;
    }
  }

  const v1::Scene& scene_;
  const v1::Scene* truth_;
  Drawing drawing_;
  MapGeometry map_;
  std::vector<Rectangle> taken_;
};

}  // namespace

Drawing ScenePicture(const v1::Scene& scene, const v1::Scene* truth) { return PictureWriter(scene, truth).Draw(); }

}  // namespace auricle::client
