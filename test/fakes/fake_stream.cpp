// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tier 4, as much as the runtime uses: streams and events. Work happens when
// somebody waits for it, so a program that reads too early reads old bytes.

#include "test/fakes/fake_state.h"

#include <algorithm>
#include <cstring>

using namespace fake;

namespace {

Event* eventOf(CUevent handle) {
  World& w = world();
  if (w.deadHandles.count(handle)) crash("use of a destroyed event");
  auto it = w.events.find(handle);
  if (it == w.events.end()) crash("use of an event that never was");
  return it->second.get();
}

void finish(Event& event) {
  while (!event.complete && event.stream && !event.stream->queue.empty()) {
    const std::size_t before = event.stream->queue.size();
    drain(*event.stream, 1);
    if (event.stream && event.stream->queue.size() == before) crash("an event waits for a value that nobody writes");
  }
}

/// Waiting for, or asking, a stream that captures: the capture fails.
bool capturing(Stream& stream) {
  if (stream.status == CU_STREAM_CAPTURE_STATUS_NONE) return false;
  stream.status = CU_STREAM_CAPTURE_STATUS_INVALIDATED;
  return true;
}

}  // namespace

FAKE_CUDA(StreamCreateWithPriority, CUstream* stream, unsigned flags, int priority) {
  Context* context = currentContext();
  if (!context) return CUDA_ERROR_INVALID_CONTEXT;
  if (!context->alive) return CUDA_ERROR_CONTEXT_IS_DESTROYED;
  if (!stream || flags > 1) return CUDA_ERROR_INVALID_VALUE;
  *stream = makeHandle<CUstream>();
  auto made = std::make_unique<Stream>();
  made->context = context;
  made->priority = std::clamp(priority, -5, 0);
  made->flags = flags;
  world().streams.emplace(*stream, std::move(made));
  return CUDA_SUCCESS;
}

FAKE_CUDA(StreamDestroy, CUstream handle) {
  World& w = world();
  CUresult status;
  Stream* stream = streamOf(handle, status, false);
  if (!stream) return status;
  drain(*stream);  // a real one goes on with the work and returns at once
  for (auto& [event, item] : w.events)
    if (item->stream == stream) item->stream = nullptr;
  w.streams.erase(handle);
  w.deadHandles.insert(handle);
  return CUDA_SUCCESS;
}

FAKE_CUDA(StreamQuery, CUstream handle) {
  CUresult status;
  Stream* stream = streamOf(handle, status, false);
  if (!stream) return status;
  if (capturing(*stream)) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  if (stream->queue.empty()) return CUresult(world().sticky);
  drain(*stream, 1);  // polling gets somewhere
  return world().sticky ? CUresult(world().sticky) : CUDA_ERROR_NOT_READY;
}

FAKE_CUDA(StreamSynchronize, CUstream handle) {
  CUresult status;
  Stream* stream = streamOf(handle, status, false);
  if (!stream) return status;
  if (capturing(*stream)) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  drain(*stream);
  if (!stream->queue.empty()) crash("a stream waits for a value that nobody writes");
  return CUresult(world().sticky);
}

FAKE_CUDA(StreamWaitEvent, CUstream handle, CUevent event, unsigned flags) {
  CUresult status;
  Stream* stream = streamOf(handle, status);
  if (!stream) return status;
  Event* item = eventOf(event);
  if (flags > 1) return CUDA_ERROR_INVALID_VALUE;
  if (flags & CU_EVENT_WAIT_EXTERNAL) {
    if (stream->status != CU_STREAM_CAPTURE_STATUS_ACTIVE) return CUDA_ERROR_ILLEGAL_STATE;
    enqueue(*stream, [] {}, CU_GRAPH_NODE_TYPE_WAIT_EVENT);
    return CUDA_SUCCESS;
  }
  if (item->capture) {
    // The stream joins the capture.
    if (stream->status == CU_STREAM_CAPTURE_STATUS_NONE) {
      stream->status = CU_STREAM_CAPTURE_STATUS_ACTIVE;
      stream->capture = item->capture;
      stream->origin = false;
      stream->last.clear();
    } else if (stream->capture != item->capture) {
      stream->status = CU_STREAM_CAPTURE_STATUS_INVALIDATED;
      return CUDA_ERROR_STREAM_CAPTURE_MERGE;
    }
    for (CUgraphNode node : item->captured)
      if (std::find(stream->last.begin(), stream->last.end(), node) == stream->last.end()) stream->last.push_back(node);
    return CUDA_SUCCESS;
  }
  if (stream->status == CU_STREAM_CAPTURE_STATUS_ACTIVE) {
    stream->status = CU_STREAM_CAPTURE_STATUS_INVALIDATED;
    return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
  }
  if (item->recorded && !item->complete)
    enqueue(*stream, [event] {
      auto it = world().events.find(event);
      if (it != world().events.end()) finish(*it->second);
    });
  return CUDA_SUCCESS;
}

FAKE_CUDA(EventCreate, CUevent* event, unsigned flags) {
  Context* context = currentContext();
  if (!context) return CUDA_ERROR_INVALID_CONTEXT;
  if (!event || flags > 7) return CUDA_ERROR_INVALID_VALUE;
  *event = makeHandle<CUevent>();
  auto made = std::make_unique<Event>();
  made->context = context;
  made->timing = !(flags & CU_EVENT_DISABLE_TIMING);
  made->interprocess = flags & CU_EVENT_INTERPROCESS;
  world().events.emplace(*event, std::move(made));
  return CUDA_SUCCESS;
}

FAKE_CUDA(EventDestroy, CUevent handle) {
  eventOf(handle);
  world().events.erase(handle);
  world().deadHandles.insert(handle);
  return CUDA_SUCCESS;
}

FAKE_CUDA(EventRecordWithFlags, CUevent handle, CUstream streamHandle, unsigned flags) {
  Event* event = eventOf(handle);
  CUresult status;
  Stream* stream = streamOf(streamHandle, status);
  if (!stream) return status;
  const bool captures = stream->status == CU_STREAM_CAPTURE_STATUS_ACTIVE;
  if (captures && !(flags & CU_EVENT_RECORD_EXTERNAL)) {
    event->capture = stream->capture;
    event->captured = stream->last;
    return CUDA_SUCCESS;
  }
  const auto happens = [handle] {
    auto it = world().events.find(handle);
    if (it == world().events.end()) return;
    it->second->recorded = it->second->complete = true;
    it->second->time = world().clock;
  };
  if (captures) {
    enqueue(*stream, happens, CU_GRAPH_NODE_TYPE_EVENT_RECORD);
    return CUDA_SUCCESS;
  }
  event->capture = nullptr;
  event->recorded = true;
  event->complete = false;
  event->stream = stream;
  const std::uint64_t generation = ++event->generation;
  enqueue(*stream, [handle, generation, happens] {
    auto it = world().events.find(handle);
    if (it != world().events.end() && it->second->generation == generation) happens();
  });
  return CUDA_SUCCESS;
}

FAKE_CUDA(EventRecord, CUevent handle, CUstream stream) {
  return fakeEventRecordWithFlags(handle, stream, CU_EVENT_RECORD_DEFAULT);
}

FAKE_CUDA(EventQuery, CUevent handle) {
  Event* event = eventOf(handle);
  if (event->capture) return CUDA_ERROR_CAPTURED_EVENT;
  if (event->complete) return CUDA_SUCCESS;
  if (event->stream) drain(*event->stream, 1);
  return CUDA_ERROR_NOT_READY;
}

FAKE_CUDA(EventSynchronize, CUevent handle) {
  Event* event = eventOf(handle);
  if (event->capture) return CUDA_ERROR_CAPTURED_EVENT;
  finish(*event);
  return CUresult(world().sticky);
}

FAKE_CUDA(EventElapsedTime, float* milliseconds, CUevent first, CUevent second) {
  Event *begin = eventOf(first), *end = eventOf(second);
  if (!begin->timing || !end->timing || !begin->recorded || !end->recorded) return CUDA_ERROR_INVALID_HANDLE;
  if (!begin->complete || !end->complete) return CUDA_ERROR_NOT_READY;
  *milliseconds = float(end->time - begin->time);
  return CUDA_SUCCESS;
}

// ---- questions ----

FAKE_CUDA(StreamGetPriority, CUstream handle, int* priority) {
  CUresult status;
  Stream* stream = streamOf(handle, status, false);
  if (stream) *priority = stream->priority;
  return status;
}

FAKE_CUDA(StreamGetFlags, CUstream handle, unsigned* flags) {
  CUresult status;
  Stream* stream = streamOf(handle, status, false);
  if (stream) *flags = stream->flags;
  return status;
}

FAKE_CUDA(StreamGetId, CUstream handle, unsigned long long* id) {
  CUresult status;
  if (streamOf(handle, status, false)) *id = reinterpret_cast<std::uint64_t>(handle) % 0xffffff + 1;
  return status;
}

FAKE_CUDA(StreamGetCtx, CUstream handle, CUcontext* context) {
  CUresult status;
  Stream* stream = streamOf(handle, status, false);
  if (stream) *context = handleOf(stream->context);
  return status;
}

FAKE_CUDA(StreamSetAttribute, CUstream handle, CUstreamAttrID id, const CUstreamAttrValue* value) {
  CUresult status;
  if (!streamOf(handle, status, false)) return status;
  if (!value) return CUDA_ERROR_INVALID_VALUE;
  if (id == CU_STREAM_ATTRIBUTE_ACCESS_POLICY_WINDOW) {
    const CUaccessPolicyWindow& window = value->accessPolicyWindow;
    if (window.hitRatio < 0 || window.hitRatio > 1 || window.missProp == CU_ACCESS_PROPERTY_PERSISTING)
      return CUDA_ERROR_INVALID_VALUE;
  }
  return CUDA_SUCCESS;
}

// ---- host functions and values ----

FAKE_CUDA(LaunchHostFunc, CUstream handle, CUhostFn function, void* data) {
  CUresult status;
  Stream* stream = streamOf(handle, status);
  if (!stream) return status;
  if (!function) return CUDA_ERROR_INVALID_VALUE;
  enqueue(*stream, [=] { runHostFunction(function, data); }, CU_GRAPH_NODE_TYPE_HOST);
  return CUDA_SUCCESS;
}

namespace {

template <class T>
CUresult writeValue(CUstream handle, CUdeviceptr address, T value, unsigned flags) {
  CUresult status;
  Stream* stream = streamOf(handle, status);
  if (!stream) return status;
  if (flags > 1 || address % sizeof(T) || !resolve(address, sizeof(T))) return CUDA_ERROR_INVALID_VALUE;
  enqueue(
      *stream,
      [=] {
        if (unsigned char* bytes = resolve(address, sizeof(T))) std::memcpy(bytes, &value, sizeof(T));
      },
      CU_GRAPH_NODE_TYPE_BATCH_MEM_OP);
  return CUDA_SUCCESS;
}

template <class T>
CUresult waitValue(CUstream handle, CUdeviceptr address, T value, unsigned flags) {
  CUresult status;
  Stream* stream = streamOf(handle, status);
  if (!stream) return status;
  if (flags > 3 || address % sizeof(T) || !resolve(address, sizeof(T))) return CUDA_ERROR_INVALID_VALUE;
  enqueue(
      *stream, [] {}, CU_GRAPH_NODE_TYPE_BATCH_MEM_OP,
      [=] {
        unsigned char* bytes = resolve(address, sizeof(T));
        if (!bytes) return true;
        T now;
        std::memcpy(&now, bytes, sizeof now);
        switch (flags) {
          case CU_STREAM_WAIT_VALUE_GEQ: return std::make_signed_t<T>(now - value) >= 0;
          case CU_STREAM_WAIT_VALUE_EQ: return now == value;
          case CU_STREAM_WAIT_VALUE_AND: return (now & value) != 0;
          default: return T(~(now | value)) != 0;
        }
      });
  return CUDA_SUCCESS;
}

}  // namespace

FAKE_CUDA(StreamBatchMemOp, CUstream stream, unsigned count, CUstreamBatchMemOpParams* steps, unsigned flags) {
  if (!count || count > 256 || !steps || flags) return CUDA_ERROR_INVALID_VALUE;
  for (unsigned i = 0; i < count; ++i) {
    CUresult status = CUDA_ERROR_INVALID_VALUE;
    const auto& write = steps[i].writeValue;
    const auto& wait = steps[i].waitValue;
    if (steps[i].operation == CU_STREAM_MEM_OP_WRITE_VALUE_32)
      status = writeValue(stream, write.address, write.value, write.flags);
    else if (steps[i].operation == CU_STREAM_MEM_OP_WRITE_VALUE_64)
      status = writeValue(stream, write.address, write.value64, write.flags);
    else if (steps[i].operation == CU_STREAM_MEM_OP_WAIT_VALUE_32)
      status = waitValue(stream, wait.address, wait.value, wait.flags);
    else if (steps[i].operation == CU_STREAM_MEM_OP_WAIT_VALUE_64)
      status = waitValue(stream, wait.address, wait.value64, wait.flags);
    if (status != CUDA_SUCCESS) return status;
  }
  return CUDA_SUCCESS;
}
FAKE_CUDA(StreamWriteValue32, CUstream stream, CUdeviceptr address, cuuint32_t value, unsigned flags) {
  return writeValue(stream, address, value, flags);
}
FAKE_CUDA(StreamWriteValue64, CUstream stream, CUdeviceptr address, cuuint64_t value, unsigned flags) {
  return writeValue(stream, address, value, flags);
}
FAKE_CUDA(StreamWaitValue32, CUstream stream, CUdeviceptr address, cuuint32_t value, unsigned flags) {
  return waitValue(stream, address, value, flags);
}
FAKE_CUDA(StreamWaitValue64, CUstream stream, CUdeviceptr address, cuuint64_t value, unsigned flags) {
  return waitValue(stream, address, value, flags);
}
