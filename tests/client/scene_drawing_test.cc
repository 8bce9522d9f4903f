// The drawn scene: does left land left, are labels apart, is the SVG XML and the PNG a picture of the same thing?
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>

#include <cmath>
#include <sstream>

#include "client/cli/drawing.h"
#include "client/cli/map_geometry.h"
#include "client/cli/scene_map.h"
#include "client/cli/scene_picture.h"
#include "client/cli/scene_table.h"
#include "client/cli/scene_words.h"
#include "client/cli/stroke_font.h"
#include "tests/client/program.h"

namespace auricle::client {
namespace {

using ::testing::HasSubstr;

void AddSource(v1::Scene& scene, const std::string& name, double azimuth, double distance, float confidence = 0.9f) {
  v1::Source& source = *scene.add_sources();
  source.set_class_name(name);
  source.set_class_label("a " + name);
  source.set_confidence(confidence);
  source.mutable_direction()->set_azimuth_deg(azimuth);
  source.set_distance_m(distance);
  v1::TimeSpan& span = *source.add_active();
  span.set_start_seconds(1);
  span.set_end_seconds(2);
}

v1::Scene SceneWith(double azimuth, double distance) {
  v1::Scene scene;
  scene.set_duration_seconds(5);
  AddSource(scene, "dog_bark", azimuth, distance);
  return scene;
}

TEST(MapGeometry, PutsLeftOnTheLeftAndFrontAbove) {
  const MapGeometry map{{100, 100}, 50, 10};
  const struct {
    double azimuth, x, y;
  } cases[] = {{0, 100, 75}, {90, 75, 100}, {180, 100, 125}, {-90, 125, 100}, {270, 125, 100}};
  for (const auto& c : cases) {
    const Point at = map.At(c.azimuth, 5);
    EXPECT_NEAR(at.x, c.x, 1e-9) << c.azimuth;
    EXPECT_NEAR(at.y, c.y, 1e-9) << c.azimuth;
  }
  EXPECT_NEAR(map.At(0, 1000).y, 50, 1e-9) << "beyond the rim is drawn on it";
}

TEST(MapGeometry, ChoosesFewRoundRingsThatHoldEverything) {
  for (const double farthest : {0.0, 0.3, 0.9, 2.1, 3.0, 4.9, 7.7, 12.0, 19.0, 90.0}) {
    const std::vector<double> rings = DistanceRings(farthest);
    EXPECT_GE(rings.back(), farthest);
    EXPECT_GE(rings.size(), 3u);
    EXPECT_LE(rings.size(), 5u);
    for (size_t i = 1; i < rings.size(); ++i) EXPECT_NEAR(rings[i] - rings[i - 1], rings[0], 1e-9);
  }
  EXPECT_FALSE(DistanceRings(NAN).empty());
}

TEST(SceneWords, NameDirectionsAsPeopleDo) {
  EXPECT_EQ(AzimuthSector(0), "front");
  EXPECT_EQ(AzimuthSector(90), "left");
  EXPECT_EQ(AzimuthSector(-90), "right");
  EXPECT_EQ(AzimuthSector(180), "back");
  EXPECT_EQ(AzimuthSector(-180), "back");
  EXPECT_EQ(AzimuthSector(-135), "back right");
  EXPECT_EQ(AzimuthSector(44), "front left");
  EXPECT_EQ(AzimuthText(-30.4), "30° right");
  EXPECT_EQ(AzimuthText(330), "30° right");
  EXPECT_EQ(AzimuthText(-0.2), "0° front");
  EXPECT_EQ(ElevationText(-20), "20° down");
  EXPECT_DOUBLE_EQ(WrapAzimuth(-180), 180);
  EXPECT_DOUBLE_EQ(WrapAzimuth(540), 180);
}

// Column and row (in signs) of `what` on the map, which takes the first 47 columns (the legend stands right of it);
// {-1, -1} where it is not.
std::pair<int, int> PlaceOf(const std::string& text, const std::string& what) {
  std::istringstream lines(text);
  std::string line;
  for (int row = 0; std::getline(lines, line); ++row) {
    const size_t at = line.find(what);
    if (at != std::string::npos && DisplayWidth(line.substr(0, at)) < 47)
      return {DisplayWidth(line.substr(0, at)), row};
  }
  return {-1, -1};
}

TEST(SceneMap, ShowsASourceOnItsSideOfTheListenerWithin80Columns) {
  const TerminalStyle plain(false);
  const struct {
    double azimuth;
    int dx, dy;  // sign of the step from the listener
  } cases[] = {{0, 0, -1}, {90, -1, 0}, {-90, 1, 0}, {180, 0, 1}, {45, -1, -1}, {-135, 1, 1}};
  for (const auto& c : cases) {
    const std::string map = SceneMap(SceneWith(c.azimuth, 2), nullptr, plain);
    const auto [x, y] = PlaceOf(map, "●1");
    const auto [centre_x, centre_y] = PlaceOf(map, "▲");
    ASSERT_GE(x, 0) << map;
    const auto side = [](int d) { return d > 2 ? 1 : d < -2 ? -1 : 0; };
    EXPECT_EQ(side(x - centre_x), c.dx) << map;
    EXPECT_EQ(side(y - centre_y), c.dy) << map;
    std::istringstream lines(map);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(DisplayWidth(line), 80) << line;
  }
}

TEST(SceneMap, ShowsTruthHollowAndKeepsEveryMarkerWhereTheyMeet) {
  v1::Scene scene = SceneWith(40, 2);
  AddSource(scene, "bell", 40, 2);
  AddSource(scene, "door", 41, 2);
  const v1::Scene truth = SceneWith(40, 2);
  const std::string map = SceneMap(scene, &truth, TerminalStyle(false));
  const std::string drawn = map.substr(0, map.size());
  for (const char* marker : {"●1", "●2", "●3", "○a"}) {
    // Once on the map, once in the legend.
    const size_t first = drawn.find(marker);
    ASSERT_NE(first, std::string::npos) << marker;
    EXPECT_NE(drawn.find(marker, first + 1), std::string::npos) << marker << "\n" << map;
  }
}

TEST(SceneMap, UsesColourOnlyWhereAsked) {
  EXPECT_EQ(SceneMap(SceneWith(0, 1), nullptr, TerminalStyle(false)).find('\x1b'), std::string::npos);
  EXPECT_NE(SceneMap(SceneWith(0, 1), nullptr, TerminalStyle(true)).find('\x1b'), std::string::npos);
}

TEST(SceneTable, StaysWithin80ColumnsForLongNamesAndManySpans) {
  v1::Scene scene;
  AddSource(scene, "a_very_long_class_name_that_nobody_would_choose", -179.6, 12.345);
  for (int i = 0; i < 6; ++i) {
    scene.mutable_sources(0)->add_active()->set_start_seconds(10.0 + i);
    scene.mutable_sources(0)->mutable_active(i + 1)->set_end_seconds(10.5 + i);
  }
  std::istringstream lines(SceneTable(scene, false, TerminalStyle(false)));
  int spans = 0;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(DisplayWidth(line), 82) << line;  // two-digit seconds may stick out by two
    spans += line.size() > 2 && line.substr(line.size() - 2) == " s";
  }
  EXPECT_EQ(spans, 7);
  EXPECT_THAT(SceneTable(v1::Scene(), false, TerminalStyle(false)), HasSubstr("no source"));
}

TEST(Terminal, CutsAndPadsByColumnsNotByBytes) {
  EXPECT_EQ(Fit("40° left", 10), "40° left  ");
  EXPECT_EQ(Fit("40° left", 10, true), "  40° left");
  EXPECT_EQ(Fit("40° left", 4), "40°…");
  EXPECT_EQ(DisplayWidth("\x1b[1m●\x1b[0m1"), 2);
}

TEST(ScenePicture, IsWellFormedXmlWhateverTheNamesAre) {
  v1::Scene scene = SceneWith(90, 2);
  scene.mutable_sources(0)->set_class_label("<dog> & \"cat\"");
  const std::string svg = ToSvg(ScenePicture(scene, &scene));
  const auto parsed =
      test::RunProgram("/usr/bin/env",
                       {"python3", "-c",
                        "import sys, xml.etree.ElementTree as e\n"
                        "r = e.fromstring(sys.stdin.buffer.read())\n"
                        "s = '{http://www.w3.org/2000/svg}'\n"
                        "print(r.tag == s + 'svg', any(t.text == '<dog> & \"cat\"' for t in r.iter(s + 'text')))"},
                       svg);
  if (parsed.exit_code == 127) GTEST_SKIP() << "no python3";
  EXPECT_EQ(parsed.out, "True True\n") << parsed.err;
}

std::vector<const Disc*> SourceDiscs(const Drawing& drawing) {
  std::vector<const Disc*> discs;
  for (const Shape& shape : drawing.shapes) {
    const Disc* disc = std::get_if<Disc>(&shape);
    // Markers on the map are the filled discs with an edge of paper colour.
    if (disc != nullptr && disc->fill && disc->edge && disc->edge->red > 250 && disc->fill->red < 250)
      discs.push_back(disc);
  }
  return discs;
}

TEST(ScenePicture, DrawsSurerSourcesLargerAndOnTheirSide) {
  v1::Scene scene;
  scene.set_duration_seconds(5);
  AddSource(scene, "dog", 90, 2, 0.9f);
  AddSource(scene, "bell", -90, 2, 0.2f);
  const Drawing drawing = ScenePicture(scene, nullptr);
  const std::vector<const Disc*> discs = SourceDiscs(drawing);
  ASSERT_EQ(discs.size(), 2u);
  const Disc& dog = discs[0]->centre.x < discs[1]->centre.x ? *discs[0] : *discs[1];
  const Disc& bell = &dog == discs[0] ? *discs[1] : *discs[0];
  EXPECT_GT(dog.radius, bell.radius) << "the dog, left of the bell, is surer";
  EXPECT_NEAR(dog.centre.y, bell.centre.y, 1e-9);
}

TEST(ScenePicture, KeepsLabelsOfNeighboursApart) {
  v1::Scene scene;
  scene.set_duration_seconds(5);
  for (int i = 0; i < 4; ++i) AddSource(scene, "source_number_" + std::to_string(i), 30 + 4 * i, 2.0 + 0.1 * i);
  std::vector<const Text*> labels;
  const Drawing drawing = ScenePicture(scene, nullptr);
  for (const Shape& shape : drawing.shapes) {
    const Text* text = std::get_if<Text>(&shape);
    if (text != nullptr && text->bold && text->text.substr(0, 7) == "source ") labels.push_back(text);
  }
  ASSERT_EQ(labels.size(), 4u);
  for (size_t i = 0; i < labels.size(); ++i) {
    for (size_t k = i + 1; k < labels.size(); ++k) {
      const bool apart_x = labels[i]->at.x + TextWidth(labels[i]->text, labels[i]->size) <= labels[k]->at.x ||
                           labels[k]->at.x + TextWidth(labels[k]->text, labels[k]->size) <= labels[i]->at.x;
      const bool apart_y = std::abs(labels[i]->at.y - labels[k]->at.y) >= 0.9 * labels[i]->size;
      EXPECT_TRUE(apart_x || apart_y) << i << " and " << k;
    }
  }
}

struct Picture {
  png_image image{};
  std::vector<uint8_t> rgb;
  const uint8_t* At(double x, double y) const {
    return &rgb[(static_cast<size_t>(y) * image.width + static_cast<size_t>(x)) * 3];
  }
};

Picture Decode(const std::string& png) {
  Picture picture;
  picture.image.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_memory(&picture.image, png.data(), png.size()), 0);
  picture.image.format = PNG_FORMAT_RGB;
  picture.rgb.resize(PNG_IMAGE_SIZE(picture.image));
  EXPECT_NE(png_image_finish_read(&picture.image, nullptr, picture.rgb.data(), 0, nullptr), 0);
  return picture;
}

TEST(Png, PaintsTheSameShapesAtTheSamePlaces) {
  Drawing drawing{40, 20, "", {}};
  drawing.shapes.push_back(Box{{0, 0}, 40, 20, 0, Colour{255, 255, 255}, std::nullopt});
  drawing.shapes.push_back(Disc{{10, 10}, 5, Colour{200, 0, 0}, std::nullopt});
  drawing.shapes.push_back(Polyline{{{20, 5}, {35, 5}}, 2, Colour{0, 0, 200}});
  drawing.shapes.push_back(Box{{22, 10}, 10, 6, 1, Colour{0, 0, 0, 0.5}, std::nullopt});
  const auto png = ToPng(drawing, 3);
  ASSERT_TRUE(png.ok()) << png.status();
  const Picture picture = Decode(*png);
  EXPECT_EQ(picture.image.width, 120u);
  EXPECT_EQ(picture.image.height, 60u);
  EXPECT_EQ(picture.At(30, 30)[0], 200);
  EXPECT_EQ(picture.At(30, 30)[1], 0);
  EXPECT_EQ(picture.At(30, 10)[1], 255) << "above the disc";
  EXPECT_EQ(picture.At(80, 15)[2], 200);
  EXPECT_NEAR(picture.At(80, 38)[0], 128, 1) << "half transparent black on white";
  // The disc's area, anti-aliasing included: pi r^2 at 9 pixels a square unit.
  double redness = 0;
  for (int y = 0; y < 60; ++y) {
    for (int x = 0; x < 58; ++x) redness += (255 - picture.At(x, y)[1]) / 255.0;
  }
  EXPECT_NEAR(redness, M_PI * 25 * 9, 0.01 * M_PI * 25 * 9);
}

TEST(Png, RefusesPicturesWithoutExtentOrWithoutEnd) {
  EXPECT_EQ(ToPng({0, 10, "", {}}, 1).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ToPng({1e6, 1e6, "", {}}, 1).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ToPng({NAN, 10, "", {}}, 1).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(StrokeFont, HasEverySignThatPicturesUse) {
  const StrokedText box = StrokeText("\x01");  // what a missing sign looks like
  for (char c = '!'; c < 127; ++c) {
    if (std::string("#$&*<>@[\\]^`{|}~").find(c) != std::string::npos) continue;
    EXPECT_NE(StrokeText(std::string(1, c)).strokes.size() == 1 &&
                  StrokeText(std::string(1, c)).strokes[0].size() == 5 &&
                  StrokeText(std::string(1, c)).width == box.width && c != 'D',
              true)
        << c;
  }
  for (const char* sign : {"°", "³", "²", "·", "…"}) EXPECT_NE(StrokeText(sign).width, box.width) << sign;
  EXPECT_NEAR(TextWidth("ab", 20), 2 * TextWidth("ab", 10), 1e-9);
}

}  // namespace
}  // namespace auricle::client
