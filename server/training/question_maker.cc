#include "server/training/question_maker.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/atomic_file.h"
#include "model/text/bpe_trainer.h"
#include "sim/question/description.h"

namespace auricle::training {
namespace {

constexpr int kCorpusScenes = 256;

// Ways to ask for everything at once.
constexpr const char* kCaptionPrompts[] = {
    "Describe the scene.",
    "What do you hear?",
    "Describe everything that you hear, and where.",
    "What sounds are there, where are they, and when do they sound?",
    "Tell me about this recording.",
};

// What the tokeniser learns from: all that training will read and write about some scenes.
absl::StatusOr<std::vector<std::string>> Corpus(const Workshop& shop, const SceneMaker& maker) {
  v1::SceneSpec spec = shop.config.scenes;
  spec.set_split("train");
  std::vector<std::vector<std::string>> lines(kCorpusScenes);
  const absl::Status status = shop.team.ForEach(kCorpusScenes, [&](int64_t n) {
    auto made = maker.Make(spec, /*seed=*/3, static_cast<uint64_t>(n));
    if (!made.ok()) return made.status();
    sim::Random random(3, static_cast<uint64_t>(n), "corpus");
    sim::QuestionOptions options;
    options.per_scene = 0;
    for (const v1::Question& question : sim::AskAbout(made->truth, options, random)) {
      lines[n].push_back(question.text());
      lines[n].insert(lines[n].end(), question.options().begin(), question.options().end());
      if (question.form() == v1::QUESTION_FORM_OPEN) lines[n].push_back(sim::AnswerText(question));
    }
    for (int i = 0; i < 3; ++i) lines[n].push_back(sim::DescribeScene(made->truth, &random));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  std::vector<std::string> all;
  for (const char* prompt : kCaptionPrompts) all.push_back(prompt);
  for (auto& part : lines) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

absl::StatusOr<std::unique_ptr<QuestionMaker>> QuestionMaker::Create(const Workshop& shop, const SceneMaker& maker) {
  const std::string path = shop.model_folder + "/tokenizer.json";
  if (!std::filesystem::exists(path)) {
    spdlog::info("training a tokeniser of {} tokens", shop.config.vocabulary);
    auto lines = Corpus(shop, maker);
    if (!lines.ok()) return lines.status();
    const std::string_view special[] = {model::kEndOfText, model::kImStart, model::kImEnd, model::kAudioToken};
    auto json = model::TrainBpe(*lines, static_cast<int>(shop.config.vocabulary), special);
    if (!json.ok()) return json.status();
    const std::string_view pieces[] = {*json};
    if (absl::Status status = model::WriteFileAtomically(path, pieces); !status.ok()) return status;
  }
  auto tokenizer = model::Tokenizer::Load(path);
  if (!tokenizer.ok()) return tokenizer.status();
  if ((*tokenizer)->size() > shop.config.decoder.vocab_size) {
    return absl::InvalidArgumentError(absl::StrCat("decoder.vocab_size is ", shop.config.decoder.vocab_size, ", but ",
                                                   path, " has ", (*tokenizer)->size(), " tokens"));
  }
  auto chat = model::ChatTemplate::Create(*tokenizer);
  if (!chat.ok()) return chat.status();
  std::unique_ptr<QuestionMaker> made(new QuestionMaker);
  made->chat_ = std::make_unique<const model::ChatTemplate>(*std::move(chat));
  return made;
}

train::AnswerRow QuestionMaker::Empty(const v1::Scene& truth, const DecoderStageConfig& config) const {
  train::AnswerRow row;
  row.before_audio = chat_->before_audio();
  if (config.evidence == "text") {
    auto words = chat_->tokenizer()->Encode(sim::DescribeScene(truth), model::SpecialTokens::kAsText);
    if (words.ok()) row.before_audio.insert(row.before_audio.end(), words->begin(), words->end());
  }
  return row;
}

absl::StatusOr<train::AnswerBlock> QuestionMaker::Block(const std::string& prompt,
                                                        const std::vector<std::string>& answers,
                                                        train::AnswerKind kind) const {
  auto asked = chat_->AfterAudio(prompt);
  if (!asked.ok()) return asked.status();
  train::AnswerBlock block{*std::move(asked), {}, kind};
  for (const std::string& answer : answers) {
    auto said = chat_->Answer(answer);
    if (!said.ok()) return said.status();
    block.answers.push_back(*std::move(said));
  }
  return block;
}

absl::StatusOr<train::AnswerBlock> QuestionMaker::OpenBlock(const v1::Question& question) const {
  return Block(question.text(), {sim::AnswerText(question)}, train::AnswerKind::kOpen);
}

absl::StatusOr<train::AnswerBlock> QuestionMaker::OptionBlock(const v1::Question& question) const {
  const int right = question.key().letter().empty() ? -1 : question.key().letter()[0] - 'A';
  if (right < 0 || right >= question.options_size()) {
    return absl::InternalError(absl::StrCat("question ", question.id(), " has no right option"));
  }
  std::vector<std::string> options(question.options().begin(), question.options().end());
  std::rotate(options.begin(), options.begin() + right, options.begin() + right + 1);
  return Block(question.text(), options, train::AnswerKind::kOption);
}

absl::StatusOr<train::AnswerBlock> QuestionMaker::CaptionBlock(const v1::Scene& truth, sim::Random& random) const {
  const char* const prompt = kCaptionPrompts[random.Index(std::size(kCaptionPrompts))];
  return Block(prompt, {sim::DescribeScene(truth, &random)}, train::AnswerKind::kCaption);
}

absl::StatusOr<train::AnswerRow> QuestionMaker::Row(const v1::Scene& truth, const DecoderStageConfig& config,
                                                    const CurriculumPhase& phase, sim::Random& random) const {
  train::AnswerRow row = Empty(truth, config);
  // Shares are kept in expectation: so many whole ones, and one more by chance.
  const auto draw = [&](double expected) {
    const double whole = std::floor(expected);
    return static_cast<int>(whole) + (random.Chance(expected - whole) ? 1 : 0);
  };
  const double count = static_cast<double>(config.questions_per_scene);
  const int captions = draw(phase.caption_share >= 1 ? 1 : count * phase.caption_share);
  const double questions = phase.caption_share >= 1 ? 0 : count * (1 - phase.caption_share);
  const int choices = draw(questions * phase.multiple_choice_share);
  const int open = draw(questions * (1 - phase.multiple_choice_share));
  sim::QuestionOptions options;
  for (int64_t level : phase.levels) options.levels.push_back(static_cast<v1::QuestionLevel>(level));
  for (const auto& [form, number] : {std::pair{sim::AskForm::kMultipleChoice, choices}, {sim::AskForm::kOpen, open}}) {
    if (number == 0) continue;
    options.form = form;
    options.per_scene = number;
    for (const v1::Question& question : sim::AskAbout(truth, options, random)) {
      auto block = form == sim::AskForm::kMultipleChoice ? OptionBlock(question) : OpenBlock(question);
      if (!block.ok()) return block.status();
      row.blocks.push_back(*std::move(block));
    }
  }
  for (int i = 0; i < captions; ++i) {
    auto block = CaptionBlock(truth, random);
    if (!block.ok()) return block.status();
    row.blocks.push_back(*std::move(block));
  }
  return row;
}

std::vector<v1::Question> QuestionMaker::HeldOut(const v1::Scene& truth, sim::AskForm form, int count) const {
  sim::Random random(truth.seed(), truth.index(), form == sim::AskForm::kOpen ? "held-out/open" : "held-out/choice");
  sim::QuestionOptions options;
  options.form = form;
  options.per_scene = count;
  options.held_out_wordings = true;
  return sim::AskAbout(truth, options, random);
}

}  // namespace auricle::training
