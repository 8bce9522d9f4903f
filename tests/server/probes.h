// What an operator's tools do to a server: health checks, a scrape of its metrics, listing its services.
#pragma once

#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/impl/codegen/sync_stream.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

namespace auricle::server {

// grpc.health.v1.Health/Check by hand: its messages are one field each, and the package ships no stubs for them.
class HealthClient {
 public:
  explicit HealthClient(std::shared_ptr<grpc::Channel> channel) : channel_(std::move(channel)) {}

  // "SERVING", "NOT_SERVING" or the error. `service` below 128 bytes.
  std::string Check(const std::string& service = "") {
    std::string request;
    if (!service.empty()) request = std::string("\x0A", 1) + static_cast<char>(service.size()) + service;
    const grpc::Slice slice(request);
    const grpc::ByteBuffer in(&slice, 1);
    grpc::ByteBuffer out;
    grpc::ClientContext context;
    const grpc::internal::RpcMethod method("/grpc.health.v1.Health/Check", grpc::internal::RpcMethod::NORMAL_RPC);
    const grpc::Status status = grpc::internal::BlockingUnaryCall(channel_.get(), method, &context, in, &out);
    if (!status.ok()) return status.error_message();
    std::vector<grpc::Slice> slices;
    (void)out.Dump(&slices);
    std::string bytes;
    for (const grpc::Slice& part : slices) bytes.append(reinterpret_cast<const char*>(part.begin()), part.size());
    if (bytes == std::string("\x08\x01", 2)) return "SERVING";
    if (bytes == std::string("\x08\x02", 2)) return "NOT_SERVING";
    return "UNKNOWN";
  }

 private:
  const std::shared_ptr<grpc::Channel> channel_;
};

// Opens and closes a reflection stream.
inline grpc::StatusCode ReflectionStatus(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::ClientContext context;
  const grpc::internal::RpcMethod method("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                                         grpc::internal::RpcMethod::BIDI_STREAMING, channel);
  const std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>> stream(
      grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>::Create(channel.get(), method,
                                                                                            &context));
  stream->WritesDone();
  grpc::ByteBuffer ignored;
  while (stream->Read(&ignored)) {
  }
  return stream->Finish().error_code();
}

// The body and head of an HTTP answer; `address` as 127.0.0.1:port.
inline std::string HttpGet(const std::string& address, const std::string& path) {
  const int connection = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string text;
  if (::connect(connection, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0) {
    const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
    if (::write(connection, request.data(), request.size()) == static_cast<ssize_t>(request.size())) {
      char block[4096];
      ssize_t got;
      while ((got = ::read(connection, block, sizeof(block))) > 0) text.append(block, static_cast<size_t>(got));
    }
  }
  ::close(connection);
  return text;
}

}  // namespace auricle::server
