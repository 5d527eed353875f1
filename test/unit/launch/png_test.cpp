// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// PNG files: round trips, other people's files, hostile files, through the host interface too.
#include "test/unit/launch/memory_device.h"

#include "runtime/files/png_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <unistd.h>

namespace rad::rt::test {
namespace {

namespace fs = std::filesystem;

class Png : public ::testing::Test {
 protected:
  void SetUp() override {
    folder = fs::path(::testing::TempDir()) / ("raddle_png_" + std::to_string(::getpid()));
    fs::create_directories(folder);
  }
  void TearDown() override { fs::remove_all(folder); }
  std::string at(const std::string& name) const { return (folder / name).string(); }
  std::string save(const std::string& name, const std::string& bytes) const {
    std::ofstream(at(name), std::ios::binary) << bytes;
    return at(name);
  }
  static std::string load(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  fs::path folder;
};

std::string big32(uint32_t v) { return {char(v >> 24), char(v >> 16), char(v >> 8), char(v)}; }

std::string chunk(const std::string& type, const std::string& data) {
  std::string body = type + data;
  uint32_t crc = ~0u;
  for (char c : body) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0u);
  }
  return big32(static_cast<uint32_t>(data.size())) + body + big32(~crc);
}

/// A zlib stream of one stored block.
std::string stored(const std::string& data) {
  uint32_t a = 1, b = 0;
  for (char c : data) a = (a + static_cast<unsigned char>(c)) % 65521, b = (b + a) % 65521;
  auto size = static_cast<uint16_t>(data.size());
  return std::string{0x78, 0x01, 0x01, char(size & 255), char(size >> 8), char(~size & 255), char(~size >> 8 & 255)} +
         data + big32(b << 16 | a);
}

/// A PNG made by hand. `rows` holds each row with its filter byte.
std::string handMade(uint32_t width, uint32_t height, char depth, char colors, const std::string& rows,
                     const std::string& extra = "") {
  std::string header = big32(width) + big32(height) + depth + colors + std::string(3, '\0');
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + extra + chunk("IDAT", stored(rows)) + chunk("IEND", "");
}

TEST_F(Png, RoundTripsEachNumberOfChannels) {
  for (int channels : {1, 3, 4}) {
    std::vector<uint8_t> samples(static_cast<size_t>(5 * 7 * channels));
    for (size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<uint8_t>(i * 37);
    ASSERT_TRUE(writePng(at("a.png"), 5, 7, channels, samples));
    auto picture = readPng(at("a.png"));
    ASSERT_TRUE(picture) << picture.error().message;
    EXPECT_EQ(picture->width, 5);
    EXPECT_EQ(picture->height, 7);
    EXPECT_EQ(picture->channels, channels);
    EXPECT_EQ(picture->samples, samples);
  }
  // Nothing is left beside it.
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
}

TEST_F(Png, ReadsPalettesFewBitsAndSixteenBits) {
  using namespace std::string_literals;
  auto palette = readPng(save("p.png", handMade(2, 1, 8, 3, "\0\1\0"s, chunk("PLTE", "\x0a\x14\x1e\xff\0\0"s))));
  ASSERT_TRUE(palette) << palette.error().message;
  EXPECT_EQ(palette->channels, 3);
  EXPECT_EQ(palette->samples, (std::vector<uint8_t>{255, 0, 0, 10, 20, 30}));
  auto bits = readPng(save("b.png", handMade(4, 1, 1, 0, "\0\xa0"s)));
  ASSERT_TRUE(bits);
  EXPECT_EQ(bits->samples, (std::vector<uint8_t>{255, 0, 255, 0}));
  auto wide = readPng(save("w.png", handMade(2, 1, 16, 0, "\0\xff\xff\x80\0"s)));
  ASSERT_TRUE(wide);
  EXPECT_EQ(wide->samples, (std::vector<uint8_t>{255, 128}));
  auto grayAlpha = readPng(save("g.png", handMade(1, 1, 8, 4, "\0\x40\x80"s)));
  ASSERT_TRUE(grayAlpha);
  EXPECT_EQ(grayAlpha->channels, 2);
  EXPECT_EQ(withChannels(*grayAlpha, 1).samples, (std::vector<uint8_t>{0x40}));
  EXPECT_EQ(withChannels(*grayAlpha, 3).samples, (std::vector<uint8_t>{0x40, 0x40, 0x40}));
  EXPECT_EQ(withChannels(*grayAlpha, 4).samples, (std::vector<uint8_t>{0x40, 0x40, 0x40, 0x80}));
}

TEST_F(Png, ChangesChannels) {
  Picture color{2, 1, 3, {255, 0, 0, 10, 200, 30}};
  EXPECT_EQ(withChannels(color, 1).samples, (std::vector<uint8_t>{76, 124}));
  EXPECT_EQ(withChannels(color, 4).samples, (std::vector<uint8_t>{255, 0, 0, 255, 10, 200, 30, 255}));
  Picture white{1, 1, 4, {255, 255, 255, 0}};
  EXPECT_EQ(withChannels(white, 1).samples, (std::vector<uint8_t>{255}));
  EXPECT_EQ(withChannels(white, 3).samples, (std::vector<uint8_t>{255, 255, 255}));
}

TEST_F(Png, FilesThatAreNoPictures) {
  auto error = [](const std::string& path) {
    auto result = readPng(path);
    EXPECT_FALSE(result);
    return result ? "" : result.error().message;
  };
  EXPECT_EQ(error(at("none.png")), "cannot read the picture `" + at("none.png") + "`: No such file or directory");
  EXPECT_EQ(error(folder.string()), "cannot read the picture `" + folder.string() + "`: Is a directory");
  EXPECT_EQ(error(save("e.png", "")), "cannot read the picture `" + at("e.png") + "`: the file is empty");
  EXPECT_EQ(error(save("t.png", "P6 this is something else")),
            "cannot read the picture `" + at("t.png") + "`: it is not a PNG file");
}

TEST_F(Png, HostileFilesAreErrorsAndNothingElse) {
  std::vector<uint8_t> samples(64 * 64 * 3, 77);
  ASSERT_TRUE(writePng(at("good.png"), 64, 64, 3, samples));
  std::string good = load(at("good.png"));
  for (size_t length = 0; length + 12 < good.size(); ++length)  // without the last chunk it is still whole
    EXPECT_FALSE(readPng(save("cut.png", good.substr(0, length)))) << length;
  for (size_t i = 0; i < good.size(); ++i) {
    std::string broken = good;
    broken[i] = static_cast<char>(broken[i] ^ 0x55);
    auto result = readPng(save("bits.png", broken));  // an error or a picture, but no crash
    if (result) {
      EXPECT_LE(result->samples.size(), static_cast<size_t>(maxPictureBytes));
    }
  }
  auto huge = readPng(save("huge.png", handMade(100000, 100000, 8, 2, "x")));
  ASSERT_FALSE(huge);
  EXPECT_NE(huge.error().message.find(
                "it is 100000 x 100000 pixels; at most 32768 on a side and 1024 MiB of samples are allowed"),
            std::string::npos);
  auto area = readPng(save("area.png", handMade(32768, 32768, 8, 6, "x")));
  ASSERT_FALSE(area);
  EXPECT_NE(area.error().message.find("1024 MiB"), std::string::npos);
  EXPECT_FALSE(readPng(save("zero.png", handMade(0, 1, 8, 2, "x"))));
  EXPECT_FALSE(readPng(save("few.png", handMade(100, 100, 8, 2, "x"))));
}

TEST_F(Png, WritingReplacesAFileAtOnceOrNotAtAll) {
  std::vector<uint8_t> samples = {1, 2, 3, 4};
  auto noFolder = writePng(at("missing/a.png"), 2, 2, 1, samples);
  ASSERT_FALSE(noFolder);
  EXPECT_EQ(noFolder.error().message,
            "cannot write the picture `" + at("missing/a.png") + "`: No such file or directory");
  EXPECT_FALSE(writePng(at("a.png"), 0, 2, 1, {}));
  EXPECT_FALSE(writePng(at("a.png"), 2, 2, 2, samples));
  EXPECT_FALSE(writePng(at("a.png"), 40000, 1, 1, samples));
  EXPECT_FALSE(fs::exists(at("a.png")));

  save("old.png", "old");
  fs::permissions(at("old.png"), fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("old.png", at("link.png"));
  ASSERT_TRUE(writePng(at("link.png"), 2, 2, 1, samples));
  EXPECT_TRUE(fs::is_symlink(at("link.png")));
  EXPECT_EQ(readPng(at("old.png"))->samples, samples);
  EXPECT_EQ(fs::status(at("old.png")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_FALSE(writePng(folder.string(), 2, 2, 1, samples));
  EXPECT_TRUE(writePng("/dev/null", 2, 2, 1, samples));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(Png, ThroughTheHostInterface) {
  auto device = std::make_shared<MemoryDevice>(DeviceKind::Host);
  BodyProvider provider;
  ContextOptions options;
  options.device = device;
  options.kernels = &provider;
  RadContext context(std::move(options));
  std::string path = at("a.png");
  RadString pathText = {path.data(), static_cast<int64_t>(path.size())};
  auto message = [&] {
    auto error = context.takeError();
    std::string text = error ? error->text : "";
    return text.substr(0, text.find('\n'));
  };

  // f32 is clamped and rounded; NaN is black.
  std::vector<float> values = {0.0f, 1.0f, 0.5f, -3.0f, 7.0f, NAN};
  RadArray* array = *context.makeArray(cg::ElementType::F32, 6);
  ASSERT_TRUE(device->copyIn(array->buffer(), 0, std::as_bytes(std::span(values))));
  RadView view = {array, 0, {2, 3, 1, 1}, 2, static_cast<int32_t>(cg::ElementType::F32)};
  ASSERT_EQ(rad_file_write(&context, RadPng, &pathText, &view, 0), 0) << message();
  EXPECT_EQ(readPng(path)->samples, (std::vector<uint8_t>{0, 255, 128, 0, 255, 0}));

  RadView read = {};
  int64_t any[3] = {RadAnySize, RadAnySize, RadAnySize};
  ASSERT_EQ(rad_file_read(&context, RadPng, &pathText, static_cast<int32_t>(cg::ElementType::F32), 3, any, 0, &read), 0)
      << message();
  EXPECT_EQ(read.extents[0], 2);
  EXPECT_EQ(read.extents[1], 3);
  EXPECT_EQ(read.extents[2], 1);
  EXPECT_EQ(read.rank, 3);
  std::vector<float> back(6);
  ASSERT_TRUE(device->copyOut(std::as_writable_bytes(std::span(back)), read.array->buffer(), 0));
  EXPECT_EQ(back, (std::vector<float>{0, 1, 128 / 255.0f, 0, 1, 0}));
  rad_release(read.array);

  int64_t color[3] = {2, RadAnySize, 3};
  ASSERT_EQ(rad_file_read(&context, RadPng, &pathText, static_cast<int32_t>(cg::ElementType::U8), 3, color, 0, &read),
            0)
      << message();
  EXPECT_EQ(read.extents[2], 3);
  EXPECT_EQ(read.array->count(), 18);
  rad_release(read.array);

  int64_t wrong[3] = {RadAnySize, 4, 3};
  EXPECT_EQ(rad_file_read(&context, RadPng, &pathText, static_cast<int32_t>(cg::ElementType::U8), 3, wrong, 0, &read),
            1);
  EXPECT_EQ(message(), "error[R0702]: dimension 1 of `" + path + "` has the size 3, but the type says 4");
  int64_t five[3] = {RadAnySize, RadAnySize, 5};
  EXPECT_EQ(rad_file_read(&context, RadPng, &pathText, static_cast<int32_t>(cg::ElementType::U8), 3, five, 0, &read),
            1);
  EXPECT_EQ(message(), "error[R0703]: a picture cannot have 5 channels");
  EXPECT_EQ(read.array, nullptr);
  RadView line = view;
  line.rank = 3;
  line.extents[0] = 1;
  line.extents[1] = 3;
  line.extents[2] = 2;
  EXPECT_EQ(rad_file_write(&context, RadPng, &pathText, &line, 0), 1);
  EXPECT_EQ(message(), "error[R0703]: a [f32; 1, 3, 2] is not a picture");
  RadView empty = view;
  empty.extents[0] = 0;
  EXPECT_EQ(rad_file_write(&context, RadPng, &pathText, &empty, 0), 1);
  EXPECT_EQ(message(), "error[R0703]: a picture without pixels ([f32; 0, 3]) cannot be written");
  RadString cut = {"a\0b", 3};
  EXPECT_EQ(rad_file_write(&context, RadPng, &cut, &view, 0), 1);
  EXPECT_EQ(message(), "error: the path of the file has a NUL character in it");
  rad_release(array);
  EXPECT_EQ(context.liveArrays(), 0);
}

}  // namespace
}  // namespace rad::rt::test
