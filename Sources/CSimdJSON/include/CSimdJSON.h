#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a JSON value is. */
enum {
  CSIMD_NULL = 0,
  CSIMD_TRUE,
  CSIMD_FALSE,
  CSIMD_UNSIGNED, /* whole number in 0 … 2^64-1, in `number` */
  CSIMD_NEGATIVE, /* whole number in -2^63 … -1, in `number` as two's complement */
  CSIMD_BIG,      /* whole number beyond 64 bits; digits in `text` */
  CSIMD_FRACTION, /* number with a fraction or exponent; digits in `text` */
  CSIMD_STRING,   /* unescaped bytes in `text` */
  CSIMD_ARRAY,    /* `number` children */
  CSIMD_OBJECT    /* `number` children, each with a key */
};

/* Why a text is no document. */
enum {
  CSIMD_OK = 0,
  CSIMD_EMPTY,
  CSIMD_MALFORMED,
  CSIMD_NOT_UTF8,
  CSIMD_TOO_DEEP,
  CSIMD_TOO_MANY,
  CSIMD_TRAILING,
  CSIMD_BAD_NUMBER,
  CSIMD_BAD_STRING,
  CSIMD_NO_MEMORY
};

/* One value of a document; children follow their parent directly. */
typedef struct csimd_node {
  const uint8_t *key; /* NULL outside objects */
  const uint8_t *text;
  uint64_t number;
  uint32_t key_length;
  uint32_t text_length;
  uint32_t next; /* index of the node behind this value and all it holds */
  uint32_t kind;
} csimd_node;

typedef struct csimd_parser csimd_parser;

/* NULL when memory is short. */
csimd_parser *csimd_parser_create(void);
void csimd_parser_destroy(csimd_parser *parser);

/* The calling thread's own parser; it lives as long as the thread. NULL when memory is short. */
csimd_parser *csimd_thread_parser(void);

/*
 * Reads a whole document into nodes, which stay valid until the parser's next document.
 * At least CSIMD_PADDING readable bytes must follow the text. Returns CSIMD_OK or a reason;
 * then csimd_error_offset() tells the byte near which reading stopped.
 */
uint32_t csimd_parse(csimd_parser *parser, const uint8_t *text, size_t length, uint32_t max_depth,
                     uint32_t max_nodes);

#define CSIMD_PADDING 64

const csimd_node *csimd_nodes(const csimd_parser *parser);
uint32_t csimd_node_count(const csimd_parser *parser);
size_t csimd_error_offset(const csimd_parser *parser);

#ifdef __cplusplus
}
#endif
