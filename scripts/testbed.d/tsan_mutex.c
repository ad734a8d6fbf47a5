// Tells ThreadSanitizer what it cannot see of Swift's Mutex: the hand-over to a thread that had to wait. The rest of a
// Mutex is inlined into the code that uses it and instrumented there; waiting and waking are in a library that is not.
// Preloaded by scripts/test --sanitize thread; of no effect in programs without the sanitizer.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define WAIT "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define WAKE "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *handle

typedef SWIFT void wait_function(uint32_t thread, SELF);
typedef SWIFT void wake_function(SELF);

extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));
SWIFT void wait_for_lock(uint32_t thread, SELF) __asm__(WAIT);
SWIFT void wake_waiter(SELF) __asm__(WAKE);

static void *original(void **place, const char *name) {
  void *found = __atomic_load_n(place, __ATOMIC_RELAXED);
  if (!found) {
    found = dlsym(RTLD_NEXT, name);
    __atomic_store_n(place, found, __ATOMIC_RELAXED);
  }
  return found;
}

SWIFT void wait_for_lock(uint32_t thread, SELF) {
  static void *place;
  ((wait_function *)original(&place, WAIT))(thread, handle);
  if (__tsan_acquire) __tsan_acquire(handle);
}

SWIFT void wake_waiter(SELF) {
  static void *place;
  wake_function *next = (wake_function *)original(&place, WAKE);
  if (__tsan_release) __tsan_release(handle);
  next(handle);
}
