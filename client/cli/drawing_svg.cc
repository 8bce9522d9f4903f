#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "client/cli/drawing.h"

namespace auricle::client {
namespace {

std::string Escape(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

std::string Paint(const char* attribute, const std::optional<Colour>& colour) {
  if (!colour.has_value()) return absl::StrFormat(" %s=\"none\"", attribute);
  std::string text = absl::StrFormat(" %s=\"#%02x%02x%02x\"", attribute, colour->red, colour->green, colour->blue);
  if (colour->alpha < 1) absl::StrAppend(&text, absl::StrFormat(" %s-opacity=\"%.2f\"", attribute, colour->alpha));
  return text;
}

std::string Edge(const std::optional<Colour>& colour, double width) {
  if (!colour.has_value()) return "";
  return absl::StrCat(Paint("stroke", colour), absl::StrFormat(" stroke-width=\"%.2f\"", width));
}

struct SvgWriter {
  std::string& out;

  void operator()(const Polyline& line) {
    absl::StrAppend(&out, "<polyline points=\"");
    for (const Point& p : line.points) absl::StrAppend(&out, absl::StrFormat("%.2f,%.2f ", p.x, p.y));
    absl::StrAppend(&out, "\" fill=\"none\" stroke-linecap=\"round\" stroke-linejoin=\"round\"",
                    Edge(line.colour, line.width));
    if (line.dashed) absl::StrAppend(&out, " stroke-dasharray=\"3 5\"");
    absl::StrAppend(&out, "/>\n");
  }
  void operator()(const Disc& disc) {
    absl::StrAppend(
        &out, absl::StrFormat("<circle cx=\"%.2f\" cy=\"%.2f\" r=\"%.2f\"", disc.centre.x, disc.centre.y, disc.radius),
        Paint("fill", disc.fill), Edge(disc.edge, disc.edge_width), "/>\n");
  }
  void operator()(const Box& box) {
    absl::StrAppend(&out,
                    absl::StrFormat("<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" rx=\"%.2f\"",
                                    box.corner.x, box.corner.y, box.width, box.height, box.corner_radius),
                    Paint("fill", box.fill), Edge(box.edge, box.edge_width), "/>\n");
  }
  void operator()(const Text& text) {
    const char* anchor = text.anchor == TextAnchor::kStart    ? "start"
                         : text.anchor == TextAnchor::kMiddle ? "middle"
                                                              : "end";
    absl::StrAppend(&out,
                    absl::StrFormat("<text x=\"%.2f\" y=\"%.2f\" font-size=\"%.2f\" text-anchor=\"%s\"", text.at.x,
                                    text.at.y, text.size, anchor),
                    text.bold ? " font-weight=\"600\"" : "", Paint("fill", text.colour), ">", Escape(text.text),
                    "</text>\n");
  }
};

}  // namespace

std::string ToSvg(const Drawing& drawing) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  absl::StrAppend(
      &out, absl::StrFormat(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" "
                "role=\"img\" font-family=\"Inter, Helvetica, Arial, sans-serif\">\n",
                drawing.width, drawing.height, drawing.width, drawing.height));
  absl::StrAppend(&out, "<title>", Escape(drawing.title), "</title>\n");
  SvgWriter writer{out};
  for (const Shape& shape : drawing.shapes) std::visit(writer, shape);
  absl::StrAppend(&out, "</svg>\n");
  return out;
}

}  // namespace auricle::client
