# How a room of the house becomes a target. Targets mirror folders: model/audio -> auricle_audio, sim -> auricle_sim, ...

# The precompiled header of LibTorch, made once for all targets.
file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/torch_pch.cc" CONTENT "// Nothing but the header that is compiled with it.\n")
add_library(auricle_torch_pch OBJECT "${CMAKE_BINARY_DIR}/torch_pch.cc")
target_link_libraries(auricle_torch_pch PRIVATE auricle_torch)
target_precompile_headers(auricle_torch_pch PRIVATE "${CMAKE_SOURCE_DIR}/cmake/torch_pch.h")

# Files that share large headers are compiled a few at a time. GCC instantiates a precompiled header's pending templates anew for
# each file that uses it: 6 s of LibTorch's even for an empty one (docs/decisions/0013-build-in-batches.md). OFF: file by file, for
# clang-tidy and for one who edits a single file all day.
option(AURICLE_UNITY "compile the files that see LibTorch, and the tests, in batches" ON)

# What ThreadSanitizer needs to know of absl::Mutex (the file says why).
if(AURICLE_SANITIZE STREQUAL "thread")
  add_library(auricle_absl_mutex STATIC "${CMAKE_SOURCE_DIR}/cmake/sanitizers/absl_mutex.cc")
  target_link_libraries(auricle_absl_mutex PUBLIC absl::synchronization)
  foreach(_function Mutex4LockEv Mutex6UnlockEv Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE)
    target_link_options(auricle_absl_mutex INTERFACE "LINKER:--wrap=_ZN4absl7debian35${_function}")
  endforeach()
  # The linker takes the packaged libraries' own calls for calls of the wrapped names too; they are not.
  target_link_options(auricle_absl_mutex INTERFACE "LINKER:--allow-shlib-undefined")
endif()

# auricle_library(NAME [TORCH] SOURCES a.cc ... [PLAIN b.cc ...] DEPS target ...)
# TORCH: the sources see LibTorch through that header (torch/torch.h costs 15-25 s a file without it); those under PLAIN go without.
function(auricle_library name)
  cmake_parse_arguments(ARG "TORCH" "" "SOURCES;PLAIN;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES} ${ARG_PLAIN})
  set_source_files_properties(${ARG_PLAIN} PROPERTIES SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON)
  _auricle_common(${name})
endfunction()

# auricle_program(NAME [TORCH] SOURCES main.cc ... DEPS target ...)
function(auricle_program name)
  cmake_parse_arguments(ARG "TORCH" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  _auricle_common(${name})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
endfunction()

# auricle_test(NAME [TORCH] SOURCES a_test.cc ... DEPS target ... [LABELS label ...])
# One program for a room, one test of CTest.
function(auricle_test name)
  cmake_parse_arguments(ARG "TORCH" "" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  _auricle_common(${name})
  target_link_libraries(${name} PRIVATE GTest::gmock GTest::gtest GTest::gtest_main)
  set_target_properties(${name} PROPERTIES UNITY_BUILD ${AURICLE_UNITY} UNITY_BUILD_BATCH_SIZE 4)
  # shared/ lies beside the checkout (or inside it); tests that need a reference look under AURICLE_SHARED_DIR and skip without it.
  target_compile_definitions(${name} PRIVATE AURICLE_SOURCE_DIR="${CMAKE_SOURCE_DIR}" AURICLE_SHARED_DIR="${AURICLE_SHARED_DIR}"
    AURICLE_BIN_DIR="${CMAKE_BINARY_DIR}/bin")
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  # One OpenMP thread: two that spin while other programs hold the cores made a one-second test take forty.
  set_tests_properties(${name} PROPERTIES TIMEOUT 900 LABELS "${ARG_LABELS}" ENVIRONMENT "OMP_NUM_THREADS=1")
endfunction()

# auricle_sources(NAME a.cc ...): a room in a sub-folder adds its sources to the target that it belongs to.
function(auricle_sources name)
  set(_sources ${ARGN})
  list(TRANSFORM _sources PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" REGEX "^[^/]")
  target_sources(${name} PRIVATE ${_sources})
endfunction()

macro(_auricle_common name)
  target_include_directories(${name} PUBLIC "${CMAKE_SOURCE_DIR}")
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE auricle_warnings)
  if(TARGET auricle_absl_mutex)
    target_link_libraries(${name} PUBLIC auricle_absl_mutex)
  endif()
  if(ARG_TORCH)
    target_link_libraries(${name} PUBLIC auricle_torch)
    target_precompile_headers(${name} REUSE_FROM auricle_torch_pch)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ${AURICLE_UNITY} UNITY_BUILD_BATCH_SIZE 5)
    # GCC 12 under sanitizers takes moved-from optionals of LibTorch's option structs for uninitialised ones, and says of
    # the fences in LibTorch's headers that ThreadSanitizer does not see them (cmake/sanitizers/tsan.supp).
    if(AURICLE_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(${name} PRIVATE -Wno-maybe-uninitialized -Wno-tsan)
    endif()
  endif()
endmacro()

find_path(_shared NAMES reference/anchors.md PATHS "${CMAKE_SOURCE_DIR}/shared" "${CMAKE_SOURCE_DIR}/../shared" NO_DEFAULT_PATH)
set(AURICLE_SHARED_DIR "${_shared}" CACHE PATH "reference material for tests (shared/)")
