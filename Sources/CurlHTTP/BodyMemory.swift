// How the C library keeps the memory of bodies, for the whole process.
//
// Left alone it gives the memory of each freed body of some MiB back to the kernel and asks for it anew: 2,048 page
// faults and as many pages to clear for every 8 MiB, which costs more than receiving the bytes does.

import CCurl

enum BodyMemory {
  /// Has freed memory kept for the next body. What is kept is at most what was in use at once before, so a bound on
  /// bodies in flight stays a bound on memory.
  static func keepFreed() {
    // The most that the C library takes for this one: larger allocations go to the kernel each time.
    mallopt(M_MMAP_THRESHOLD, 32 << 20)
    mallopt(M_TRIM_THRESHOLD, 128 << 20)
    // What each arena keeps adds up; bodies are allocated on the engine's thread and on a few others.
    mallopt(M_ARENA_MAX, 2)
  }
}
