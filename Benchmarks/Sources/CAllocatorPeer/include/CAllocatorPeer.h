#ifndef C_ALLOCATOR_PEER_H
#define C_ALLOCATOR_PEER_H

#include <stdint.h>

/* The C library's malloc and free in the loops of the engine's benchmarks. Each returns a checksum. */

/* malloc(size) and free of the result, `pairs` times. */
uint64_t peer_hot_pairs(uint64_t pairs, uint64_t size);

/* Fills `live` slots, then frees and refills a random one, `pairs` times, and empties them. Only the pairs are
   timed, into `seconds`. */
uint64_t peer_churn(uint64_t pairs, uint64_t live, uint64_t size, uint64_t seed, double *seconds);

/* A block of this order taken from a buddy allocator in C and given back, `pairs` times. All memory, so many blocks
   of the largest order, is free: each pair splits one down and merges it again. Only the pairs are timed. */
uint64_t peer_buddy_pairs(uint64_t pairs, uint64_t blocks, int order, double *seconds);

/* memcpy of `size` bytes from one buffer to another, `count` times. */
uint64_t peer_copies(uint64_t count, uint64_t size);

/* Monotonic time. */
double peer_seconds(void);

/* Resident bytes of this process; 0 where they cannot be read. */
uint64_t peer_resident_bytes(void);

#endif
