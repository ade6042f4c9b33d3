/* Tells ThreadSanitizer about Swift's `Mutex`, for `scripts/sanitize thread`.
 *
 * The uncontended path of `Mutex` is compiled into our code and seen. The contended one lies in the toolchain's
 * Synchronization library, which is not instrumented, so that whatever a contended lock guards looks like a race. This
 * library is loaded before that one and adds the missing edge around the three entry points.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

/* Present in the process under test only; `swift test` itself loads this library too. */
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK_SLOW "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT void lock_slow(uint32_t thread, SELF void *mutex) __asm__(LOCK_SLOW);
SWIFT bool try_lock_slow(SELF void *mutex) __asm__(TRY_LOCK_SLOW);
SWIFT void unlock_slow(SELF void *mutex) __asm__(UNLOCK_SLOW);

SWIFT void lock_slow(uint32_t thread, SELF void *mutex) {
  SWIFT void (*real)(uint32_t, SELF void *) = dlsym(RTLD_NEXT, LOCK_SLOW);
  real(thread, mutex);
  if (__tsan_acquire)
    __tsan_acquire(mutex);
}

SWIFT bool try_lock_slow(SELF void *mutex) {
  SWIFT bool (*real)(SELF void *) = dlsym(RTLD_NEXT, TRY_LOCK_SLOW);
  bool locked = real(mutex);
  if (locked && __tsan_acquire)
    __tsan_acquire(mutex);
  return locked;
}

SWIFT void unlock_slow(SELF void *mutex) {
  SWIFT void (*real)(SELF void *) = dlsym(RTLD_NEXT, UNLOCK_SLOW);
  if (__tsan_release)
    __tsan_release(mutex);
  real(mutex);
}
