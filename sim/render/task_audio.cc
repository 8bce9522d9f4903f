#include "sim/render/task_audio.h"

#include "model/audio/audio_file.h"
#include "model/audio/resample.h"
#include "sim/render/scene_renderer.h"
#include "sim/scene/scene_sampler.h"

namespace auricle::sim {
namespace {

constexpr int kModelRate = 16000;

absl::StatusOr<audio::FoaClip> ReadClip(const v1::AudioClip& clip) {
  if (clip.encoding() != v1::AUDIO_ENCODING_FILE || clip.format() != v1::FOA_FORMAT_AMBIX) {
    return absl::InvalidArgumentError(
        "clip: a task's audio must be an AmbiX file (AUDIO_ENCODING_FILE, FOA_FORMAT_AMBIX)");
  }
  return audio::ReadFoaBytes(clip.data(), audio::FoaFormat::kAmbiX);
}

absl::StatusOr<audio::FoaClip> Render(const v1::SceneRef& scene, const SourceBank* bank) {
  if (bank == nullptr)
    return absl::FailedPreconditionError("scene: rendering it needs the bank of recordings (--bank)");
  absl::StatusOr<RenderedScene> rendered = RenderScene(scene.spec(), *bank, scene.seed(), scene.index());
  if (!rendered.ok()) return rendered.status();
  return std::move(rendered->audio);
}

}  // namespace

absl::StatusOr<audio::FoaClip> TaskAudio(const v1::RolloutTask& task, const SourceBank* bank) {
  absl::StatusOr<audio::FoaClip> clip = absl::InvalidArgumentError("audio: is absent, must be a scene or a clip");
  if (task.has_clip()) clip = ReadClip(task.clip());
  if (task.has_scene()) clip = Render(task.scene(), bank);
  if (!clip.ok() || clip->sample_rate == kModelRate) return clip;
  return audio::ResampleFoa(*clip, kModelRate);
}

}  // namespace auricle::sim
