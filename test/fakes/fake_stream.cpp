// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tier 4, as much as the runtime uses: streams and events. Work happens when
// somebody waits for it, so a program that reads too early reads old bytes.

#include "test/fakes/fake_state.h"

using namespace fake;

namespace {

Event *eventOf(CUevent handle) {
  World &w = world();
  if (w.deadHandles.count(handle))
    crash("use of a destroyed event");
  auto it = w.events.find(handle);
  if (it == w.events.end())
    crash("use of an event that never was");
  return it->second.get();
}

void finish(Event &event) {
  while (!event.complete && event.stream && !event.stream->queue.empty())
    drain(*event.stream, 1);
}

} // namespace

FAKE_CUDA(StreamCreateWithPriority, CUstream *stream, unsigned flags, int) {
  Context *context = currentContext();
  if (!context)
    return CUDA_ERROR_INVALID_CONTEXT;
  if (!context->alive)
    return CUDA_ERROR_CONTEXT_IS_DESTROYED;
  if (!stream || flags > 1)
    return CUDA_ERROR_INVALID_VALUE;
  *stream = makeHandle<CUstream>();
  auto made = std::make_unique<Stream>();
  made->context = context;
  world().streams.emplace(*stream, std::move(made));
  return CUDA_SUCCESS;
}

FAKE_CUDA(StreamDestroy, CUstream handle) {
  World &w = world();
  CUresult status;
  Stream *stream = streamOf(handle, status);
  if (!stream)
    return status;
  drain(*stream); // a real one goes on with the work and returns at once
  for (auto &[event, item] : w.events)
    if (item->stream == stream)
      item->stream = nullptr;
  w.streams.erase(handle);
  w.deadHandles.insert(handle);
  return CUDA_SUCCESS;
}

FAKE_CUDA(StreamQuery, CUstream handle) {
  CUresult status;
  Stream *stream = streamOf(handle, status);
  if (!stream)
    return status;
  if (stream->queue.empty())
    return CUresult(world().sticky);
  drain(*stream, 1); // polling gets somewhere
  return world().sticky ? CUresult(world().sticky) : CUDA_ERROR_NOT_READY;
}

FAKE_CUDA(StreamSynchronize, CUstream handle) {
  CUresult status;
  Stream *stream = streamOf(handle, status);
  if (!stream)
    return status;
  drain(*stream);
  return CUresult(world().sticky);
}

FAKE_CUDA(StreamWaitEvent, CUstream handle, CUevent event, unsigned flags) {
  CUresult status;
  Stream *stream = streamOf(handle, status);
  if (!stream)
    return status;
  Event *item = eventOf(event);
  if (flags > 1)
    return CUDA_ERROR_INVALID_VALUE;
  if (item->recorded && !item->complete)
    enqueue(*stream, [event] {
      auto it = world().events.find(event);
      if (it != world().events.end())
        finish(*it->second);
    });
  return CUDA_SUCCESS;
}

FAKE_CUDA(EventCreate, CUevent *event, unsigned flags) {
  Context *context = currentContext();
  if (!context)
    return CUDA_ERROR_INVALID_CONTEXT;
  if (!event || flags > 7)
    return CUDA_ERROR_INVALID_VALUE;
  *event = makeHandle<CUevent>();
  auto made = std::make_unique<Event>();
  made->context = context;
  made->timing = !(flags & CU_EVENT_DISABLE_TIMING);
  world().events.emplace(*event, std::move(made));
  return CUDA_SUCCESS;
}

FAKE_CUDA(EventDestroy, CUevent handle) {
  eventOf(handle);
  world().events.erase(handle);
  world().deadHandles.insert(handle);
  return CUDA_SUCCESS;
}

FAKE_CUDA(EventRecord, CUevent handle, CUstream streamHandle) {
  Event *event = eventOf(handle);
  CUresult status;
  Stream *stream = streamOf(streamHandle, status);
  if (!stream)
    return status;
  event->recorded = true;
  event->complete = false;
  event->stream = stream;
  const std::uint64_t generation = ++event->generation;
  enqueue(*stream, [handle, generation] {
    auto it = world().events.find(handle);
    if (it == world().events.end() || it->second->generation != generation)
      return;
    it->second->complete = true;
    it->second->time = world().clock;
  });
  return CUDA_SUCCESS;
}

FAKE_CUDA(EventQuery, CUevent handle) {
  Event *event = eventOf(handle);
  if (event->complete)
    return CUDA_SUCCESS;
  if (event->stream)
    drain(*event->stream, 1);
  return CUDA_ERROR_NOT_READY;
}

FAKE_CUDA(EventSynchronize, CUevent handle) {
  finish(*eventOf(handle));
  return CUresult(world().sticky);
}

FAKE_CUDA(EventElapsedTime, float *milliseconds, CUevent first, CUevent second) {
  Event *begin = eventOf(first), *end = eventOf(second);
  if (!begin->timing || !end->timing || !begin->recorded || !end->recorded)
    return CUDA_ERROR_INVALID_HANDLE;
  if (!begin->complete || !end->complete)
    return CUDA_ERROR_NOT_READY;
  *milliseconds = float(end->time - begin->time);
  return CUDA_SUCCESS;
}
