// The one precompiled header: LibTorch's public API, which costs 15-25 s a file when it is parsed anew.
#pragma once
#include <torch/torch.h>
