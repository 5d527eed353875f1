// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Several engines in a process, and what is left when it ends: objects of static
// storage are destroyed in an order that nobody chooses.
#include "runtime/engine/engine.h"
#if RADDLE_HAVE_CUDA
#include "runtime/driver/graph.h"
#include "test/unit/runtime/ptx_samples.h"
#endif

#include <gtest/gtest.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

namespace rad::rt {
namespace {

/// A program that prints the last of n numbers, computed by a kernel.
std::string program(int n) {
  return "kernel twice(mut x: [f32; n]) forall i in 0..n { x[i] = 2.0 * f32(i) }\n"
         "let x = zeros[f32](" +
         std::to_string(n) +
         ")\n"
         "twice(x)\n"
         "print(\"{}\", x[" +
         std::to_string(n - 1) + "])\n";
}

/// Runs an engine for some programs; what they printed, or the failure.
std::string runEngine(const char* device, int first) {
  std::string printed;
  EngineOptions options;
  options.device = device;
  options.output = [&](std::string_view text) { printed += text; };
  auto engine = Engine::create(std::move(options));
  if (!engine) return engine.error().render();
  for (int n = first; n < first + 3; ++n) {
    RunResult result = (*engine)->run("test.rad", program(n));
    if (result.error) return result.error->text;
    if (result.outcome != RunOutcome::Done) return "rejected";
  }
  return printed;
}

std::string expected(int first) {
  std::string out;
  for (int n = first; n < first + 3; ++n) out += std::to_string(2 * (n - 1)) + ".0\n";
  return out;
}

TEST(Engines, TwoOfThemWorkInTwoThreads) {
  for (int round = 0; round < 3; ++round) {
    std::string one, two;
    std::thread other([&] { two = runEngine("host", 40); });
    one = runEngine("host", 10);
    other.join();
    EXPECT_EQ(one, expected(10));
    EXPECT_EQ(two, expected(40));
  }
}

#if RADDLE_HAVE_CUDA

TEST(Engines, TwoOfThemShareAGpuInTwoThreads) {
  // The fake runs no kernel: what counts is that both get through. A GPU is
  // shared by the programs of test/lit that run beside each other.
  std::string one, two;
  std::thread other([&] { two = runEngine("cuda:0", 40); });
  one = runEngine("cuda:0", 10);
  other.join();
  EXPECT_EQ(one, "0.0\n0.0\n0.0\n");
  EXPECT_EQ(two, "0.0\n0.0\n0.0\n");
}

/// One of each that holds something of the driver.
struct Everything {
  cuda::Context context;
  cuda::Stream stream;
  cuda::Event event;
  cuda::Memory plain, pooled;
  cuda::PinnedMemory pinned;
  cuda::Pool pool;
  cuda::Kernel kernel;
  cuda::PreparedLaunch prepared;
  cuda::GraphExec graph;

  Status make() {
    RAD_ASSIGN(context, cuda::Context::primary(0));
    RAD_ASSIGN(stream, cuda::Stream::create(context));
    RAD_ASSIGN(event, cuda::Event::create(context));
    RAD_ASSIGN(plain, cuda::Memory::allocate(context, 64));
    RAD_ASSIGN(pool, cuda::Pool::create(context));
    RAD_ASSIGN(pooled, cuda::Memory::allocate(pool, stream, 64));
    RAD_ASSIGN(pinned, cuda::PinnedMemory::allocate(context, 64));
    RAD_ASSIGN(const cuda::Library library, cuda::Library::load(context, cuda::Image::ptx(test::saxpyPtx())));
    RAD_ASSIGN(kernel, library.kernel("saxpy"));
    RAD_ASSIGN(prepared, cuda::PreparedLaunch::make(stream, kernel, {}, 2.f, plain.address(), pooled.address(),
                                                    std::uint32_t(0)));
    RAD_ASSIGN(const cuda::Graph made, cuda::capture(stream, [&] { return prepared.launch(); }));
    RAD_ASSIGN(graph, made.instantiate());
    RAD_TRY(graph.launch(stream));
    return stream.record(event);  // work is under way when the process ends
  }
};

/// Constructed before the driver is opened: destroyed behind what the driver
/// does when the process ends.
std::optional<Everything> early;

int endWithStatics() {
  early.emplace();
  if (Status made = early->make(); !made) {
    std::fprintf(stderr, "%s\n", made.error().render().c_str());
    return 1;
  }
  // Constructed behind it: destroyed before.
  static std::optional<Everything> late;
  late.emplace();
  return late->make() ? 0 : 1;
}

TEST(Engines, StaticObjectsMayGoBeforeAndBehindTheDriver) {
  const std::string name = testing::TempDir() + "raddle_engines_" + std::to_string(getpid());
  const std::string journal = name + ".journal", errors = name + ".errors";
  std::remove(journal.c_str());
  ::setenv("CUDA_FAKE", ("journal=" + journal).c_str(), 1);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 2, errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  char self[] = "engines", what[] = "--statics";
  char* arguments[] = {self, what, nullptr};
  pid_t child = 0;
  ASSERT_EQ(posix_spawn(&child, "/proc/self/exe", &actions, nullptr, arguments, environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  ::unsetenv("CUDA_FAKE");
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  std::ostringstream said, calls;
  said << std::ifstream(errors).rdbuf();
  calls << std::ifstream(journal).rdbuf();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status << '\n' << said.str();
  EXPECT_EQ(said.str(), "") << "warnings";
  // The late one was released, the early one left to the system.
  const auto count = [&](const char* text) {
    const std::string all = calls.str();
    int found = 0;
    for (std::size_t at = 0; (at = all.find(text, at)) != std::string::npos; ++at) ++found;
    return found;
  };
  EXPECT_EQ(count(" cuStreamCreateWithPriority("), 2);
  EXPECT_EQ(count(" cuStreamDestroy("), 1);
  EXPECT_EQ(count(" cuLibraryUnload("), 1);
  EXPECT_EQ(count(" cuDevicePrimaryCtxRelease("), 1);
  std::remove(journal.c_str());
  std::remove(errors.c_str());
}

#endif

}  // namespace
}  // namespace rad::rt

int main(int argc, char** argv) {
#if RADDLE_HAVE_CUDA
  ::setenv("RADDLE_CUDA_DRIVER", RADDLE_FAKE_CUDA_DIR "/libcudafake.so", 1);
  if (argc == 2 && std::strcmp(argv[1], "--statics") == 0) return rad::rt::endWithStatics();
#endif
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
