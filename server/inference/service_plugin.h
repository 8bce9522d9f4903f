// How another part of the process joins a server.
#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <vector>

namespace auricle::server {

// More services in the same process and on the same port: the training coordinator, for one.
class ServicePlugin {
 public:
  virtual ~ServicePlugin() = default;
  // Registered before the server starts; live until Stop has returned.
  virtual std::vector<grpc::Service*> Services() = 0;
  // Admit nothing new and let long polls end. Any thread.
  virtual void StartDrain() {}
  // Nothing in flight that a drain should wait for.
  virtual bool Idle() { return true; }
  // All calls have ended.
  virtual void Stop() {}
};

}  // namespace auricle::server
