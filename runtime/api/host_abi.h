// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The C interface that compiled host code (scripts, REPL entries, ahead-of-time programs) calls. Generated code passes
// the context it was given; functions that return int32_t give 0 on success, and on failure anything else after storing
// the error in the context: the generated code then releases what it holds and returns that value.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// One run of host code: devices, arguments, output, the pending error.
typedef struct RadContext RadContext;
/// A reference-counted block of elements on some device. Null stands for no array.
typedef struct RadArray RadArray;

/// A view as host code passes it: elements of an array from `offset` on. Unused extents are 1.
typedef struct RadView {
  RadArray* array;
  int64_t offset;  // in elements
  int64_t extents[4];
  int32_t rank;
  int32_t elementType;  // rad::cg::ElementType
  int64_t strides[4];   // distance of neighbours along each axis, in elements; all 0: row-major, without gaps
} RadView;

/// Text that lives as long as the context or the code.
typedef struct RadString {
  const char* data;
  int64_t size;
} RadString;

/// Kinds of files that hold an array.
/// Plots are written only; an empty path is the terminal.
enum RadFileFormat { RadPng, RadNpy, RadCsv, RadLinePlot, RadHistogram, RadHeatMap };
#define RadAnySize INT64_MIN

/// What a `{}` of print gets. For scalars `data` points to the value; for views to a RadView; for strings to a
/// RadString.
typedef struct RadPrintArgument {
  int32_t kind;         // 0 scalar, 1 view, 2 string
  int32_t elementType;  // scalars
  const void* data;
} RadPrintArgument;

/// The signature of compiled host statements of a unit.
typedef int32_t (*RadScript)(RadContext*);

// Every `site` indexes the current unit's sites (rad::cg::UnitManifest); it tells where the program was.
int32_t rad_array_new(RadContext*, int32_t elementType, int32_t rank, const int64_t* extents, uint32_t site,
                      RadArray** result);  // zero-filled; +1
void rad_retain(RadArray*);                // null: nothing
void rad_release(RadArray*);               // null: nothing
int32_t rad_element_read(RadContext*, const RadView*, const int64_t* indices, uint32_t site,
                         void* value);  // waits; checks the indices
int32_t rad_element_write(RadContext*, const RadView*, const int64_t* indices, uint32_t site, const void* value);
int32_t rad_view_copy(RadContext*, const RadView*, uint32_t site, RadArray** result);         // +1
int32_t rad_view_assign(RadContext*, const RadView* to, const RadView* from, uint32_t site);  // shapes must agree
int32_t rad_view_fill(RadContext*, const RadView* to, const void* value, uint32_t site);
/// `arguments`: a kernel parameter each: the address of a scalar (bool: one byte) or of a RadView.
int32_t rad_launch(RadContext*, uint32_t kernel, const void* const* arguments, uint32_t site);
/// The same of a kernel that is made for compile-time arguments, `count` of them: whole numbers and bools as such,
/// floats as the bits of a double. `kernel` is an index into the unit's open kernels.
int32_t rad_launch_open(RadContext*, uint32_t kernel, int32_t count, const int64_t* statics,
                        const void* const* arguments, uint32_t site);
int32_t rad_reduce(RadContext*, uint32_t kernel, const void* const* arguments, uint32_t site, void* result);
int32_t rad_print(RadContext*, const char* format, int64_t formatSize, int32_t count, const RadPrintArgument*);
int32_t rad_assert_failed(RadContext*, uint32_t site, int32_t count, const RadPrintArgument*);
/// A host check failed: index, slice, division, overflow, shape. value and extent as in the site's kind.
int32_t rad_check_failed(RadContext*, uint32_t site, int64_t value, int64_t extent);
/// On the way out of a host function that failed: where it was called ("a.rad:3:1", `size` bytes). The message tells.
void rad_called_from(RadContext*, const char* place, int64_t size);
/// Called first by every host function: fails when little of the thread's stack is left.
int32_t rad_enter(RadContext*);
/// `format` is a RadFileFormat.
int32_t rad_file_write(RadContext*, int32_t format, const RadString* path, const RadView*, uint32_t site);
/// `extents` as wanted, RadAnySize for any; result extents are written to `view`.
int32_t rad_file_read(RadContext*, int32_t format, const RadString* path, int32_t elementType, int32_t rank,
                      const int64_t* extents, uint32_t site, RadView* view);  // +1
int32_t rad_text_read(RadContext*, const RadString* path, uint32_t site, RadString* result);
int32_t rad_text_write(RadContext*, const RadString* path, const RadString* text, int32_t append, uint32_t site);
/// The text that rad_print prints, without the newline. It lives as long as the context.
int32_t rad_format(RadContext*, const char* format, int64_t formatSize, int32_t count, const RadPrintArgument*,
                   uint32_t site, RadString* result);
int32_t rad_text_equal(const RadString*, const RadString*);  // 1 if the bytes are the same, else 0
/// `property` is a rad::cg::DeviceProperty, a size or a text; the text lives as long as the context.
int64_t rad_device_size(RadContext*, int32_t property);
int32_t rad_device_text(RadContext*, int32_t property, RadString* result);
int64_t rad_argument_count(RadContext*);
int32_t rad_argument(RadContext*, int64_t index, uint32_t site, RadString* result);
int32_t rad_parse_i64(RadContext*, const RadString*, uint32_t site, int64_t* result);
int32_t rad_parse_f64(RadContext*, const RadString*, uint32_t site, double* result);
int32_t rad_sync(RadContext*, uint32_t site);
int32_t rad_clock(RadContext*, double* seconds);
/// Stores the error of a session that was interrupted. What compiled code reads for that is the 32-bit word
/// rad_interrupt_word.
int32_t rad_interrupted(RadContext*);
int32_t rad_bench_again(
    RadContext*, int64_t bytes,
    int32_t* again);  // 1: run once more what the bench measures; bytes that a run moves, 0: not known

#ifdef __cplusplus
}
#endif
