// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/files/png_file.h"

#include "runtime/base/interrupt.h"

#include <fmt/format.h>

#include <cerrno>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include <png.h>

namespace rad::rt {
namespace {

constexpr std::string_view pngKind = "the picture";
constexpr const char* pngAgain = "it is damaged: write it or copy it once more";

/// What went wrong inside libpng, where only plain data may be touched: its errors leave by longjmp.
struct Trouble {
  char text[200] = {};
};

[[noreturn]] void onError(png_structp png, png_const_charp text) {
  auto* trouble = static_cast<Trouble*>(png_get_error_ptr(png));
  std::snprintf(trouble->text, sizeof trouble->text, "%s", text);
  png_longjmp(png, 1);
}
void onWarning(png_structp, png_const_charp) {}  // of no use to a program that wants pixels

void takeBytes(png_structp png, png_bytep out, size_t size) {
  if (Interrupt::isRequested()) png_error(png, "interrupted");
  if (std::fread(out, 1, size, static_cast<std::FILE*>(png_get_io_ptr(png))) == size) return;
  png_error(png, std::ferror(static_cast<std::FILE*>(png_get_io_ptr(png))) ? "it cannot be read to its end"
                                                                           : "the file ends too early");
}
void writeBytes(png_structp png, png_bytep bytes, size_t size) {
  if (Interrupt::isRequested()) png_error(png, "interrupted");
  if (std::fwrite(bytes, 1, size, static_cast<std::FILE*>(png_get_io_ptr(png))) != size)
    png_error(png, std::strerror(errno));
}
void flushBytes(png_structp) {}

struct Reader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  Trouble trouble;
  uint64_t packedBytes = 0;  // of all rows, as they lie in the file before compression
  Reader() : png(png_create_read_struct(PNG_LIBPNG_VER_STRING, &trouble, onError, onWarning)) {
    if (png) info = png_create_info_struct(png);
  }
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

struct Writer {
  png_structp png = nullptr;
  png_infop info = nullptr;
  Trouble trouble;
  Writer() : png(png_create_write_struct(PNG_LIBPNG_VER_STRING, &trouble, onError, onWarning)) {
    if (png) info = png_create_info_struct(png);
  }
  ~Writer() { png_destroy_write_struct(&png, &info); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
};

/// Reads up to the pixels and asks for 8-bit samples. No objects with destructors live here: longjmp would skip them.
bool readHeader(Reader& reader, std::FILE* file) {
  if (setjmp(png_jmpbuf(reader.png))) return false;
  png_set_read_fn(reader.png, file, takeBytes);
  png_set_user_limits(reader.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // our own limits come with a better message
  png_read_info(reader.png, reader.info);
  reader.packedBytes =
      uint64_t{png_get_rowbytes(reader.png, reader.info)} * png_get_image_height(reader.png, reader.info);
  png_set_expand(reader.png);
  png_set_scale_16(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  return true;
}

bool readRows(Reader& reader, png_bytep* rows) {
  if (setjmp(png_jmpbuf(reader.png))) return false;
  png_read_image(reader.png, rows);
  return true;
}

bool writeAll(Writer& writer, std::FILE* file, png_uint_32 width, png_uint_32 height, int colors,
              const uint8_t* samples, size_t rowBytes) {
  if (setjmp(png_jmpbuf(writer.png))) return false;
  png_set_write_fn(writer.png, file, writeBytes, flushBytes);
  png_set_user_limits(writer.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_IHDR(writer.png, writer.info, width, height, 8, colors, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level(writer.png, 6);
  png_write_info(writer.png, writer.info);
  for (png_uint_32 y = 0; y < height; ++y) png_write_row(writer.png, samples + y * rowBytes);
  png_write_end(writer.png, nullptr);
  return true;
}

bool isTooLarge(int64_t width, int64_t height, int64_t channels) {
  return width > maxPictureSide || height > maxPictureSide || width * height * channels > maxPictureBytes;
}

std::string limitText(int64_t width, int64_t height) {
  return fmt::format("it is {} x {} pixels; at most {} on a side and {} MiB of samples are allowed", width, height,
                     maxPictureSide, maxPictureBytes >> 20);
}

}  // namespace

Result<Picture> readPng(const std::string& path) {
  RAD_ASSIGN(File file, openToRead(path, pngKind));
  return readPng(file.get(), path);
}

Result<Picture> readPng(std::FILE* file, const std::string& path) {
  auto error = [&](std::string_view why, std::string advice) {
    return fileError("read", pngKind, path, why, std::move(advice));
  };
  int64_t fileBytes = bytesLeft(file);
  unsigned char signature[8] = {};
  size_t got = std::fread(signature, 1, sizeof signature, file);
  if (got != sizeof signature || png_sig_cmp(signature, 0, sizeof signature) != 0)
    return error(got == 0 ? "the file is empty" : "it is not a PNG file", "convert it to PNG first");
  Reader reader;
  if (!reader.png || !reader.info) return error("libpng has no memory", "");
  png_set_sig_bytes(reader.png, sizeof signature);
  if (!readHeader(reader, file)) return error(reader.trouble.text, pngAgain);
  Picture picture;
  picture.width = png_get_image_width(reader.png, reader.info);
  picture.height = png_get_image_height(reader.png, reader.info);
  picture.channels = png_get_channels(reader.png, reader.info);
  size_t rowBytes = png_get_rowbytes(reader.png, reader.info);
  if (isTooLarge(picture.width, picture.height, picture.channels))
    return error(limitText(picture.width, picture.height), "make it smaller first");
  if (rowBytes != static_cast<size_t>(picture.width * picture.channels))
    return error("its pixels have a form that is not supported", "save it with 8 bits a channel");
  // Deflate never makes more than 1032 bytes of one: a small file that claims to be huge takes no memory.
  if (fileBytes >= 0 && reader.packedBytes / 1032 > static_cast<uint64_t>(fileBytes))
    return error(fmt::format("the file ends too early: its {} bytes cannot hold {} x {} pixels", fileBytes,
                             picture.width, picture.height),
                 pngAgain);
  picture.samples.resize(rowBytes * static_cast<size_t>(picture.height));
  std::vector<png_bytep> rows(static_cast<size_t>(picture.height));
  for (size_t y = 0; y < rows.size(); ++y) rows[y] = picture.samples.data() + y * rowBytes;
  if (!readRows(reader, rows.data())) {
    if (Interrupt::isRequested()) return fileInterrupted("read", path);
    return error(reader.trouble.text, pngAgain);
  }
  return picture;
}

Picture withChannels(Picture picture, int channels) {
  if (picture.channels == channels) return picture;
  Picture out{picture.width, picture.height, channels, {}};
  size_t pixels = static_cast<size_t>(picture.width * picture.height);
  auto from = static_cast<size_t>(picture.channels), to = static_cast<size_t>(channels);
  out.samples.resize(pixels * to);
  bool colored = from >= 3, hasAlpha = from == 2 || from == 4;
  for (size_t p = 0; p < pixels; ++p) {
    const uint8_t* in = picture.samples.data() + p * from;
    uint8_t* at = out.samples.data() + p * to;
    uint32_t red = in[0], green = colored ? in[1] : red, blue = colored ? in[2] : red;
    if (to < 3) {
      // 0.299, 0.587 and 0.114 in 1/65536
      at[0] = colored ? static_cast<uint8_t>((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16) : in[0];
    } else {
      at[0] = static_cast<uint8_t>(red);
      at[1] = static_cast<uint8_t>(green);
      at[2] = static_cast<uint8_t>(blue);
    }
    if (to == 2 || to == 4) at[to - 1] = hasAlpha ? in[from - 1] : 255;
  }
  return out;
}

Result<void> writePng(const std::string& path, int64_t width, int64_t height, int channels,
                      std::span<const uint8_t> samples) {
  auto error = [&](std::string_view why) { return fileError("write", pngKind, path, why); };
  int colors = channels == 1 ? PNG_COLOR_TYPE_GRAY : channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_RGB_ALPHA;
  if (channels != 1 && channels != 3 && channels != 4)
    return error(fmt::format("it has {} channels; 1, 3 or 4 are possible", channels));
  if (width <= 0 || height <= 0) return error("it has no pixels");
  if (isTooLarge(width, height, channels)) return error(limitText(width, height));
  size_t rowBytes = static_cast<size_t>(width * channels);
  if (samples.size() != rowBytes * static_cast<size_t>(height)) return error("the number of samples is wrong");
  RAD_ASSIGN(NewFile file, NewFile::create(path, pngKind));
  Writer writer;
  if (!writer.png || !writer.info) return error("libpng has no memory");
  if (!writeAll(writer, file.stream(), static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), colors,
                samples.data(), rowBytes)) {
    if (Interrupt::isRequested()) return fileInterrupted("written", path);
    return error(writer.trouble.text);
  }
  return file.commit();
}

}  // namespace rad::rt
