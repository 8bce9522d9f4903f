// The rasteriser: a pixel's share of a shape is read off its signed distance to the outline (1 half a pixel inside, 0
// half a pixel outside), which is exact enough for round-ended lines, discs and boxes: all there is to draw.
#include <png.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/cli/drawing.h"
#include "client/cli/stroke_font.h"

namespace auricle::client {
namespace {

class Raster {
 public:
  Raster(int width, int height, double scale)
      : width_(width), height_(height), scale_(scale), rgb_(static_cast<size_t>(width) * height * 3, 255.0f) {}

  // Blends `colour` over the pixels near [left, right] x [top, bottom] (drawing units); `distance` gives a point's
  // signed distance from the shape in drawing units, negative inside.
  void Fill(double left, double top, double right, double bottom, const Colour& colour,
            const std::function<double(Point)>& distance) {
    const int x0 = std::max(0, static_cast<int>(left * scale_) - 2),
              x1 = std::min(width_ - 1, static_cast<int>(right * scale_) + 2);
    const int y0 = std::max(0, static_cast<int>(top * scale_) - 2),
              y1 = std::min(height_ - 1, static_cast<int>(bottom * scale_) + 2);
    for (int y = y0; y <= y1; ++y) {
      for (int x = x0; x <= x1; ++x) {
        const double inside = 0.5 - distance({(x + 0.5) / scale_, (y + 0.5) / scale_}) * scale_;
        const float share = static_cast<float>(std::clamp(inside, 0.0, 1.0) * colour.alpha);
        if (share <= 0) continue;
        float* pixel = &rgb_[(static_cast<size_t>(y) * width_ + x) * 3];
        pixel[0] += (colour.red - pixel[0]) * share;
        pixel[1] += (colour.green - pixel[1]) * share;
        pixel[2] += (colour.blue - pixel[2]) * share;
      }
    }
  }

  std::vector<uint8_t> Bytes() const {
    std::vector<uint8_t> bytes(rgb_.size());
    for (size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<uint8_t>(std::lround(std::clamp(rgb_[i], 0.0f, 255.0f)));
    return bytes;
  }

 private:
  int width_, height_;
  double scale_;
  std::vector<float> rgb_;  // [height, width, 3], 0-255
};

double DistanceToSegment(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y, squared = dx * dx + dy * dy;
  const double t = squared > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / squared, 0.0, 1.0) : 0.0;
  return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

double DistanceToBox(Point p, const Box& box) {
  const double radius = std::min({box.corner_radius, box.width / 2, box.height / 2});
  const double dx = std::abs(p.x - box.corner.x - box.width / 2) - box.width / 2 + radius;
  const double dy = std::abs(p.y - box.corner.y - box.height / 2) - box.height / 2 + radius;
  return std::hypot(std::max(dx, 0.0), std::max(dy, 0.0)) + std::min(std::max(dx, dy), 0.0) - radius;
}

// The line cut into dashes of 3 with gaps of 5, as in the SVG.
std::vector<std::vector<Point>> Dashes(const std::vector<Point>& points) {
  constexpr double kDash = 3, kPeriod = 8;
  std::vector<std::vector<Point>> dashes;
  double walked = 0;
  for (size_t i = 1; i < points.size(); ++i) {
    const Point a = points[i - 1], b = points[i];
    const double length = std::hypot(b.x - a.x, b.y - a.y);
    const auto at = [&](double s) { return Point{a.x + (b.x - a.x) * s / length, a.y + (b.y - a.y) * s / length}; };
    for (double s = -std::fmod(walked, kPeriod); s < length; s += kPeriod) {
      const double begin = std::max(s, 0.0), end = std::min(s + kDash, length);
      if (end > begin) dashes.push_back({at(begin), at(end)});
    }
    walked += length;
  }
  return dashes;
}

struct Painter {
  Raster& raster;

  void Stroke(const std::vector<Point>& points, double width, const Colour& colour) {
    double left = points[0].x, right = left, top = points[0].y, bottom = top;
    for (const Point& p : points) {
      left = std::min(left, p.x), right = std::max(right, p.x), top = std::min(top, p.y),
      bottom = std::max(bottom, p.y);
    }
    const double half = width / 2;
    raster.Fill(left - half, top - half, right + half, bottom + half, colour, [&](Point p) {
      double nearest = points.size() == 1 ? std::hypot(p.x - points[0].x, p.y - points[0].y) : HUGE_VAL;
      for (size_t i = 1; i < points.size(); ++i)
        nearest = std::min(nearest, DistanceToSegment(p, points[i - 1], points[i]));
      return nearest - half;
    });
  }

  void operator()(const Polyline& line) {
    if (line.points.empty()) return;
    if (!line.dashed) return Stroke(line.points, line.width, line.colour);
    for (const auto& dash : Dashes(line.points)) Stroke(dash, line.width, line.colour);
  }
  void operator()(const Disc& disc) {
    const auto paint = [&](double reach, const Colour& colour, const std::function<double(double)>& distance) {
      raster.Fill(
          disc.centre.x - reach, disc.centre.y - reach, disc.centre.x + reach, disc.centre.y + reach, colour,
          [&](Point p) { return distance(std::hypot(p.x - disc.centre.x, p.y - disc.centre.y) - disc.radius); });
    };
    if (disc.fill) paint(disc.radius, *disc.fill, [](double d) { return d; });
    const double half = disc.edge_width / 2;
    if (disc.edge) paint(disc.radius + half, *disc.edge, [half](double d) { return std::abs(d) - half; });
  }
  void operator()(const Box& box) {
    const double right = box.corner.x + box.width, bottom = box.corner.y + box.height, half = box.edge_width / 2;
    if (box.fill) {
      raster.Fill(box.corner.x, box.corner.y, right, bottom, *box.fill, [&](Point p) { return DistanceToBox(p, box); });
    }
    if (box.edge) {
      raster.Fill(box.corner.x - half, box.corner.y - half, right + half, bottom + half, *box.edge,
                  [&](Point p) { return std::abs(DistanceToBox(p, box)) - half; });
    }
  }
  void operator()(const Text& text) {
    const StrokedText stroked = StrokeText(text.text);
    const double width = stroked.width * text.size;
    const double x = text.at.x - (text.anchor == TextAnchor::kStart    ? 0
                                  : text.anchor == TextAnchor::kMiddle ? width / 2
                                                                       : width);
    for (std::vector<Point> stroke : stroked.strokes) {
      for (Point& p : stroke) p = {x + p.x * text.size, text.at.y + p.y * text.size};
      Stroke(stroke, text.size * (text.bold ? 0.125 : 0.085), text.colour);
    }
  }
};

}  // namespace

absl::StatusOr<std::string> ToPng(const Drawing& drawing, double scale) {
  const double width = std::ceil(drawing.width * scale), height = std::ceil(drawing.height * scale);
  if (!(width >= 1 && height >= 1 && width * height <= 64e6)) {
    return absl::InvalidArgumentError(
        absl::StrCat("picture: is ", width, " x ", height, " pixels, must have 1 to 64 million"));
  }
  Raster raster(static_cast<int>(width), static_cast<int>(height), scale);
  Painter painter{raster};
  for (const Shape& shape : drawing.shapes) std::visit(painter, shape);

  const std::vector<uint8_t> pixels = raster.Bytes();
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  std::string png;
  if (png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, nullptr) == 0)
    return absl::InternalError(image.message);
  png.resize(size);
  if (png_image_write_to_memory(&image, png.data(), &size, 0, pixels.data(), 0, nullptr) == 0)
    return absl::InternalError(image.message);
  png.resize(size);
  return png;
}

}  // namespace auricle::client
