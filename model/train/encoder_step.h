// One replica's share of an encoder step: forward, loss, backward.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/encoder/ears_network.h"
#include "model/train/encoder_loss.h"
#include "model/train/optimizer.h"
#include "model/train/scene_targets.h"

namespace auricle::train {

// What the loss reads, by reference, out of what the ears perceive.
EncoderPredictions ToPredictions(const model::EarsOutput& heard);

// Leaves gradients in the network's parameters (added to those present). features [B, 10, F, mels] float32.
EncoderLoss EncoderForwardBackward(model::EarsNetwork& network, const torch::Tensor& features,
                                   const SceneTargets& targets, const EncoderLossWeights& weights, bool bf16);

// The module's tensors as the learner takes them.
std::vector<Parameter> ModuleParameters(const torch::nn::Module& module, const std::string& prefix = "");
std::vector<Parameter> ModuleBuffers(const torch::nn::Module& module, const std::string& prefix = "");

}  // namespace auricle::train
