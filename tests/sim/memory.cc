// SPDX-License-Identifier: Apache-2.0
// Memory for zcluster-sim: a run is one thread that makes and drops small things, millions a
// second. A free list for each size costs a fourth of what malloc does, and that was a third of the
// run. Left out where a sanitizer watches the memory.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

// Each slab holds pieces of one size, and begins at a multiple of its own: so a piece finds it.
constexpr size_t kSlab = size_t{1} << 18;
constexpr size_t kGrain = 16;
constexpr size_t kFine = 1024;          // up to here a size for each grain, above by powers of two
constexpr size_t kLargest = kSlab / 8;  // what is larger comes from malloc's own slabs
constexpr size_t kSizes = kFine / kGrain + 1 + 8;

struct Piece {
  Piece* next;
};

struct alignas(kGrain) Slab {
  size_t size_class;  // kSizes: one large piece alone
};

struct Fresh {
  std::byte* at = nullptr;  // not handed out yet
  std::byte* end = nullptr;
};

// By size: what was given back, and what of the latest slab was never taken.
constinit std::array<Piece*, kSizes> given_back = {};
constinit std::array<Fresh, kSizes> fresh;

inline size_t ClassOf(size_t bytes) {
  if (bytes <= kFine) return (bytes + kGrain - 1) / kGrain;
  return kFine / kGrain + static_cast<size_t>(std::bit_width((bytes - 1) / kFine));
}

size_t BytesOf(size_t size_class) {
  constexpr size_t kLastFine = kFine / kGrain;
  if (size_class == 0) return kGrain;
  return size_class <= kLastFine ? size_class * kGrain : kFine << (size_class - kLastFine);
}

std::byte* NewSlab(size_t size_class, size_t bytes) {
  void* memory = std::aligned_alloc(kSlab, bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return reinterpret_cast<std::byte*>(new (memory) Slab{size_class} + 1);
}

void* TakeFresh(size_t bytes) {
  if (bytes > kLargest) return NewSlab(kSizes, (bytes + sizeof(Slab) + kSlab - 1) / kSlab * kSlab);
  const size_t size_class = ClassOf(bytes);
  Fresh& size = fresh[size_class];
  const size_t step = BytesOf(size_class);
  if (size.at == nullptr || static_cast<size_t>(size.end - size.at) < step) {
    size.at = NewSlab(size_class, kSlab);
    size.end = size.at + (kSlab - sizeof(Slab));
  }
  std::byte* piece = size.at;
  size.at += step;
  return piece;
}

inline void* Take(size_t bytes) {
  if (bytes > kLargest) [[unlikely]]
    return TakeFresh(bytes);
  Piece*& first = given_back[ClassOf(bytes)];
  Piece* piece = first;
  if (piece == nullptr) [[unlikely]]
    return TakeFresh(bytes);
  first = piece->next;
  return piece;
}

void Give(void* memory) noexcept {
  if (memory == nullptr) return;
  auto* slab = reinterpret_cast<Slab*>(reinterpret_cast<uintptr_t>(memory) & ~(kSlab - 1));
  if (slab->size_class == kSizes) return std::free(slab);
  Piece*& first = given_back[slab->size_class];
  first = new (memory) Piece{first};
}

// Whoever knows the size saves a look at the slab, which is far away.
inline void Give(void* memory, size_t bytes) noexcept {
  if (memory == nullptr) return;
  if (bytes > kLargest) return Give(memory);
  Piece*& first = given_back[ClassOf(bytes)];
  first = new (memory) Piece{first};
}

}  // namespace

void* operator new(size_t bytes) { return Take(bytes); }
void* operator new[](size_t bytes) { return Take(bytes); }
void operator delete(void* memory) noexcept { Give(memory); }
void operator delete[](void* memory) noexcept { Give(memory); }
void operator delete(void* memory, size_t bytes) noexcept { Give(memory, bytes); }
void operator delete[](void* memory, size_t bytes) noexcept { Give(memory, bytes); }

#endif
