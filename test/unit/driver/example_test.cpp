// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The program of docs/runtime.md: the page shows it as it is, and it runs.

#include "test/unit/driver/backend.h"

#include <array>
#include <fstream>
#include <sstream>

namespace rad::cuda {
namespace {

/// The folder of the program of this test, where the example is too.
std::string ownFolder() {
  std::array<char, 4096> path{};
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size() - 1);
  const std::string whole(path.data(), std::size_t(std::max<ssize_t>(length, 0)));
  return whole.substr(0, whole.rfind('/'));
}

/// Runs the example with variables in front; gives its output and status.
std::string runExample(const std::string& variables, int& status) {
  const std::string command = variables + " " + ownFolder() + "/raddle_driver_example 2>&1";
  std::string text;
  FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) return text;
  char buffer[512];
  while (fgets(buffer, sizeof buffer, pipe)) text += buffer;
  status = pclose(pipe);
  return text;
}

TEST(Example, ThePageShowsTheProgram) {
  const char* named = std::getenv("RADDLE_SOURCE_DIR");
  const std::string root = named ? named : RADDLE_SOURCE_DIR;
  std::ifstream programFile(root + "/examples/cpp/driver.cpp");
  std::ifstream pageFile(root + "/docs/runtime.md");
  if (!programFile || !pageFile) GTEST_SKIP() << "no sources in " << root;
  std::ostringstream program, page;
  program << programFile.rdbuf();
  page << pageFile.rdbuf();
  // Without the two lines about the file.
  std::string text = program.str();
  text = text.substr(text.find("#include"));
  EXPECT_NE(page.str().find("```cpp\n" + text + "```\n"), std::string::npos)
      << "docs/runtime.md and examples/cpp/driver.cpp differ";
}

TEST(Example, RunsToItsEndOnTheFake) {
  int status = -1;
  const std::string text = runExample("RADDLE_CUDA_DRIVER=" + test::FakeDriver::path() + " CUDA_FAKE=", status);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(text, "y[0] = 1, y[999] = 1\n") << "the fake computes nothing";
}

TEST(Example, TellsWhatFailed) {
  int status = -1;
  const std::string text =
      runExample("RADDLE_CUDA_DRIVER=" + test::FakeDriver::path() + " CUDA_FAKE=fail=cuMemAllocAsync@*:2", status);
  EXPECT_EQ(status, 3 << 8);
  EXPECT_NE(text.find("could not allocate 3.9 KiB on cuda:0"), std::string::npos) << text;
}

using ExampleGpu = OnGpu;

TEST_F(ExampleGpu, ComputesTheRightNumbers) {
  int status = -1;
  const std::string text = runExample("", status);
  EXPECT_EQ(status, 0) << text;
  EXPECT_EQ(text, "y[0] = 7, y[999] = 7\n");
}

}  // namespace
}  // namespace rad::cuda
