#include "CAllocatorPeer.h"

#include <stdlib.h>

/* The page allocator's way of a larger block, 6.1, as plain C has it: flags choose a zone and a class, the zone's low
   mark and reserve are kept, blocks split at the heads of five lists for each order, a free looks at the page's state
   and its pageblock's class, merges as far as it can, and both sides count in the CPU's difference first.

   What the engine does besides stays out: sharing memory with forks, tracing of decisions, untouched memory that costs
   nothing. */

enum { ORDERS = 11, TYPES = 5, ZONES = 3, PAGEBLOCK = 9 };

static const uint32_t NONE = UINT32_MAX;

enum kind { INNER, FREE, IN_USE };

struct page {
  uint32_t next;
  uint32_t previous;
  uint8_t kind;
  uint8_t order;
  uint8_t type;
  uint8_t zone;
  uint32_t references;
};

struct list {
  uint32_t head;
  uint32_t tail;
};

struct zone {
  struct list lists[ORDERS][TYPES];
  uint64_t blocks[ORDERS];
  int64_t free;
  int64_t low;
  int64_t reserve[ZONES];
  int64_t cpu_difference;
  int64_t threshold;
  uint64_t hits;
};

struct machine {
  struct page *pages;
  uint8_t *block_types;
  uint64_t frames;
  uint8_t zone_of_flags[16];
  struct zone zones[ZONES];
};

static void push(struct machine *machine, struct zone *zone, uint32_t frame, int order, int type) {
  struct page *page = &machine->pages[frame];
  struct list *list = &zone->lists[order][type];
  page->kind = FREE;
  page->order = (uint8_t)order;
  page->type = (uint8_t)type;
  page->next = list->head;
  page->previous = NONE;
  if (list->head == NONE)
    list->tail = frame;
  else
    machine->pages[list->head].previous = frame;
  list->head = frame;
  zone->blocks[order]++;
}

static void append(struct machine *machine, struct zone *zone, uint32_t frame, int order, int type) {
  struct page *page = &machine->pages[frame];
  struct list *list = &zone->lists[order][type];
  page->kind = FREE;
  page->order = (uint8_t)order;
  page->type = (uint8_t)type;
  page->next = NONE;
  page->previous = list->tail;
  if (list->tail == NONE)
    list->head = frame;
  else
    machine->pages[list->tail].next = frame;
  list->tail = frame;
  zone->blocks[order]++;
}

static void unlink_block(struct machine *machine, struct zone *zone, uint32_t frame) {
  struct page *page = &machine->pages[frame];
  struct list *list = &zone->lists[page->order][page->type];
  if (list->head == frame)
    list->head = page->next;
  else
    machine->pages[page->previous].next = page->next;
  if (list->tail == frame)
    list->tail = list->head == NONE ? NONE : page->previous;
  else
    machine->pages[page->next].previous = page->previous;
  page->kind = INNER;
  zone->blocks[page->order]--;
}

static void count(struct zone *zone, int64_t pages) {
  int64_t difference = zone->cpu_difference + pages;
  if (difference > zone->threshold || difference < -zone->threshold) {
    zone->free += difference;
    difference = 0;
  }
  zone->cpu_difference = difference;
}

static int above_low(const struct zone *zone, int highest, int order) {
  return zone->free - ((1 << order) - 1) > zone->low + zone->reserve[highest];
}

static uint32_t take(struct machine *machine, uint32_t flags, int order) {
  int index = machine->zone_of_flags[flags & 15];
  int type = flags >> 4 & 3;
  struct zone *zone = &machine->zones[index];
  if (!above_low(zone, index, order))
    return NONE;
  for (int found = order; found < ORDERS; found++) {
    uint32_t frame = zone->lists[found][type].head;
    if (frame == NONE)
      continue;
    unlink_block(machine, zone, frame);
    for (int half = found; half > order;) {
      half--;
      machine->pages[frame + (1u << half)].zone = (uint8_t)index;
      push(machine, zone, frame + (1u << half), half, type);
    }
    count(zone, -(1 << order));
    struct page *page = &machine->pages[frame];
    page->kind = IN_USE;
    page->order = (uint8_t)order;
    page->type = (uint8_t)type;
    page->zone = (uint8_t)index;
    page->references = 1;
    zone->hits++;
    return frame;
  }
  return NONE;
}

static int is_free(const struct machine *machine, uint32_t frame, int order, int zone) {
  if (frame >= machine->frames)
    return 0;
  const struct page *page = &machine->pages[frame];
  return page->kind == FREE && page->order == order && page->zone == zone;
}

/* Whether the page was what its owner says: one reference, in use, of this order. */
static int give(struct machine *machine, uint32_t frame, int order) {
  if (frame >= machine->frames)
    return 0;
  struct page *page = &machine->pages[frame];
  if (page->kind != IN_USE || page->order != order || page->references != 1)
    return 0;
  int index = page->zone;
  int type = machine->block_types[frame >> PAGEBLOCK];
  struct zone *zone = &machine->zones[index];
  page->references = 0;
  page->kind = INNER;
  count(zone, 1 << order);
  while (order < ORDERS - 1) {
    uint32_t other = frame ^ (1u << order);
    if (!is_free(machine, other, order, index))
      break;
    if (order >= PAGEBLOCK && machine->block_types[other >> PAGEBLOCK] != type)
      break;
    unlink_block(machine, zone, other);
    frame &= other;
    order++;
  }
  machine->pages[frame].zone = (uint8_t)index;
  /* A block whose larger buddy is free may soon be merged: it goes where it is taken last. */
  if (order < ORDERS - 2 && is_free(machine, (frame & ~(1u << order)) ^ (2u << order), order + 1, index))
    append(machine, zone, frame, order, type);
  else
    push(machine, zone, frame, order, type);
  return 1;
}

/* One zone has all memory, every pageblock of class 0; NULL pages where the host has none. */
static struct machine *boot(uint64_t blocks) {
  struct machine *machine = calloc(1, sizeof *machine);
  if (machine == NULL)
    return NULL;
  machine->frames = blocks << (ORDERS - 1);
  machine->pages = calloc(machine->frames, sizeof(struct page));
  machine->block_types = calloc(machine->frames >> PAGEBLOCK, 1);
  for (int index = 0; index < ZONES; index++) {
    struct zone *zone = &machine->zones[index];
    for (int order = 0; order < ORDERS; order++)
      for (int type = 0; type < TYPES; type++)
        zone->lists[order][type] = (struct list){NONE, NONE};
    zone->low = 64;
    zone->threshold = 32;
  }
  for (int flags = 0; flags < 16; flags++)
    machine->zone_of_flags[flags] = flags & 1 ? 0 : flags & 4 ? 1 : 2;
  if (machine->pages == NULL || machine->block_types == NULL)
    return machine;
  for (uint64_t block = 0; block < blocks; block++) {
    uint32_t frame = (uint32_t)(block << (ORDERS - 1));
    machine->pages[frame].zone = 2;
    append(machine, &machine->zones[2], frame, ORDERS - 1, 0);
  }
  machine->zones[2].free = (int64_t)machine->frames;
  return machine;
}

uint64_t peer_buddy_pairs(uint64_t pairs, uint64_t blocks, int order, double *seconds) {
  struct machine *machine = boot(blocks);
  uint64_t checksum = 0;
  if (machine != NULL && machine->pages != NULL && machine->block_types != NULL) {
    double start = peer_seconds();
    for (uint64_t pair = 0; pair < pairs; pair++) {
      /* The compiler is not to know what is asked for. */
      uint32_t flags = 8;
      int asked = order;
      __asm__ volatile("" : "+r"(flags), "+r"(asked) : : "memory");
      uint32_t frame = take(machine, flags, asked);
      if (frame == NONE)
        break;
      __asm__ volatile("" : : "r"(frame) : "memory");
      checksum += (uint64_t)give(machine, frame, asked);
    }
    *seconds = peer_seconds() - start;
  }
  if (machine != NULL) {
    free(machine->pages);
    free(machine->block_types);
  }
  free(machine);
  return checksum;
}
