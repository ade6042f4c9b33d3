#include "CAllocatorPeer.h"

#include <stdlib.h>

/* A buddy allocator as small as the algorithm allows: one zone, one list for each order, free blocks marked by their
   order in an array of page descriptors. Blocks split at the head of the lists and merge as far as they can. */

enum { ORDERS = 11, NONE = -1 };

struct page {
  int32_t next;
  int32_t previous;
  int8_t free_order;
  int8_t order;
};

struct buddy {
  struct page *pages;
  int32_t head[ORDERS];
  int32_t tail[ORDERS];
  uint64_t blocks[ORDERS];
  uint64_t free;
  uint64_t mark;
};

static void push(struct buddy *buddy, int32_t frame, int order) {
  struct page *page = &buddy->pages[frame];
  int32_t next = buddy->head[order];
  page->next = next;
  page->previous = NONE;
  page->free_order = (int8_t)order;
  if (next == NONE)
    buddy->tail[order] = frame;
  else
    buddy->pages[next].previous = frame;
  buddy->head[order] = frame;
  buddy->blocks[order]++;
}

static void append(struct buddy *buddy, int32_t frame, int order) {
  struct page *page = &buddy->pages[frame];
  int32_t last = buddy->tail[order];
  page->next = NONE;
  page->previous = last;
  page->free_order = (int8_t)order;
  if (last == NONE)
    buddy->head[order] = frame;
  else
    buddy->pages[last].next = frame;
  buddy->tail[order] = frame;
  buddy->blocks[order]++;
}

static void unlink_block(struct buddy *buddy, int32_t frame, int order) {
  struct page *page = &buddy->pages[frame];
  if (page->previous == NONE)
    buddy->head[order] = page->next;
  else
    buddy->pages[page->previous].next = page->next;
  if (page->next == NONE)
    buddy->tail[order] = page->previous;
  else
    buddy->pages[page->next].previous = page->previous;
  page->free_order = NONE;
  buddy->blocks[order]--;
}

static int32_t take(struct buddy *buddy, int order) {
  if (buddy->free < buddy->mark + (1u << order))
    return NONE;
  for (int found = order; found < ORDERS; found++) {
    int32_t frame = buddy->head[found];
    if (frame == NONE)
      continue;
    unlink_block(buddy, frame, found);
    for (int half = found; half > order;) {
      half--;
      push(buddy, frame + (1 << half), half);
    }
    buddy->pages[frame].order = (int8_t)order;
    buddy->free -= 1u << order;
    return frame;
  }
  return NONE;
}

static void give(struct buddy *buddy, int32_t frame, int order) {
  buddy->free += 1u << order;
  while (order < ORDERS - 1) {
    int32_t other = frame ^ (1 << order);
    if (buddy->pages[other].free_order != order)
      break;
    unlink_block(buddy, other, order);
    frame &= other;
    order++;
  }
  /* A block whose larger buddy is free may soon be merged: it goes where it is taken last. */
  if (order < ORDERS - 2 && buddy->pages[(frame & ~(1 << order)) ^ (2 << order)].free_order == order + 1)
    append(buddy, frame, order);
  else
    push(buddy, frame, order);
}

uint64_t peer_buddy_pairs(uint64_t pairs, uint64_t blocks, int order, double *seconds) {
  uint64_t frames = blocks << (ORDERS - 1);
  struct buddy buddy = {.pages = malloc(frames * sizeof(struct page)), .mark = 64};
  if (buddy.pages == NULL)
    return 0;
  for (uint64_t frame = 0; frame < frames; frame++)
    buddy.pages[frame] = (struct page){NONE, NONE, NONE, NONE};
  for (int each = 0; each < ORDERS; each++)
    buddy.head[each] = buddy.tail[each] = NONE;
  for (uint64_t block = 0; block < blocks; block++)
    append(&buddy, (int32_t)(block << (ORDERS - 1)), ORDERS - 1);
  buddy.free = frames;

  uint64_t checksum = 0;
  double start = peer_seconds();
  for (uint64_t pair = 0; pair < pairs; pair++) {
    int32_t frame = take(&buddy, order);
    if (frame == NONE)
      break;
    checksum++;
    __asm__ volatile("" : : "r"(frame) : "memory");
    give(&buddy, frame, buddy.pages[frame].order);
  }
  *seconds = peer_seconds() - start;
  free(buddy.pages);
  return checksum;
}
