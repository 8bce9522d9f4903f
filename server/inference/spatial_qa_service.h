// The SpatialQa service: hands each call to its reactor. Requests come as bytes, see runtime/wire.h for the reason.
#pragma once

#include "auricle/v1/inference.grpc.pb.h"
#include "server/inference/serving_context.h"
#include "server/inference/stream_registry.h"

namespace auricle::server {

class SpatialQaService final : public v1::SpatialQa::WithRawCallbackMethod_Ask<
                                   v1::SpatialQa::WithRawCallbackMethod_StreamAsk<v1::SpatialQa::Service>> {
 public:
  // Both outlive the service.
  SpatialQaService(const ServingContext& server, StreamRegistry& streams) : server_(server), streams_(streams) {}

  grpc::ServerUnaryReactor* Ask(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                grpc::ByteBuffer* response) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamAsk(grpc::CallbackServerContext* context) override;

 private:
  const ServingContext& server_;
  StreamRegistry& streams_;
};

}  // namespace auricle::server
