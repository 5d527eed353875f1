// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The host interface as compiled scripts call it, on a device of this process.
#include "test/unit/launch/memory_device.h"

#include <gtest/gtest.h>

#include <cmath>

namespace rad::rt::test {
namespace {

using Kind = cg::SiteManifest::Kind;
enum SiteNumber : uint32_t { KernelIndex, LaunchPlace, HostIndex, AssertPlace, CallPlace };

cg::SiteManifest place(Kind kind, uint32_t line, std::string text) {
  cg::SiteManifest out;
  out.kind = kind;
  out.file = "a.rad";
  out.line = line;
  out.column = 1;
  out.endColumn = static_cast<uint32_t>(text.size()) + 1;
  out.text = out.sourceLine = std::move(text);
  out.rank = 1;
  return out;
}

class HostAbi : public ::testing::TestWithParam<DeviceKind> {
 protected:
  HostAbi() : device(std::make_shared<MemoryDevice>(GetParam())) {
    auto made = std::make_shared<Unit>();
    made->manifest.kernels = {saxpy(), saxpy()};
    made->manifest.kernels[1].name = "max(x[i] for i in 0..n)";
    made->manifest.kernels[1].reduce = cg::ReduceOp::Max;
    made->manifest.sites = {place(Kind::Index, 3, "x[i + 1]"), place(Kind::Launch, 9, "saxpy(2.0, x, y)"),
                            place(Kind::Index, 10, "x[7]"), place(Kind::Assert, 11, "a == b"),
                            place(Kind::HostCall, 12, "zeros[f32](n)")};
    made->manifest.sites[AssertPlace].message = "a is {}";
    unit = made;
    ContextOptions options;
    options.device = device;
    options.kernels = &provider;
    options.output = [this](std::string_view text) { printed += text; };
    options.arguments = {"photo.png", "42"};
    context = std::make_unique<RadContext>(std::move(options));
    provider.kernels[0] = std::make_shared<BodyKernel>(cg::GeometryManifest{}, runSaxpy);
  }

  static void runSaxpy(const LaunchRequest& request, cg::FailureState&) {
    float a = *static_cast<const float*>(request.arguments[0]);
    auto* x = *static_cast<float* const*>(request.arguments[1]);
    auto* y = *static_cast<float* const*>(request.arguments[2]);
    int64_t low = *static_cast<const int64_t*>(request.arguments[4]),
            high = *static_cast<const int64_t*>(request.arguments[5]);
    for (int64_t i = low; i < high; ++i) y[i] += a * x[i];
  }

  /// Runs a body as a script does.
  std::optional<RunError> run(std::function<int32_t(RadContext*)> body) {
    static std::function<int32_t(RadContext*)>* current = nullptr;
    current = &body;
    return context->run(unit, [](RadContext* c) { return (*current)(c); });
  }

  RadView makeArray(std::vector<float> values) {
    RadView out = {
        nullptr, 0, {static_cast<int64_t>(values.size()), 1, 1, 1}, 1, static_cast<int32_t>(cg::ElementType::F32)};
    auto error =
        run([&](RadContext* c) { return rad_array_new(c, out.elementType, 1, out.extents, CallPlace, &out.array); });
    EXPECT_FALSE(error);
    EXPECT_TRUE(device->copyIn(out.array->buffer(), 0, std::as_bytes(std::span(values))));
    arrays.push_back(out.array);
    return out;
  }
  std::vector<float> read(const RadView& view) {
    std::vector<float> out(static_cast<size_t>(view.extents[0]));
    EXPECT_TRUE(device->copyOut(std::as_writable_bytes(std::span(out)), view.array->buffer(),
                                static_cast<uint64_t>(view.offset) * 4));
    return out;
  }
  int32_t launch(RadContext* c, const RadView& x, const RadView& y, uint32_t kernel = 0) {
    float a = 2.0f;
    const void* arguments[] = {&a, &x, &y};
    return rad_launch(c, kernel, arguments, LaunchPlace);
  }
  int32_t print(RadContext* c, std::string_view format, std::vector<RadPrintArgument> arguments = {}) {
    return rad_print(c, format.data(), static_cast<int64_t>(format.size()), static_cast<int32_t>(arguments.size()),
                     arguments.data());
  }
  static Body failing(int64_t value) {
    return [value](const LaunchRequest& request, cg::FailureState& state) {
      failCheck(state, {0, KernelIndex, request.serial, 0, value, 4, {}, {}, {value - 1, 0, 0, 0}});
    };
  }

  void TearDown() override {
    for (RadArray* array : arrays) rad_release(array);
    EXPECT_EQ(context->liveArrays(), 0);
  }

  std::shared_ptr<MemoryDevice> device;
  BodyProvider provider;
  std::shared_ptr<const Unit> unit;
  std::string printed;
  std::unique_ptr<RadContext> context;
  std::vector<RadArray*> arrays;
};

TEST_P(HostAbi, LaunchesOverTheWholeDomain) {
  RadView x = makeArray({1, 2, 3, 4}), y = makeArray({10, 20, 30, 40});
  EXPECT_FALSE(run([&](RadContext* c) { return launch(c, x, y); }));
  EXPECT_FALSE(context->finish());
  EXPECT_EQ(read(y), (std::vector<float>{12, 24, 36, 48}));
  ASSERT_EQ(device->requests.size(), 1u);
  const LaunchRequest& request = device->requests[0];
  EXPECT_EQ(request.name, "saxpy");
  EXPECT_EQ(request.serial, 1u);
  if (GetParam() == DeviceKind::Cuda) {
    EXPECT_EQ(request.grid, (std::array<uint32_t, 3>{1, 1, 1}));
    EXPECT_EQ(request.threads, 256u);
  } else {
    EXPECT_EQ(request.outerCount, 4);
    EXPECT_EQ(request.grain, 256);
    EXPECT_EQ(request.chunkCount, 0);
  }
  EXPECT_EQ(provider.keys, (std::vector<cg::SpecKey>{{true, true, true, false}}));
}

TEST_P(HostAbi, AnEmptyDomainLaunchesNothing) {
  RadView x = makeArray({}), y = makeArray({});
  EXPECT_FALSE(run([&](RadContext* c) { return launch(c, x, y); }));
  EXPECT_TRUE(device->requests.empty());
  EXPECT_TRUE(provider.keys.empty());
}

TEST_P(HostAbi, ARefusedLaunchShowsTheDeclaration) {
  RadView x = makeArray({1, 2, 3}), y = makeArray({1, 2});
  auto error = run([&](RadContext* c) { return launch(c, x, y); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->exitStatus(), 1);
  EXPECT_EQ(error->text,
            "a.rad:9:1: error[R0608]: saxpy: `x` and `y` must have the same size `n`: x is [3], y is [2]\n"
            "   9 | saxpy(2.0, x, y)\n"
            "     | ^~~~~~~~~~~~~~~~\n"
            "note: declared at saxpy.rad:2 as saxpy(a: f32, x: [f32; n], mut y: [f32; n])\n"
            "help: if the rest of `x` is not meant to take part, pass `x[0..2]`\n");
  EXPECT_TRUE(device->requests.empty());
  EXPECT_FALSE(context->finish());
}

TEST_P(HostAbi, RefusesSharedElements) {
  RadView x = makeArray({1, 2, 3, 4}), first = x, last = x;
  first.extents[0] = last.extents[0] = 3;
  last.offset = 1;
  auto error = run([&](RadContext* c) { return launch(c, first, last); });
  ASSERT_TRUE(error);
  EXPECT_NE(error->text.find("saxpy: `x` and `y` share elements (x has elements 0..3 of the array, y has elements "
                             "1..4), and the kernel writes to `y`"),
            std::string::npos);
  EXPECT_NE(error->text.find("copy(x)"), std::string::npos);
  // The halves have nothing in common.
  first.extents[0] = last.extents[0] = 2;
  last.offset = 2;
  EXPECT_FALSE(run([&](RadContext* c) { return launch(c, first, last); }));
  EXPECT_EQ(read(x), (std::vector<float>{1, 2, 5, 8}));
}

TEST_P(HostAbi, AFailedCheckSurfacesAtEachPlaceThatWaits) {
  RadView x = makeArray({1, 2, 3, 4}), y = makeArray({0, 0, 0, 0});
  provider.kernels[0] = std::make_shared<BodyKernel>(cg::GeometryManifest{}, failing(4));
  int64_t index = 0;
  float value = 0;
  double seconds = 0;
  std::string path = ::testing::TempDir() + "never.png";
  RadString pathText = {path.data(), static_cast<int64_t>(path.size())};
  RadView picture = x;
  picture.rank = 2;
  picture.extents[0] = picture.extents[1] = 2;
  std::vector<std::pair<std::string, std::function<int32_t(RadContext*)>>> places = {
      {"sync", [&](RadContext* c) { return rad_sync(c, CallPlace); }},
      {"read", [&](RadContext* c) { return rad_element_read(c, &x, &index, HostIndex, &value); }},
      {"print", [&](RadContext* c) { return print(c, "done"); }},
      {"clock", [&](RadContext* c) { return rad_clock(c, &seconds); }},
      {"picture", [&](RadContext* c) { return rad_file_write(c, RadPng, &pathText, &picture, CallPlace); }},
  };
  for (auto& [name, wait] : places) {
    auto error = run([&](RadContext* c) { return launch(c, x, y) || wait(c); });
    ASSERT_TRUE(error) << name;
    EXPECT_EQ(error->exitStatus(), 1) << name;
    std::string where = GetParam() == DeviceKind::Cuda ? " (block 0, thread 0)" : "";
    EXPECT_EQ(
        error->text,
        "a.rad:3:1: error[R0601]: index 4 is out of range for `x[i + 1]`: the size is 4\n"
        "   3 | x[i + 1]\n"
        "     | ^~~~~~~~\n"
        "note: in kernel `saxpy` at i = 3" +
            where +
            "\n"
            "note: launched at a.rad:9:1\n"
            "help: valid indices are 0 to 3; start the domain later, end it earlier, or guard the access with `if`\n")
        << name;
    EXPECT_FALSE(context->finish()) << name;  // reported once
  }
  EXPECT_EQ(printed, "");
  // At the end of the program, if nothing waited.
  EXPECT_FALSE(run([&](RadContext* c) { return launch(c, x, y); }));
  EXPECT_TRUE(context->finish());
  // Everything is still usable.
  provider.kernels[0] = std::make_shared<BodyKernel>(cg::GeometryManifest{}, runSaxpy);
  EXPECT_FALSE(run([&](RadContext* c) { return launch(c, x, y) || print(c, "ok"); }));
  EXPECT_EQ(printed, "ok\n");
  EXPECT_EQ(read(y), (std::vector<float>{2, 4, 6, 8}));
}

TEST_P(HostAbi, TheFirstOfManyLaunchesIsNamed) {
  RadView x = makeArray({1, 2, 3, 4}), y = makeArray({0, 0, 0, 0});
  int calls = 0;
  provider.kernels[0] =
      std::make_shared<BodyKernel>(cg::GeometryManifest{}, [&](const LaunchRequest& request, cg::FailureState& state) {
        if (++calls >= 3) failing(10 + calls)(request, state);
      });
  auto error = run([&](RadContext* c) {
    for (int i = 0; i < 10; ++i)
      if (launch(c, x, y)) return 1;
    return rad_sync(c, CallPlace);
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(calls, 10);
  EXPECT_NE(error->text.find("index 13 "), std::string::npos) << error->text;
}

TEST_P(HostAbi, VeryManyLaunchesAreNotForgotten) {
  RadView x = makeArray({1, 2, 3, 4}), y = makeArray({0, 0, 0, 0});
  int calls = 0;
  provider.kernels[0] =
      std::make_shared<BodyKernel>(cg::GeometryManifest{}, [&](const LaunchRequest& request, cg::FailureState& state) {
        if (++calls == 1) failing(4)(request, state);
      });
  auto error = run([&](RadContext* c) {
    for (int i = 0; i < 200000; ++i)
      if (launch(c, x, y)) return 1;
    return 0;
  });
  ASSERT_TRUE(error);
  EXPECT_NE(error->text.find("in kernel `saxpy` at i = 3"), std::string::npos) << error->text;
  EXPECT_LT(calls, 100000);
}

TEST_P(HostAbi, AFaultOfTheDeviceNamesTheLaunchesUnderWay) {
  RadView x = makeArray({1, 2, 3, 4}), y = makeArray({0, 0, 0, 0});
  Error fault;
  fault.category = ErrorCategory::Dead;
  fault.code = 700;
  fault.codeName = "CUDA_ERROR_ILLEGAL_ADDRESS";
  fault.call = "cuStreamSynchronize";
  fault.message = "the device stopped";
  fault.advice = "Start the program again.";
  auto error = run([&](RadContext* c) {
    if (launch(c, x, y)) return 1;
    device->fault = std::unexpected(fault);
    return rad_sync(c, CallPlace);
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->exitStatus(), 3);
  EXPECT_EQ(error->text,
            "a.rad:12:1: error[R0712]: the device stopped\n"
            "  12 | zeros[f32](n)\n"
            "     | ^~~~~~~~~~~~~\n"
            "note: cuStreamSynchronize gave CUDA_ERROR_ILLEGAL_ADDRESS (700)\n"
            "note: 1 launch was under way, the last of them: `saxpy` (a.rad:9)\n"
            "help: start the program again\n");
  device->fault.reset();
}

TEST_P(HostAbi, ReductionsCombineWhatTheBlocksFound) {
  std::vector<float> values(3000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>((i * 7919) % 3000);
  RadView x = makeArray(values), y = makeArray(std::vector<float>(3000));
  cg::GeometryManifest geometry;
  geometry.maxBlocks = 4;
  provider.kernels[1] = std::make_shared<BodyKernel>(geometry, [](const LaunchRequest& request, cg::FailureState&) {
    auto* x = *static_cast<float* const*>(request.arguments[1]);
    auto* partials = *static_cast<float* const*>(request.arguments[6]);
    int64_t n = *static_cast<const int64_t*>(request.arguments[3]);
    int64_t pieces = request.chunkCount > 0 ? request.chunkCount : request.grid[0];
    for (int64_t p = 0; p < pieces; ++p) {
      partials[p] = -1;
      for (int64_t i = n * p / pieces; i < n * (p + 1) / pieces; ++i) partials[p] = std::max(partials[p], x[i]);
    }
  });
  float a = 0, result = 0;
  const void* arguments[] = {&a, &x, &y};
  EXPECT_FALSE(run([&](RadContext* c) { return rad_reduce(c, 1, arguments, LaunchPlace, &result); }));
  EXPECT_EQ(result, 2999.0f);
  if (GetParam() == DeviceKind::Cuda) {
    EXPECT_EQ(device->requests[0].grid[0], 4u);
  }
  RadView none = x, noneOut = y;
  none.extents[0] = noneOut.extents[0] = 0;
  const void* nothing[] = {&a, &none, &noneOut};
  EXPECT_FALSE(run([&](RadContext* c) { return rad_reduce(c, 1, nothing, LaunchPlace, &result); }));
  EXPECT_EQ(result, -INFINITY);
  EXPECT_EQ(device->requests.size(), 1u);
  // A check that fails inside surfaces at once.
  provider.kernels[1] = std::make_shared<BodyKernel>(geometry, failing(4));
  EXPECT_TRUE(run([&](RadContext* c) { return rad_reduce(c, 1, arguments, LaunchPlace, &result); }));
}

TEST_P(HostAbi, ElementsAreCheckedReadAndWritten) {
  RadView x = makeArray({1, 2, 3, 4});
  RadView tail = x;
  tail.offset = 1;
  tail.extents[0] = 3;
  int64_t index = 2;
  float value = 9;
  EXPECT_FALSE(run([&](RadContext* c) { return rad_element_write(c, &tail, &index, HostIndex, &value); }));
  EXPECT_EQ(read(x), (std::vector<float>{1, 2, 3, 9}));
  value = 0;
  EXPECT_FALSE(run([&](RadContext* c) { return rad_element_read(c, &tail, &index, HostIndex, &value); }));
  EXPECT_EQ(value, 9);
  for (int64_t wrong : {int64_t{3}, int64_t{-1}, INT64_MAX, INT64_MIN}) {
    auto error = run([&](RadContext* c) { return rad_element_read(c, &tail, &wrong, HostIndex, &value); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->text, "a.rad:10:1: error[R0601]: index " + std::to_string(wrong) +
                               " is out of range for `x[7]`: the size is 3\n"
                               "  10 | x[7]\n     | ^~~~\nhelp: valid indices are 0 to 2\n");
    EXPECT_TRUE(run([&](RadContext* c) { return rad_element_write(c, &tail, &wrong, HostIndex, &value); }));
  }
  RadView never = {};
  never.rank = 1;
  never.extents[0] = 1;
  EXPECT_TRUE(run([&](RadContext* c) { return rad_element_read(c, &never, &index, HostIndex, &value); }));
}

TEST_P(HostAbi, CopiesAssignsAndFillsViews) {
  RadView x = makeArray({1, 2, 3, 4, 5, 6});
  RadView part = x;
  part.offset = 2;
  part.extents[0] = 3;
  RadView copied = part;
  copied.offset = 0;
  EXPECT_FALSE(run([&](RadContext* c) { return rad_view_copy(c, &part, CallPlace, &copied.array); }));
  arrays.push_back(copied.array);
  EXPECT_EQ(read(copied), (std::vector<float>{3, 4, 5}));
  float value = 7;
  EXPECT_FALSE(run([&](RadContext* c) { return rad_view_fill(c, &part, &value, CallPlace); }));
  EXPECT_EQ(read(x), (std::vector<float>{1, 2, 7, 7, 7, 6}));
  EXPECT_FALSE(run([&](RadContext* c) { return rad_view_assign(c, &part, &copied, CallPlace); }));
  EXPECT_EQ(read(x), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  // Overlapping parts of one array: as if the right side had been copied first.
  RadView shifted = part;
  shifted.offset = 3;
  EXPECT_FALSE(run([&](RadContext* c) { return rad_view_assign(c, &shifted, &part, CallPlace); }));
  EXPECT_EQ(read(x), (std::vector<float>{1, 2, 3, 3, 4, 5}));
  EXPECT_FALSE(run([&](RadContext* c) { return rad_view_assign(c, &part, &part, CallPlace); }));
  auto error = run([&](RadContext* c) { return rad_view_assign(c, &x, &part, CallPlace); });
  ASSERT_TRUE(error);
  EXPECT_NE(
      error->text.find("error[R0607]: both sides must have the same size: the left one is [6], the right one [3]\n"),
      std::string::npos)
      << error->text;
}

TEST_P(HostAbi, NewArraysAreZeroAndLimited) {
  auto make = [&](std::vector<int64_t> extents, RadArray** out) {
    return run([&](RadContext* c) {
      return rad_array_new(c, static_cast<int32_t>(cg::ElementType::F64), static_cast<int32_t>(extents.size()),
                           extents.data(), CallPlace, out);
    });
  };
  RadArray* array = nullptr;
  EXPECT_FALSE(make({2, 3}, &array));
  EXPECT_EQ(array->count(), 6);
  std::vector<double> values(6, 1.0);
  EXPECT_TRUE(device->copyOut(std::as_writable_bytes(std::span(values)), array->buffer(), 0));
  EXPECT_EQ(values, std::vector<double>(6, 0.0));
  rad_retain(array);
  rad_release(array);
  EXPECT_EQ(context->liveArrays(), 1);
  rad_release(array);
  EXPECT_EQ(context->liveArrays(), 0);
  rad_retain(nullptr);
  rad_release(nullptr);
  EXPECT_FALSE(make({0, 3}, &array));
  rad_release(array);
  auto negative = make({-1}, &array);
  ASSERT_TRUE(negative);
  EXPECT_NE(negative->text.find("error[R0706]: the array has a negative size: [-1]"), std::string::npos);
  EXPECT_EQ(negative->exitStatus(), 1);
  auto many = make({int64_t{1} << 40, int64_t{1} << 40}, &array);
  ASSERT_TRUE(many);
  EXPECT_EQ(many->exitStatus(), 1);
  auto memory = make({int64_t{1} << 40}, &array);
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->exitStatus(), 3);
  EXPECT_EQ(array, nullptr);
  EXPECT_EQ(context->liveArrays(), 0);
}

TEST_P(HostAbi, PrintsScalarsTextsAndArraysInPlace) {
  RadView m = makeArray({1, 2, 3, 4});
  m.rank = 2;
  m.extents[0] = m.extents[1] = 2;
  int32_t answer = 42;
  RadString name = {"m", 1};
  EXPECT_FALSE(run([&](RadContext* c) {
    return print(c, "{} {} = {}",
                 {{0, static_cast<int32_t>(cg::ElementType::I32), &answer}, {2, 0, &name}, {1, 0, &m}});
  }));
  EXPECT_EQ(printed, "42 m = [[1.0, 2.0],\n        [3.0, 4.0]]\n");
}

TEST_P(HostAbi, AssertsShowTheirFilledMessage) {
  int32_t a = 3;
  RadPrintArgument argument = {0, static_cast<int32_t>(cg::ElementType::I32), &a};
  auto error = run([&](RadContext* c) { return rad_assert_failed(c, AssertPlace, 1, &argument); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->text,
            "a.rad:11:1: error[R0603]: assertion failed: `a == b`\n  11 | a == b\n     | ^~~~~~\nnote: a is 3\n");
  EXPECT_EQ(error->exitStatus(), 1);
}

TEST_P(HostAbi, ArgumentsAndNumbers) {
  RadString text = {};
  int64_t whole = 0;
  double number = 0;
  EXPECT_EQ(rad_argument_count(context.get()), 2);
  EXPECT_FALSE(run([&](RadContext* c) {
    return rad_argument(c, 1, CallPlace, &text) || rad_parse_i64(c, &text, CallPlace, &whole);
  }));
  EXPECT_EQ(whole, 42);
  auto missing = run([&](RadContext* c) { return rad_argument(c, 2, CallPlace, &text); });
  ASSERT_TRUE(missing);
  EXPECT_NE(missing->text.find("error[R0705]: there is no argument 2: the program got 2\n"), std::string::npos);
  EXPECT_TRUE(run([&](RadContext* c) { return rad_argument(c, -1, CallPlace, &text); }));
  // Texts handed out stay good when the arguments change.
  context->setArguments({"other"});
  EXPECT_EQ(std::string_view(text.data, static_cast<size_t>(text.size)), "42");

  auto parse = [&](std::string s, bool isFloat) {
    RadString string = {s.data(), static_cast<int64_t>(s.size())};
    auto error = run([&](RadContext* c) {
      return isFloat ? rad_parse_f64(c, &string, CallPlace, &number) : rad_parse_i64(c, &string, CallPlace, &whole);
    });
    return error ? error->text.substr(0, error->text.find('\n')) : "";
  };
  EXPECT_EQ(parse("-9223372036854775808", false), "");
  EXPECT_EQ(whole, INT64_MIN);
  EXPECT_EQ(parse("+5", false), "");
  EXPECT_EQ(parse("abc", false), "a.rad:12:1: error[R0704]: `abc` is not a whole number");
  EXPECT_EQ(parse("12x", false), "a.rad:12:1: error[R0704]: `12x` is not a whole number");
  EXPECT_EQ(parse("+-5", false), "a.rad:12:1: error[R0704]: `+-5` is not a whole number");
  EXPECT_EQ(parse("", false), "a.rad:12:1: error[R0704]: an empty text is not a whole number");
  EXPECT_EQ(parse("9223372036854775808", false),
            "a.rad:12:1: error[R0704]: `9223372036854775808` does not fit into i64");
  EXPECT_EQ(parse("1.5e3", true), "");
  EXPECT_EQ(number, 1500.0);
  EXPECT_EQ(parse("inf", true), "");
  EXPECT_EQ(parse("1e999", true), "a.rad:12:1: error[R0704]: `1e999` does not fit into f64");
  EXPECT_EQ(parse("1,5", true), "a.rad:12:1: error[R0704]: `1,5` is not a number");
}

TEST_P(HostAbi, ChecksOfCompiledHostCode) {
  auto error = run([&](RadContext* c) { return rad_check_failed(c, HostIndex, 7, 4); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->text,
            "a.rad:10:1: error[R0601]: index 7 is out of range for `x[7]`: the size is 4\n  10 | x[7]\n     | "
            "^~~~\nhelp: valid indices are 0 to 3\n");
  EXPECT_TRUE(run([&](RadContext* c) { return rad_check_failed(c, 99, 7, 4); }));
  EXPECT_TRUE(run([](RadContext*) { return 1; }));  // an error without a message is still one
  EXPECT_TRUE(run([&](RadContext* c) { return rad_launch(c, 99, nullptr, LaunchPlace); }));
}

TEST_P(HostAbi, HostFunctionsTellWhereTheyWereCalled) {
  auto error = run([&](RadContext* c) {
    rad_check_failed(c, HostIndex, 7, 4);
    for (int i = 0; i < 10; ++i) rad_called_from(c, "a.rad:20:1", 10);
    return 1;
  });
  ASSERT_TRUE(error);
  std::string notes;
  for (int i = 0; i < 8; ++i) notes += "note: called at a.rad:20:1\n";
  EXPECT_EQ(error->text,
            "a.rad:10:1: error[R0601]: index 7 is out of range for `x[7]`: the size is 4\n  10 | x[7]\n     | ^~~~\n" +
                notes + "note: and 2 calls more\nhelp: valid indices are 0 to 3\n");
  // A failed launch has nothing to do with the function in which it surfaced.
  RadView x = makeArray({1, 2, 3, 4}), y = makeArray({0, 0, 0, 0});
  provider.kernels[0] = std::make_shared<BodyKernel>(cg::GeometryManifest{}, failing(4));
  error = run([&](RadContext* c) {
    if (launch(c, x, y) || rad_sync(c, CallPlace)) rad_called_from(c, "a.rad:20:1", 10);
    return 1;
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->text.find("called at"), std::string::npos) << error->text;
  rad_called_from(context.get(), "a.rad:20:1", 10);  // without an error: nothing
}

TEST_P(HostAbi, ArraysMayOutliveTheirContext) {
  RadView x = makeArray({1, 2});
  arrays.clear();
  context.reset();
  device.reset();
  rad_release(x.array);
  // For TearDown.
  device = std::make_shared<MemoryDevice>(GetParam());
  ContextOptions options;
  options.device = device;
  options.kernels = &provider;
  context = std::make_unique<RadContext>(std::move(options));
}

INSTANTIATE_TEST_SUITE_P(Devices, HostAbi, ::testing::Values(DeviceKind::Host, DeviceKind::Cuda),
                         [](const auto& info) { return info.param == DeviceKind::Host ? "Host" : "Cuda"; });

}  // namespace
}  // namespace rad::rt::test
