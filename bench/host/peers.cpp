// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loops and algorithms of kernels.rad in plain C++, for bench.py: clang -O3 -march=native. Prints "NAME SECONDS"
// for each sample.
//   peers SAMPLES THREADS
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

#define KERNEL __attribute__((noinline)) void
using F = float;
using I = int64_t;

KERNEL saxpy(I b, I e, F a, const F* __restrict x, F* __restrict y) {
  for (I i = b; i < e; ++i) y[i] += a * x[i];
}
KERNEL triad(I lo, I hi, F s, const F* __restrict b, const F* __restrict c, F* __restrict a) {
  for (I i = lo; i < hi; ++i) a[i] = b[i] + s * c[i];
}
KERNEL stencil(I lo, I hi, I w, const F* __restrict x, F* __restrict y) {
  for (I i = lo; i < hi; ++i)
    for (I j = 1; j < w - 1; ++j)
      y[i * w + j] = 0.5f * x[i * w + j] +
                     0.125f * (x[(i - 1) * w + j] + x[(i + 1) * w + j] + x[i * w + j - 1] + x[i * w + j + 1]);
}
KERNEL polynomial(I lo, I hi, const F* __restrict x, F* __restrict y) {
  for (I i = lo; i < hi; ++i) {
    F t = x[i];
    y[i] =
        ((((((((0.11f * t + 0.12f) * t - 0.13f) * t + 0.14f) * t - 0.15f) * t + 0.16f) * t - 0.17f) * t + 0.18f) * t -
         0.19f) *
            t +
        0.2f;
  }
}
KERNEL expsin(I lo, I hi, const F* __restrict x, F* __restrict y) {
  for (I i = lo; i < hi; ++i) y[i] = std::exp(-x[i]) * std::sin(6.0f * x[i]);
}
KERNEL mandelbrot(I lo, I hi, I h, I w, int* __restrict steps) {
  for (I row = lo; row < hi; ++row)
    for (I col = 0; col < w; ++col) {
      F cx = -2.0f + 3.0f * F(col) / F(w), cy = -1.5f + 3.0f * F(row) / F(h), x = 0, y = 0;
      int n = 0;
      while (n < 256 && x * x + y * y < 4.0f) {
        F next = x * x - y * y + cx;
        y = 2.0f * x * y + cy;
        x = next;
        ++n;
      }
      steps[row * w + col] = n;
    }
}
KERNEL treeSum(I lo, I hi, I n, const F* __restrict x, F* __restrict out) {
  for (I b = lo; b < hi; ++b) {
    F part[256];
    for (I t = 0; t < 256; ++t) part[t] = b * 256 + t < n ? x[b * 256 + t] : 0.0f;
    for (I w = 128; w > 0; w /= 2)
      for (I t = 0; t < w; ++t) part[t] += part[t + w];
    out[b] = part[0];
  }
}
// One tile of C at a time, as the kernel does.
KERNEL matmul(I lo, I hi, I n, const F* __restrict a, const F* __restrict b, F* __restrict c) {
  constexpr I T = 16;
  for (I by = lo; by < hi; ++by)
    for (I bx = 0; bx < n / T; ++bx) {
      F total[T][T] = {}, left[T][T], right[T][T];
      for (I first = 0; first < n; first += T) {
        for (I y = 0; y < T; ++y)
          for (I x = 0; x < T; ++x)
            left[y][x] = a[(by * T + y) * n + first + x], right[y][x] = b[(first + y) * n + bx * T + x];
        for (I y = 0; y < T; ++y)
          for (I j = 0; j < T; ++j)
            for (I x = 0; x < T; ++x) total[y][x] += left[y][j] * right[j][x];
      }
      for (I y = 0; y < T; ++y)
        for (I x = 0; x < T; ++x) c[(by * T + y) * n + bx * T + x] = total[y][x];
    }
}
KERNEL nbody(I lo, I hi, I n, const F* __restrict x, const F* __restrict y, const F* __restrict z, F* __restrict ax,
             F* __restrict ay, F* __restrict az) {
  for (I i = lo; i < hi; ++i) {
    F sx = 0, sy = 0, sz = 0;
    for (I j = 0; j < n; ++j) {
      F dx = x[j] - x[i], dy = y[j] - y[i], dz = z[j] - z[i];
      F r = 1.0f / std::sqrt(dx * dx + dy * dy + dz * dz + 0.01f), f = r * r * r;
      sx += f * dx, sy += f * dy, sz += f * dz;
    }
    ax[i] = sx, ay[i] = sy, az[i] = sz;
  }
}
KERNEL histogram(I lo, I hi, I n, I m, const F* __restrict x, int* __restrict counts) {
  for (I b = lo; b < hi; ++b) {
    int own[16] = {};
    for (I i = n * b / m, e = n * (b + 1) / m; i < e; ++i) ++own[std::min<I>(I(x[i] * 16.0f), 15)];
    for (I k = 0; k < 16; ++k) counts[b * 16 + k] = own[k];
  }
}
KERNEL softmax(I lo, I hi, I n, const F* __restrict x, F* __restrict out) {
  for (I row = lo; row < hi; ++row) {
    const F* from = x + row * n;
    F* to = out + row * n;
    F high = -INFINITY, total = 0;
    for (I j = 0; j < n; ++j) high = std::fmax(high, from[j]);
    for (I j = 0; j < n; ++j) total += std::exp(from[j] - high);
    for (I j = 0; j < n; ++j) to[j] = std::exp(from[j] - high) / total;
  }
}

/// Threads that take pieces of a loop, as the host device does.
class Pool {
 public:
  explicit Pool(int threads) : threads_(threads) {
    for (int t = 1; t < threads; ++t) std::thread([this] { serve(); }).detach();
  }
  void run(I low, I high, const std::function<void(I, I)>& work) {
    low_ = low, count_ = high - low, pieces_ = std::min<I>(count_, threads_ * 16);
    if (threads_ == 1) return work(low, high);
    work_ = &work;
    next_ = 0, done_ = 0;
    generation_.fetch_add(1);
    take();
    while (done_.load() != threads_ - 1) std::this_thread::yield();
  }

 private:
  void take() {
    for (I p; (p = next_.fetch_add(1)) < pieces_;)
      (*work_)(low_ + count_ * p / pieces_, low_ + count_ * (p + 1) / pieces_);
  }
  void serve() {
    for (uint64_t seen = 0;; ++seen) {
      while (generation_.load() == seen) std::this_thread::yield();
      take();
      done_.fetch_add(1);
    }
  }
  int threads_;
  I low_ = 0, count_ = 0, pieces_ = 0;
  const std::function<void(I, I)>* work_ = nullptr;
  std::atomic<I> next_{0}, done_{0};
  std::atomic<uint64_t> generation_{0};
};

int main(int argc, char** argv) {
  int samples = argc > 1 ? std::atoi(argv[1]) : 5;
  Pool& pool = *new Pool(argc > 2 ? std::atoi(argv[2]) : 1);
  auto filled = [](size_t n) {
    std::vector<F> v(n);
    uint32_t state = 12345 + uint32_t(n);
    for (F& f : v) state = state * 1664525 + 1013904223, f = F(state >> 8) / 16777216.0f;
    return v;
  };
  auto timed = [](const char* name, int times, auto work) {
    auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < times; ++i) work();
    std::printf("%s %.9f\n", name,
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / times);
  };
  constexpr I n = 1 << 22, side = 1024, count = side * side, bodies = 4096;
  {
    auto x = filled(n), y = filled(n), z = filled(n);
    for (int s = 0; s < samples + 1; ++s) {
      timed(s ? "saxpy" : "warm", 10,
            [&] { pool.run(0, n, [&](I b, I e) { saxpy(b, e, 0.001f, z.data(), x.data()); }); });
      timed(s ? "triad" : "warm", 10,
            [&] { pool.run(0, n, [&](I b, I e) { triad(b, e, 0.5f, x.data(), y.data(), z.data()); }); });
    }
  }
  auto grid = filled(count), next = filled(count), a = filled(512 * 512), b = filled(512 * 512), c = filled(512 * 512),
       out = filled(4096);
  auto px = filled(bodies), py = filled(bodies), pz = filled(bodies), ax = px, ay = px, az = px;
  std::vector<int> steps(count), counts(256 * 16);
  for (int s = 0; s < samples + 1; ++s) {
    auto name = [&](const char* text) { return s ? text : "warm"; };
    timed(name("stencil"), 20,
          [&] { pool.run(1, side - 1, [&](I b, I e) { stencil(b, e, side, grid.data(), next.data()); }); });
    timed(name("polynomial"), 20,
          [&] { pool.run(0, count, [&](I b, I e) { polynomial(b, e, grid.data(), next.data()); }); });
    timed(name("expsin"), 5, [&] { pool.run(0, count, [&](I b, I e) { expsin(b, e, grid.data(), next.data()); }); });
    timed(name("mandelbrot"), 1,
          [&] { pool.run(0, side, [&](I b, I e) { mandelbrot(b, e, side, side, steps.data()); }); });
    auto sums = [&] { pool.run(0, 4096, [&](I b, I e) { treeSum(b, e, count, grid.data(), out.data()); }); };
    timed(name("tree_sum"), 20, sums);
    timed(name("block_sum"), 20, sums);
    timed(name("matmul"), 5,
          [&] { pool.run(0, 512 / 16, [&](I lo, I hi) { matmul(lo, hi, 512, a.data(), b.data(), c.data()); }); });
    timed(name("nbody"), 1, [&] {
      pool.run(0, bodies, [&](I b, I e) {
        nbody(b, e, bodies, px.data(), py.data(), pz.data(), ax.data(), ay.data(), az.data());
      });
    });
    timed(name("histogram"), 5,
          [&] { pool.run(0, 256, [&](I b, I e) { histogram(b, e, count, 256, grid.data(), counts.data()); }); });
    timed(name("softmax"), 5,
          [&] { pool.run(0, side, [&](I b, I e) { softmax(b, e, side, grid.data(), next.data()); }); });
  }
  int64_t total = 0;
  for (int s : steps) total += s;
  std::printf("steps %ld\n", long(total));
  std::fflush(stdout);
  std::_Exit(0);
}
