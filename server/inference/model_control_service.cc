#include "server/inference/model_control_service.h"

#include <utility>

#include "server/runtime/error_details.h"

namespace auricle::server {

grpc::ServerUnaryReactor* ModelControlService::ListModels(grpc::CallbackServerContext* context,
                                                          const v1::ListModelsRequest* /*request*/,
                                                          v1::ListModelsResponse* response) {
  for (v1::ModelInfo& info : models_.List()) *response->add_models() = std::move(info);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerUnaryReactor* ModelControlService::GetModel(grpc::CallbackServerContext* context,
                                                        const v1::GetModelRequest* request, v1::ModelInfo* response) {
  absl::StatusOr<v1::ModelInfo> info = models_.Describe(request->name());
  if (info.ok()) *response = *std::move(info);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(info.status()));
  return reactor;
}

}  // namespace auricle::server
