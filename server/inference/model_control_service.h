// The ModelControl service: which models serve. LoadModel and UnloadModel are not served yet and answer UNIMPLEMENTED.
#pragma once

#include "auricle/v1/model.grpc.pb.h"
#include "server/inference/model_registry.h"

namespace auricle::server {

class ModelControlService final : public v1::ModelControl::CallbackService {
 public:
  explicit ModelControlService(const ModelRegistry& models) : models_(models) {}

  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context, const v1::ListModelsRequest* request,
                                       v1::ListModelsResponse* response) override;
  grpc::ServerUnaryReactor* GetModel(grpc::CallbackServerContext* context, const v1::GetModelRequest* request,
                                     v1::ModelInfo* response) override;

 private:
  const ModelRegistry& models_;
};

}  // namespace auricle::server
