#include "CAllocatorPeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Makes the compiler believe that the object is used, so that it keeps the allocation. */
static inline void use(void *object) { __asm__ volatile("" : : "r"(object) : "memory"); }

double peer_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

uint64_t peer_resident_bytes(void) {
  unsigned long size = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL)
    return 0;
  int read = fscanf(file, "%lu %lu", &size, &resident);
  fclose(file);
  return read == 2 ? (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

uint64_t peer_hot_pairs(uint64_t pairs, uint64_t size) {
  uint64_t checksum = 0;
  for (uint64_t pair = 0; pair < pairs; pair++) {
    void *object = malloc(size);
    use(object);
    checksum += object != NULL;
    free(object);
  }
  return checksum;
}

uint64_t peer_churn(uint64_t pairs, uint64_t live, uint64_t size, uint64_t seed, double *seconds) {
  void **slots = calloc(live, sizeof *slots);
  if (slots == NULL)
    return 0;
  for (uint64_t slot = 0; slot < live; slot++)
    use(slots[slot] = malloc(size));

  uint64_t checksum = 0;
  uint64_t state = seed;
  double start = peer_seconds();
  for (uint64_t pair = 0; pair < pairs; pair++) {
    /* The same generator and reduction as ChurnSlots.swift. */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    uint64_t slot = (state >> 32) * live >> 32;
    free(slots[slot]);
    use(slots[slot] = malloc(size));
    checksum += slot;
  }
  *seconds = peer_seconds() - start;

  for (uint64_t slot = 0; slot < live; slot++)
    free(slots[slot]);
  free(slots);
  return checksum;
}

uint64_t peer_copies(uint64_t count, uint64_t size) {
  unsigned char *from = malloc(size), *to = malloc(size);
  uint64_t checksum = 0;
  if (!from || !to) {
    free(from);
    free(to);
    return 0;
  }
  memset(from, 0x5a, size);
  memset(to, 0, size);
  for (uint64_t i = 0; i < count; i++) {
    /* The compiler must think that others read what was copied, and write what is to be: knowing
       all bytes of the source, it would set the target instead of copying. */
    __asm__ volatile("" : : "r"(from), "r"(to) : "memory");
    memcpy(to, from, size);
    __asm__ volatile("" : : "r"(from), "r"(to) : "memory");
    checksum += size;
  }
  free(from);
  free(to);
  return checksum;
}
