#include "sim/question/draft.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "sim/question/option_drawing.h"
#include "sim/question/phrases.h"

namespace auricle::sim {
namespace {

std::string Fill(std::string_view wording, Filling filling) {
  std::string text;
  for (size_t i = 0; i < wording.size();) {
    const auto place = std::find_if(filling.begin(), filling.end(),
                                    [&](const auto& item) { return wording.substr(i).starts_with(item.first); });
    if (place == filling.end()) {
      text += wording[i++];
    } else {
      text += place->second;
      i += place->first.size();
    }
  }
  return text;
}

}  // namespace

std::string SayOneOf(const Asking& asking, std::span<const std::string_view> wordings, Filling filling) {
  const size_t trained = wordings.size() - kHeldOutWordings;
  const size_t at =
      asking.held_out_wordings ? trained + asking.random.Index(kHeldOutWordings) : asking.random.Index(trained);
  return Capitalised(Fill(wordings[at], filling));
}

void OfferNoSuchSound(const Asking& asking, std::vector<std::string>& options) {
  if (options.size() != 4 || asking.absent_share <= 0 || asking.absent_share >= 0.25) return;
  // P(shown) = p for present sounds, 1 for absent ones: right when shown = a / (a + (1 - a) p) = 1 / 4.
  const double p = 3.0 * asking.absent_share / (1.0 - asking.absent_share);
  if (asking.random.Chance(p)) options[1 + asking.random.Index(3)] = std::string(kNoSuchSound);
}

v1::AnswerKey AbsentKey(const ClassWords& words) {
  v1::AnswerKey key;
  key.set_reference(absl::StrCat("There is no ", words.noun, "."));
  key.mutable_choice()->set_value("absent");
  key.mutable_choice()->add_allowed("absent");
  key.mutable_choice()->add_allowed("present");
  return key;
}

void AnswerYesOrNo(bool yes, Draft& draft) {
  draft.key.set_reference(yes ? "Yes." : "No.");
  draft.key.mutable_choice()->set_value(yes ? "yes" : "no");
  draft.key.mutable_choice()->add_allowed("yes");
  draft.key.mutable_choice()->add_allowed("no");
}

std::optional<std::string> OwnPlace(const HeardScene& heard, const HeardSource& source, Random& random) {
  const int sector = SectorOf(source.azimuth_deg);
  bool words = AzimuthDistance(source.azimuth_deg, SectorCentre(sector)) <= 15.0;
  for (const v1::Source& other : heard.scene->sources()) {
    if (&other == source.source) continue;
    const double azimuth = other.direction().azimuth_deg();
    if (AzimuthDistance(azimuth, source.azimuth_deg) < 30.0) return std::nullopt;
    if (AzimuthDistance(azimuth, SectorCentre(sector)) < 40.0) words = false;
  }
  if (std::abs(source.elevation_deg) > 60.0) return std::nullopt;
  if (words && random.Chance(0.6)) return std::string(SectorPlace(sector));
  return AzimuthPhrase(source.azimuth_deg);
}

NumberKind OnsetKind(const HeardScene& heard) {
  return heard.duration_s <= kShortClipSeconds ? NumberKind::kOnsetInShort : NumberKind::kOnsetInLong;
}

NumberKind OnsetGapKind(const HeardScene& heard) {
  return heard.duration_s <= kShortClipSeconds ? NumberKind::kOnsetGapInShort : NumberKind::kOnsetGapInLong;
}

bool AnswerWithAzimuth(const Asking& asking, double azimuth_deg, const std::vector<double>& swaps, Draft& draft) {
  draft.key.set_azimuth_deg(WrapDegrees(azimuth_deg));
  const int sector = SectorOf(azimuth_deg);
  const bool in_words = AzimuthDistance(azimuth_deg, SectorCentre(sector)) <= 15.0 && asking.random.Chance(0.4);
  if (in_words) {
    draft.key.set_reference(Sentence(SectorName(sector)));
  } else {
    draft.key.set_reference(Sentence(AzimuthPhrase(azimuth_deg)));
  }
  if (!asking.multiple_choice) return true;
  draft.options.clear();
  if (in_words) {
    std::vector<int> sector_swaps;
    for (double swap : swaps) {
      const int other = SectorOf(swap);
      if (AzimuthDistance(swap, SectorCentre(other)) <= 15.0) sector_swaps.push_back(other);
    }
    for (int other : DrawSectors(sector, sector_swaps, asking.random)) draft.options.emplace_back(SectorName(other));
  } else {
    for (double option : DrawAzimuths(azimuth_deg, swaps, asking.random))
      draft.options.push_back(AzimuthPhrase(option));
  }
  return draft.options.size() == 4;
}

bool HasMirrorImages(double azimuth_deg) { return std::abs(std::remainder(azimuth_deg, 90.0)) >= 25.0; }

bool AnswerAmongMirrorImages(const Asking& asking, double azimuth_deg, Draft& draft) {
  if (asking.multiple_choice && !HasMirrorImages(azimuth_deg)) return false;
  if (!AnswerWithAzimuth(asking, azimuth_deg, {}, draft)) return false;
  if (!asking.multiple_choice) return true;
  const bool in_words = draft.options[0] == SectorName(SectorOf(azimuth_deg));
  draft.options.clear();
  for (double image : {azimuth_deg, -azimuth_deg, 180.0 - azimuth_deg, 180.0 + azimuth_deg}) {
    draft.options.push_back(in_words ? std::string(SectorName(SectorOf(image))) : AzimuthPhrase(image));
  }
  return true;
}

Generator GeneratorOf(Task task) {
  switch (task) {
    case Task::kDetectSources:
      return AskDetectSources;
    case Task::kCountSources:
      return AskCountSources;
    case Task::kDetectTime:
      return AskDetectTime;
    case Task::kEstimateAzimuth:
      return AskAzimuth;
    case Task::kEstimateElevation:
      return AskElevation;
    case Task::kEstimateDistance:
      return AskDistance;
    case Task::kEstimateReverberation:
      return AskReverberation;
    case Task::kEstimateRoomSize:
      return AskRoomSize;
    case Task::kClassifyMotion:
      return AskMotion;
    case Task::kIdentifySourceByDirection:
      return AskWhatIsThere;
    case Task::kIdentifySourceByLocation:
      return AskWhatIsThereAtDistance;
    case Task::kBindIdentityLocationDistance:
      return AskBinding;
    case Task::kRelativeLeftRight:
      return AskLeftRight;
    case Task::kRelativeDirectionBetweenObjects:
      return AskDirectionBetween;
    case Task::kCompareElevation:
      return AskWhichHigher;
    case Task::kCompareDistance:
      return AskWhichCloser;
    case Task::kTemporalOrder:
      return AskWhichFirst;
    case Task::kOnsetFromLocation:
      return AskOnsetFromLocation;
    case Task::kAngularSeparation:
      return AskSeparation;
    case Task::kListenerRotation:
      return AskAfterTurn;
    case Task::kListenerTranslation:
      return AskAfterWalk;
    case Task::kSourceRemoval:
      return AskAfterRemoval;
    case Task::kCompoundCondition:
      return AskCompound;
    case Task::kMultiHop:
      return AskMultiHop;
    case Task::kSceneAbduction:
      return AskAbduction;
    case Task::kMotionPrediction:
      return AskMotionPrediction;
  }
  return nullptr;
}

}  // namespace auricle::sim
