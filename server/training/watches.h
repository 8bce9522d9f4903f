// Server-streaming calls that follow something: each sends what is new to it, when there is something new.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/runtime/grpc_order.h"

namespace auricle::server {

// All watches of one source of messages. At most one write is in flight for each, so a slow reader holds one message
// and nothing else. Thread-safe. The source calls Notify() after every change, without holding its own locks: pullers
// take them. Stop() before the gRPC server shuts down; destroyed after it.
template <typename Message>
class Watches {
 public:
  enum class Pull { kNothing, kMessage, kEnd };
  // Fills the next message of this watch, or says that there is none now, or none any more.
  using Puller = std::function<Pull(Message* message)>;

  // The reactor of a new watch; owned here, until gRPC is done with it.
  grpc::ServerWriteReactor<Message>* Add(Puller pull) {
    auto owner = std::make_unique<Watch>(this, std::move(pull));
    Watch* const watch = owner.get();
    absl::MutexLock lock(&mu_);
    watches_[watch] = std::move(owner);
    watch->Advance();
    return watch;
  }

  // A call that ends at once with an error.
  grpc::ServerWriteReactor<Message>* Refuse(const grpc::Status& error) {
    class Refused final : public grpc::ServerWriteReactor<Message> {
     public:
      explicit Refused(const grpc::Status& error) { this->Finish(error); }
      void OnDone() override { delete this; }
    };
    return new Refused(error);
  }

  void Notify() {
    absl::MutexLock lock(&mu_);
    for (auto& [watch, owner] : watches_) watch->Advance();
  }

  // Ends every watch with UNAVAILABLE; later ones end at once. Idempotent.
  void Stop() {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    for (auto& [watch, owner] : watches_) watch->Advance();
  }

 private:
  // Finishes when the client leaves, a write fails, the source ends or the watches are stopped.
  class Watch final : public grpc::ServerWriteReactor<Message> {
   public:
    // The lock guards the rest; what the callbacks read before they have it is ordered by gRPC.
    Watch(Watches* watches, Puller pull) : watches_(watches), pull_(std::move(pull)) { HandToGrpc(this); }

    void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(watches_->mu_) {
      if (finished_ || writing_) return;
      if (cancelled_ || watches_->stopping_) {
        End(cancelled_ ? grpc::Status::CANCELLED
                       : grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server is shutting down"));
        return;
      }
      switch (pull_(&message_)) {
        case Pull::kNothing:
          return;
        case Pull::kEnd:
          End(grpc::Status::OK);
          return;
        case Pull::kMessage:
          writing_ = true;
          this->StartWrite(&message_);
      }
    }

    void OnWriteDone(bool ok) override {
      TakeFromGrpc(this);
      absl::MutexLock lock(&watches_->mu_);
      writing_ = false;
      cancelled_ = cancelled_ || !ok;
      Advance();
    }

    void OnCancel() override {
      TakeFromGrpc(this);
      absl::MutexLock lock(&watches_->mu_);
      cancelled_ = true;
      Advance();
    }

    void OnDone() override {
      TakeFromGrpc(this);
      absl::MutexLock lock(&watches_->mu_);
      watches_->watches_.erase(this);  // deletes it
    }

   private:
    void End(const grpc::Status& status) {
      finished_ = true;
      this->Finish(status);
    }

    Watches* const watches_;
    const Puller pull_;
    bool writing_ = false;
    bool cancelled_ = false;
    bool finished_ = false;
    Message message_;
  };

  absl::Mutex mu_;
  std::map<Watch*, std::unique_ptr<Watch>> watches_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace auricle::server
