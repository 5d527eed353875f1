// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// NPY files: headers as other programs write them, and hostile ones. NumPy's own files are in test/lit/files.
#include "runtime/files/npy_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

namespace rad::rt::test {
namespace {

/// The bytes as a stream.
struct Bytes {
  explicit Bytes(std::string text)
      : text(std::move(text)), file(fmemopen(this->text.data(), this->text.size(), "rb")) {}
  std::string text;
  File file;
};

std::string npy(const std::string& header, const std::string& elements, char version = 1) {
  std::string out = "\x93NUMPY";
  out += {version, 0, char(header.size() & 255), char(header.size() >> 8)};
  if (version > 1) out += std::string(2, '\0');
  return out + header + elements;
}

/// The array, or the message.
std::string read(const std::string& bytes, cg::ElementType type, FileArray& array) {
  Bytes stream(bytes);
  auto result = readNpy(stream.file.get(), "a.npy", type);
  if (!result) return result.error().message;
  array = std::move(*result);
  return "";
}

TEST(Npy, HeadersInAnyFormThatPythonAccepts) {
  FileArray array;
  std::string four("\1\0\2\0\3\0\4\0", 8);
  for (const char* header : {"{'descr': '<i2', 'fortran_order': False, 'shape': (2, 2), }",
                             "{\"shape\":(2,2),\"descr\":\"<i2\",\"fortran_order\":False}\n",
                             "  { 'fortran_order' :False, 'descr' : '<i2','shape' : ( 2L , 2L, ) ,}   "})
    for (char version : {1, 2, 3}) {
      EXPECT_EQ(read(npy(header, four, version), cg::ElementType::I16, array), "") << header;
      EXPECT_EQ(array.extents, (std::vector<int64_t>{2, 2}));
      EXPECT_EQ(std::memcmp(array.elements.data(), four.data(), 8), 0);
    }
  EXPECT_EQ(read(npy("{'descr': '<i2', 'fortran_order': True, 'shape': (2, 2)}", four), cg::ElementType::I16, array),
            "");
  EXPECT_EQ(std::memcmp(array.elements.data(), "\1\0\3\0\2\0\4\0", 8), 0);
  EXPECT_EQ(read(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (4,)}", std::string("\0\1\2\xff", 4)),
                 cg::ElementType::Bool, array),
            "");
  EXPECT_EQ(std::memcmp(array.elements.data(), "\0\1\1\1", 4), 0);
  EXPECT_EQ(
      read(npy("{'descr': '<i2', 'fortran_order': False, 'shape': ()}", "ab and more"), cg::ElementType::I16, array),
      "");
  EXPECT_TRUE(array.extents.empty());
  EXPECT_EQ(array.elements.size(), 2u);
  // A size of 0 makes an array empty, whatever the others are.
  EXPECT_EQ(
      read(npy("{'descr': '<i2', 'fortran_order': True, 'shape': (1152921504606846976, 0, 1152921504606846976)}", ""),
           cg::ElementType::I16, array),
      "");
}

TEST(Npy, DamagedHeadersAreNamed) {
  FileArray array;
  auto message = [&](const std::string& header) {
    return read(npy(header, std::string(64, 'x')), cg::ElementType::F32, array);
  };
  auto understood = [](const char* why) {
    return std::string("cannot read the array in `a.npy`: its header is not understood: ") + why;
  };
  EXPECT_EQ(message(""), understood("it does not begin with `{`"));
  EXPECT_EQ(message("{'descr': '<f4', 'fortran_order': False}"),
            understood("`descr`, `fortran_order` or `shape` is missing"));
  EXPECT_EQ(message("{'descr': '<f4', 'descr': '<f4'}"), understood("it has a key that does not belong there"));
  EXPECT_EQ(message("{'descr': 4}"), understood("`descr` is not a text"));
  EXPECT_EQ(message("{'fortran_order': 0}"), understood("`fortran_order` is neither True nor False"));
  EXPECT_EQ(message("{'shape': 3}"), understood("its shape is not a tuple"));
  EXPECT_EQ(message("{'shape': (-3,)}"), understood("a size in its shape is not a whole number of 0 or more"));
  EXPECT_EQ(message("{'shape': (1.5,)}"), understood("its shape has no end"));
  EXPECT_EQ(message("{'shape': (99999999999999999999,)}"), understood("a size in its shape is beyond 2^60"));
  EXPECT_EQ(message("{'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)}"),
            understood("it has more than 32 dimensions"));
  EXPECT_EQ(message("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x"),
            understood("something follows its `}`"));
  EXPECT_EQ(message("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}"),
            "cannot read the array in `a.npy`: its shape (4294967296, 4294967296) has more than 2^60 bytes");
  EXPECT_EQ(message("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}"),
            "cannot read the array in `a.npy`: the file ends too early: 4398046511104 bytes of elements should follow "
            "its header, there are 64");
  EXPECT_EQ(message("{'descr': '\x1b[2J', 'fortran_order': False, 'shape': (1,)}"),
            "`a.npy` holds elements of NumPy's type ?[2J, but the type says f32");
  EXPECT_EQ(read(npy("", "", 9), cg::ElementType::F32, array),
            "cannot read the array in `a.npy`: it has version 9.0 of the format; 1.0, 2.0 and 3.0 are known");
  EXPECT_EQ(read(std::string("\x93NUMPY\2\0\xff\xff\xff\xff", 12), cg::ElementType::F32, array),
            "cannot read the array in `a.npy`: its header claims 4294967295 bytes");
}

TEST(Npy, CutAndChangedFilesAreErrorsAndNothingElse) {
  FileArray array;
  std::string good = npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}", std::string(24, '\0'));
  ASSERT_EQ(read(good, cg::ElementType::F32, array), "");
  for (size_t length = 1; length < good.size(); ++length)
    EXPECT_NE(read(good.substr(0, length), cg::ElementType::F32, array), "") << length;
  for (size_t i = 0; i < good.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string broken = good;
      broken[i] = static_cast<char>(broken[i] ^ 1 << bit);
      if (read(broken, cg::ElementType::F32, array).empty()) {
        EXPECT_LE(array.elements.size(), 24u);
      }
    }
}

TEST(Npy, PipesAreReadAsTheyCome) {
  std::string good = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (100000,)}", std::string(100000, 'z'));
  for (size_t missing : {0, 1}) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    std::thread writer([&] {
      File to(fdopen(ends[1], "wb"));
      std::fwrite(good.data(), 1, good.size() - missing, to.get());
    });
    File from(fdopen(ends[0], "rb"));
    auto array = readNpy(from.get(), "pipe", cg::ElementType::U8);
    writer.join();
    EXPECT_EQ(array.has_value(), missing == 0);
    if (array) {
      EXPECT_EQ(array->elements.size(), 100000u);
    }
    if (!array) {
      EXPECT_NE(array.error().message.find("there are 99999"), std::string::npos) << array.error().message;
    }
  }
}

}  // namespace
}  // namespace rad::rt::test
