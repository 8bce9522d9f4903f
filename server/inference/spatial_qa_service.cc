#include "server/inference/spatial_qa_service.h"

#include "server/inference/ask_call.h"
#include "server/inference/stream_call.h"

namespace auricle::server {

grpc::ServerUnaryReactor* SpatialQaService::Ask(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                                grpc::ByteBuffer* response) {
  return AskCall::Begin(server_, context, request, response);
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* SpatialQaService::StreamAsk(
    grpc::CallbackServerContext* context) {
  return StreamCall::Begin(server_, streams_, context);
}

}  // namespace auricle::server
