// Compares two versions of the protocol the way a client built against the old one would feel it.
#pragma once

#include <string>
#include <vector>

#include "google/protobuf/descriptor.pb.h"

namespace auricle::proto_test {

// Everything in `before` of package `package` that `after` lacks or holds differently, one line each, e.g.
// "auricle.v1.Question.text: number was 6, is 7". Empty when `after` only adds: new files, messages, fields (with new
// numbers), enum values, services, methods. Names, numbers, types, labels, oneof membership and streaming may not
// change.
std::vector<std::string> BreakingChanges(const google::protobuf::FileDescriptorSet& before,
                                         const google::protobuf::FileDescriptorSet& after, const std::string& package);

}  // namespace auricle::proto_test
