// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory and semaphores that Vulkan makes on the same GPU, by file descriptor. Needs a GPU and a Vulkan loader with a
// driver for it; the error paths are in sharing_test.cpp, on the fake.
#include "runtime/driver/copy.h"
#include "runtime/driver/external.h"
#include "test/unit/driver/backend.h"

#if __has_include(<vulkan/vulkan.h>)
#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>

#include <dlfcn.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace rad::cuda {
namespace {

#define RAD_VULKAN_FUNCTIONS(F)                                                                                      \
  F(vkDestroyInstance)                                                                                               \
  F(vkEnumeratePhysicalDevices) F(vkGetPhysicalDeviceProperties2) F(vkCreateDevice)                                  \
      F(vkGetPhysicalDeviceMemoryProperties) F(vkDestroyDevice) F(vkGetDeviceQueue) F(vkCreateBuffer)                \
          F(vkDestroyBuffer) F(vkGetBufferMemoryRequirements) F(vkAllocateMemory) F(vkFreeMemory)                    \
              F(vkBindBufferMemory) F(vkMapMemory) F(vkCreateSemaphore) F(vkDestroySemaphore) F(vkCreateCommandPool) \
                  F(vkDestroyCommandPool) F(vkAllocateCommandBuffers) F(vkBeginCommandBuffer) F(vkEndCommandBuffer)  \
                      F(vkCmdCopyBuffer) F(vkCmdFillBuffer) F(vkCmdPipelineBarrier) F(vkQueueSubmit)                 \
                          F(vkDeviceWaitIdle) F(vkGetMemoryFdKHR) F(vkGetSemaphoreFdKHR)

constexpr VkDeviceSize bytes = 1 << 20;

/// A Vulkan device, with a buffer in memory that can be exported and one that the host reads. `ok()` is false after
/// the first call that failed; `why` names it.
class Vulkan {
 public:
  explicit Vulkan(const CUuuid& gpu) {
    library_ = ::dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library_) {
      missing = "no Vulkan loader: libvulkan.so.1";
      return;
    }
    get_ = reinterpret_cast<PFN_vkGetInstanceProcAddr>(::dlsym(library_, "vkGetInstanceProcAddr"));
    const auto create =
        get_ ? reinterpret_cast<PFN_vkCreateInstance>(get_(nullptr, "vkCreateInstance")) : PFN_vkCreateInstance();
    VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .apiVersion = VK_API_VERSION_1_2};
    VkInstanceCreateInfo info{.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &application};
    if (!create || create(&info, nullptr, &instance_) != VK_SUCCESS) {
      missing = "the Vulkan loader finds no driver";
      return;
    }
#define RAD_LOAD(name) name = reinterpret_cast<PFN_##name>(get_(instance_, #name));
    RAD_VULKAN_FUNCTIONS(RAD_LOAD)
#undef RAD_LOAD
    findDevice(gpu);
    if (physical_) makeDevice();
    else missing = "Vulkan does not have this GPU";
  }
  ~Vulkan() {
    if (device_) {
      vkDeviceWaitIdle(device_);
      for (VkSemaphore semaphore : semaphores_) vkDestroySemaphore(device_, semaphore, nullptr);
      for (VkBuffer buffer : buffers_) vkDestroyBuffer(device_, buffer, nullptr);
      for (VkDeviceMemory memory : memories_) vkFreeMemory(device_, memory, nullptr);
      vkDestroyCommandPool(device_, commands_, nullptr);
      vkDestroyDevice(device_, nullptr);
    }
    if (instance_) vkDestroyInstance(instance_, nullptr);
  }
  Vulkan(const Vulkan&) = delete;
  Vulkan& operator=(const Vulkan&) = delete;

  bool ok() const { return why.empty(); }

  /// A buffer and its memory; `exported`: on the GPU, to be given away, else for the host to read.
  VkBuffer buffer(bool exported, VkDeviceMemory* memory, VkDeviceSize* size) {
    VkExternalMemoryBufferCreateInfo external{.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
                                              .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT};
    VkBufferCreateInfo info{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                            .pNext = exported ? &external : nullptr,
                            .size = bytes,
                            .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    VkBuffer made = VK_NULL_HANDLE;
    if (!check(vkCreateBuffer(device_, &info, nullptr, &made), "vkCreateBuffer")) return VK_NULL_HANDLE;
    buffers_.push_back(made);
    VkMemoryRequirements needs{};
    vkGetBufferMemoryRequirements(device_, made, &needs);
    VkPhysicalDeviceMemoryProperties all{};
    vkGetPhysicalDeviceMemoryProperties(physical_, &all);
    const VkMemoryPropertyFlags wanted =
        exported ? VkMemoryPropertyFlags(VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT)
                 : VkMemoryPropertyFlags(VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
    std::uint32_t type = 0;
    while (type < all.memoryTypeCount &&
           (!(needs.memoryTypeBits >> type & 1) || (all.memoryTypes[type].propertyFlags & wanted) != wanted))
      ++type;
    if (type == all.memoryTypeCount) return why = "no such memory in Vulkan", VK_NULL_HANDLE;
    VkExportMemoryAllocateInfo exports{.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
                                       .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT};
    VkMemoryAllocateInfo allocation{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                    .pNext = exported ? &exports : nullptr,
                                    .allocationSize = needs.size,
                                    .memoryTypeIndex = type};
    if (!check(vkAllocateMemory(device_, &allocation, nullptr, memory), "vkAllocateMemory")) return VK_NULL_HANDLE;
    memories_.push_back(*memory);
    check(vkBindBufferMemory(device_, made, *memory, 0), "vkBindBufferMemory");
    *size = needs.size;
    return made;
  }

  rt::UniqueFd descriptor(VkDeviceMemory memory) {
    VkMemoryGetFdInfoKHR info{.sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
                              .memory = memory,
                              .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT};
    int fd = -1;
    check(vkGetMemoryFdKHR(device_, &info, &fd), "vkGetMemoryFdKHR");
    return rt::UniqueFd(fd);
  }

  VkSemaphore semaphore(bool timeline, rt::UniqueFd* fd) {
    VkSemaphoreTypeCreateInfo kind{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                   .semaphoreType = timeline ? VK_SEMAPHORE_TYPE_TIMELINE : VK_SEMAPHORE_TYPE_BINARY};
    VkExportSemaphoreCreateInfo exports{.sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
                                        .pNext = &kind,
                                        .handleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT};
    VkSemaphoreCreateInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &exports};
    VkSemaphore made = VK_NULL_HANDLE;
    if (!check(vkCreateSemaphore(device_, &info, nullptr, &made), "vkCreateSemaphore")) return made;
    semaphores_.push_back(made);
    VkSemaphoreGetFdInfoKHR wanted{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_GET_FD_INFO_KHR,
                                   .semaphore = made,
                                   .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT};
    int raw = -1;
    check(vkGetSemaphoreFdKHR(device_, &wanted, &raw), "vkGetSemaphoreFdKHR");
    *fd = rt::UniqueFd(raw);
    return made;
  }

  /// Submits, behind `wait` at `waitValue`: a copy of `from` to `to` (where there is one), then `from` filled with a
  /// word; then `signal` gets `signalValue`. Values count for timelines.
  void submit(VkBuffer from, VkBuffer to, std::uint32_t word, VkSemaphore wait, std::uint64_t waitValue,
              VkSemaphore signal, std::uint64_t signalValue) {
    VkCommandBufferAllocateInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                     .commandPool = commands_,
                                     .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                     .commandBufferCount = 1};
    VkCommandBuffer list = VK_NULL_HANDLE;
    if (!check(vkAllocateCommandBuffers(device_, &info, &list), "vkAllocateCommandBuffers")) return;
    VkCommandBufferBeginInfo begin{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    check(vkBeginCommandBuffer(list, &begin), "vkBeginCommandBuffer");
    if (to) {
      VkBufferCopy region{.size = bytes};
      vkCmdCopyBuffer(list, from, to, 1, &region);
      VkMemoryBarrier order{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                            .srcAccessMask = VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
                            .dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT | VK_ACCESS_HOST_READ_BIT};
      vkCmdPipelineBarrier(list, VK_PIPELINE_STAGE_TRANSFER_BIT,
                           VK_PIPELINE_STAGE_TRANSFER_BIT | VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &order, 0, nullptr, 0,
                           nullptr);
    }
    vkCmdFillBuffer(list, from, 0, bytes, word);
    check(vkEndCommandBuffer(list), "vkEndCommandBuffer");
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_TRANSFER_BIT;
    VkTimelineSemaphoreSubmitInfo values{.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
                                         .waitSemaphoreValueCount = wait ? 1u : 0u,
                                         .pWaitSemaphoreValues = &waitValue,
                                         .signalSemaphoreValueCount = 1,
                                         .pSignalSemaphoreValues = &signalValue};
    VkSubmitInfo work{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                      .pNext = &values,
                      .waitSemaphoreCount = wait ? 1u : 0u,
                      .pWaitSemaphores = &wait,
                      .pWaitDstStageMask = &stage,
                      .commandBufferCount = 1,
                      .pCommandBuffers = &list,
                      .signalSemaphoreCount = 1,
                      .pSignalSemaphores = &signal};
    check(vkQueueSubmit(queue_, 1, &work, VK_NULL_HANDLE), "vkQueueSubmit");
  }

  /// The words of memory that the host can read, after all work.
  std::vector<std::uint32_t> words(VkDeviceMemory memory) {
    std::vector<std::uint32_t> out(bytes / 4);
    void* data = nullptr;
    if (check(vkDeviceWaitIdle(device_), "vkDeviceWaitIdle") &&
        check(vkMapMemory(device_, memory, 0, bytes, 0, &data), "vkMapMemory"))
      std::memcpy(out.data(), data, bytes);
    return out;
  }

  std::string missing;  ///< what there has to be for a test; empty where all is there
  std::string why;      ///< the first call that failed

 private:
  bool check(VkResult result, const char* call) {
    if (result != VK_SUCCESS && why.empty()) why = std::string(call) + " gave " + std::to_string(int(result));
    return result == VK_SUCCESS;
  }
  void findDevice(const CUuuid& gpu) {
    std::uint32_t count = 0;
    check(vkEnumeratePhysicalDevices(instance_, &count, nullptr), "vkEnumeratePhysicalDevices");
    std::vector<VkPhysicalDevice> all(count);
    vkEnumeratePhysicalDevices(instance_, &count, all.data());
    for (VkPhysicalDevice one : all) {
      VkPhysicalDeviceIDProperties id{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES};
      VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &id};
      vkGetPhysicalDeviceProperties2(one, &properties);
      if (std::memcmp(id.deviceUUID, gpu.bytes, sizeof gpu.bytes) == 0) physical_ = one;
    }
  }
  void makeDevice() {
    const float priority = 1;
    VkDeviceQueueCreateInfo queue{
        .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueCount = 1, .pQueuePriorities = &priority};
    VkPhysicalDeviceTimelineSemaphoreFeatures timelines{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES, .timelineSemaphore = VK_TRUE};
    const char* extensions[] = {VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME, VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME};
    VkDeviceCreateInfo info{.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                            .pNext = &timelines,
                            .queueCreateInfoCount = 1,
                            .pQueueCreateInfos = &queue,
                            .enabledExtensionCount = std::size(extensions),
                            .ppEnabledExtensionNames = extensions};
    if (!check(vkCreateDevice(physical_, &info, nullptr, &device_), "vkCreateDevice")) return;
    vkGetDeviceQueue(device_, 0, 0, &queue_);
    VkCommandPoolCreateInfo pool{.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    check(vkCreateCommandPool(device_, &pool, nullptr, &commands_), "vkCreateCommandPool");
  }

#define RAD_DECLARE(name) PFN_##name name = nullptr;
  RAD_VULKAN_FUNCTIONS(RAD_DECLARE)
#undef RAD_DECLARE
  void* library_ = nullptr;  // never closed: drivers leave threads behind
  PFN_vkGetInstanceProcAddr get_ = nullptr;
  VkInstance instance_ = VK_NULL_HANDLE;
  VkPhysicalDevice physical_ = VK_NULL_HANDLE;
  VkDevice device_ = VK_NULL_HANDLE;
  VkQueue queue_ = VK_NULL_HANDLE;
  VkCommandPool commands_ = VK_NULL_HANDLE;
  std::vector<VkBuffer> buffers_;
  std::vector<VkDeviceMemory> memories_;
  std::vector<VkSemaphore> semaphores_;
};

class WithVulkan : public OnGpu {
 protected:
  void SetUp() override {
    OnGpu::SetUp();
    if (!context_) return;
    ASSERT_MADE(const CUuuid uuid, context_.device().uuid());
    vulkan_.emplace(uuid);
    if (!vulkan_->missing.empty()) GTEST_SKIP() << vulkan_->missing;
    ASSERT_TRUE(vulkan_->ok()) << vulkan_->why;
  }
  std::optional<Vulkan> vulkan_;
};

TEST_F(WithVulkan, BothWriteOneBufferInTurns) {
  Vulkan& vk = *vulkan_;
  VkDeviceMemory theirs = VK_NULL_HANDLE, read = VK_NULL_HANDLE;
  VkDeviceSize size = 0, readSize = 0;
  const VkBuffer buffer = vk.buffer(true, &theirs, &size), copied = vk.buffer(false, &read, &readSize);
  rt::UniqueFd turns;
  const VkSemaphore turn = vk.semaphore(true, &turns);
  ASSERT_TRUE(vk.ok()) << vk.why;
  rt::UniqueFd fd = vk.descriptor(theirs);
  ASSERT_TRUE(vk.ok()) << vk.why;

  ASSERT_MADE(ExternalMemory external, ExternalMemory::open(context_, fd, size));
  EXPECT_FALSE(fd) << "the driver's now";
  ASSERT_MADE(const Memory memory, external.map(0, bytes));
  external = ExternalMemory();  // the mapping keeps it
  ASSERT_MADE(const ExternalSemaphore semaphore, ExternalSemaphore::open(context_, turns, true));
  ASSERT_MADE(const Stream stream, Stream::create(context_));

  // CUDA writes, Vulkan copies that and writes, CUDA reads.
  ASSERT_OK(fill(stream, memory.address(), std::uint32_t(0xC0DA), bytes / 4));
  ASSERT_OK(semaphore.signal(stream, 1));
  vk.submit(buffer, copied, 0x5EED, turn, 1, turn, 2);
  ASSERT_TRUE(vk.ok()) << vk.why;
  ASSERT_OK(semaphore.wait(stream, 2));
  std::vector<std::uint32_t> seen(bytes / 4);
  ASSERT_OK(copy(stream, std::span(seen), memory));
  ASSERT_OK(stream.synchronize());
  EXPECT_EQ(std::ranges::count(seen, 0x5EEDu), std::ptrdiff_t(seen.size())) << "CUDA reads what Vulkan wrote";
  const std::vector<std::uint32_t> there = vk.words(read);
  ASSERT_TRUE(vk.ok()) << vk.why;
  EXPECT_EQ(std::ranges::count(there, 0xC0DAu), std::ptrdiff_t(there.size())) << "Vulkan copied what CUDA wrote";
}

TEST_F(WithVulkan, ABinarySemaphoreOrdersThem) {
  Vulkan& vk = *vulkan_;
  VkDeviceMemory theirs = VK_NULL_HANDLE;
  VkDeviceSize size = 0;
  const VkBuffer buffer = vk.buffer(true, &theirs, &size);
  rt::UniqueFd there;
  const VkSemaphore ready = vk.semaphore(false, &there);
  ASSERT_TRUE(vk.ok()) << vk.why;
  rt::UniqueFd fd = vk.descriptor(theirs);
  ASSERT_TRUE(vk.ok()) << vk.why;
  ASSERT_MADE(const ExternalMemory external, ExternalMemory::open(context_, fd, size));
  ASSERT_MADE(const Memory half, external.map(bytes / 2, bytes / 2));
  ASSERT_MADE(const ExternalSemaphore semaphore, ExternalSemaphore::open(context_, there, false));
  ASSERT_MADE(const Stream stream, Stream::create(context_));
  vk.submit(buffer, VK_NULL_HANDLE, 0xF00D, VK_NULL_HANDLE, 0, ready, 0);
  ASSERT_TRUE(vk.ok()) << vk.why;
  ASSERT_OK(semaphore.wait(stream));
  std::vector<std::uint32_t> seen(bytes / 8);
  ASSERT_OK(copy(stream, std::span(seen), half));
  ASSERT_OK(stream.synchronize());
  EXPECT_EQ(std::ranges::count(seen, 0xF00Du), std::ptrdiff_t(seen.size()));
}

}  // namespace
}  // namespace rad::cuda

#endif
