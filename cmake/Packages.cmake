# Everything that comes from outside, as imported targets. Each has a line in docs/decisions/0001-dependencies.md.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Protobuf REQUIRED)
find_package(absl REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(hwy CONFIG QUIET)
find_package(GTest REQUIRED)
find_package(SQLite3 REQUIRED)
if(NOT TARGET SQLite3::SQLite3)  # its name since CMake 4.3; Debian 12 has 3.25
  add_library(SQLite3::SQLite3 ALIAS SQLite::SQLite3)
endif()
find_package(OpenSSL REQUIRED)

pkg_check_modules(SNDFILE REQUIRED IMPORTED_TARGET sndfile)
pkg_check_modules(SOXR REQUIRED IMPORTED_TARGET soxr)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(PNG REQUIRED IMPORTED_TARGET libpng)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
if(NOT TARGET hwy::hwy)
  pkg_check_modules(HWY REQUIRED IMPORTED_TARGET libhwy)
  add_library(hwy::hwy ALIAS PkgConfig::HWY)
endif()

# LibTorch: the C++ half of the wheel torch==2.13.0, unpacked by ./run setup, or any LibTorch >= 2.6 that the user names.
set(AURICLE_LIBTORCH "${CMAKE_SOURCE_DIR}/.deps/libtorch" CACHE PATH "folder with include/ and lib/ of LibTorch")
if(NOT EXISTS "${AURICLE_LIBTORCH}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "No LibTorch in ${AURICLE_LIBTORCH}: run ./run setup, or give -DAURICLE_LIBTORCH=DIR (LibTorch >= 2.6)")
endif()
add_library(auricle_torch INTERFACE)
# -idirafter: the wheel carries an old google/protobuf that must not shadow the system's.
target_compile_options(auricle_torch INTERFACE
  "SHELL:-idirafter ${AURICLE_LIBTORCH}/include/torch/csrc/api/include" "SHELL:-idirafter ${AURICLE_LIBTORCH}/include")
set(_torch_libs "${AURICLE_LIBTORCH}/lib/libtorch.so" "${AURICLE_LIBTORCH}/lib/libtorch_cpu.so" "${AURICLE_LIBTORCH}/lib/libc10.so")
if(EXISTS "${AURICLE_LIBTORCH}/lib/libtorch_cuda.so")
  list(APPEND _torch_libs "${AURICLE_LIBTORCH}/lib/libtorch_cuda.so" "${AURICLE_LIBTORCH}/lib/libc10_cuda.so")
endif()
# libtorch.so is only a shell that pulls in the parts; keep it although no symbol of it is used.
target_link_libraries(auricle_torch INTERFACE "-Wl,--no-as-needed" ${_torch_libs} "-Wl,--as-needed")
target_link_options(auricle_torch INTERFACE "-Wl,-rpath,${AURICLE_LIBTORCH}/lib")
