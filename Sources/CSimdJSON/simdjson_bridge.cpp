// A C face of simdjson's on-demand reader: one call turns a document into an array of nodes.
#define SIMDJSON_EXCEPTIONS 0
#include "CSimdJSON.h"

#include <cstdlib>
#include <new>
#include <simdjson.h>

static_assert(simdjson::SIMDJSON_PADDING <= CSIMD_PADDING, "callers provide too little padding");

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;

struct csimd_parser {
  ondemand::parser reader;
  csimd_node *nodes = nullptr;
  uint32_t count = 0;
  uint32_t capacity = 0;
  size_t error_offset = 0;

  ~csimd_parser() { std::free(nodes); }
};

namespace {

uint32_t status_of(error_code error) {
  switch (error) {
  case simdjson::SUCCESS:
    return CSIMD_OK;
  case simdjson::EMPTY:
    return CSIMD_EMPTY;
  case simdjson::UTF8_ERROR:
    return CSIMD_NOT_UTF8;
  case simdjson::DEPTH_ERROR:
    return CSIMD_TOO_DEEP;
  case simdjson::STRING_ERROR:
  case simdjson::UNCLOSED_STRING:
  case simdjson::UNESCAPED_CHARS:
    return CSIMD_BAD_STRING;
  case simdjson::NUMBER_ERROR:
    return CSIMD_BAD_NUMBER;
  case simdjson::MEMALLOC:
  case simdjson::CAPACITY:
    return CSIMD_NO_MEMORY;
  case simdjson::TRAILING_CONTENT:
    return CSIMD_TRAILING;
  default:
    return CSIMD_MALFORMED;
  }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Reads a number's text: simdjson reports a number beyond 64 bits and a malformed one alike.
class NumberText {
public:
  NumberText(const char *text, size_t length) : at(text), end(text + length) {}

  bool read(csimd_node &node) {
    const char *start = at;
    const bool negative = take('-');
    bool big = false;
    uint64_t value = 0;
    if (!whole(value, big))
      return false;
    bool fraction = false;
    if (take('.')) {
      fraction = true;
      if (!digits())
        return false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
      fraction = true;
      ++at;
      if (!take('+'))
        take('-');
      if (!digits())
        return false;
    }
    node.text = reinterpret_cast<const uint8_t *>(start);
    node.text_length = static_cast<uint32_t>(at - start);
    while (at < end && is_space(*at))
      ++at;
    if (at != end)
      return false;
    finish(node, negative, big, fraction, value);
    return true;
  }

private:
  const char *at;
  const char *end;

  bool take(char c) {
    if (at == end || *at != c)
      return false;
    ++at;
    return true;
  }

  bool digits() {
    const char *start = at;
    while (at < end && is_digit(*at))
      ++at;
    return at != start;
  }

  bool whole(uint64_t &value, bool &big) {
    const char *start = at;
    while (at < end && is_digit(*at)) {
      uint64_t times_ten;
      big |= __builtin_mul_overflow(value, UINT64_C(10), &times_ten);
      big |= __builtin_add_overflow(times_ten, static_cast<uint64_t>(*at - '0'), &value);
      ++at;
    }
    return at != start && !(*start == '0' && at - start > 1);
  }

  static void finish(csimd_node &node, bool negative, bool big, bool fraction, uint64_t value) {
    if (fraction)
      node.kind = CSIMD_FRACTION;
    else if (big || (negative && value > UINT64_C(1) << 63))
      node.kind = CSIMD_BIG;
    else if (negative && value != 0) {
      node.kind = CSIMD_NEGATIVE;
      node.number = ~value + 1;
    } else {
      node.kind = CSIMD_UNSIGNED;
      node.number = value;
    }
  }
};

class Walker {
public:
  Walker(csimd_parser &parser, uint32_t max_depth, uint32_t max_nodes)
      : parser(parser), max_depth(max_depth), max_nodes(max_nodes) {}

  uint32_t root(ondemand::document &document) {
    ondemand::json_type type;
    if (auto error = document.type().get(type))
      return status_of(error);
    uint32_t index;
    if (uint32_t status = add(index))
      return status;
    switch (type) {
    case ondemand::json_type::object: {
      ondemand::object object;
      if (auto error = document.get_object().get(object))
        return status_of(error);
      return fields(object, index, 1);
    }
    case ondemand::json_type::array: {
      ondemand::array array;
      if (auto error = document.get_array().get(array))
        return status_of(error);
      return elements(array, index, 1);
    }
    // No caller takes a bare scalar, so only its kind matters.
    case ondemand::json_type::string:
      parser.nodes[index].kind = CSIMD_STRING;
      return CSIMD_OK;
    case ondemand::json_type::number:
      parser.nodes[index].kind = CSIMD_FRACTION;
      return CSIMD_OK;
    case ondemand::json_type::boolean:
      parser.nodes[index].kind = CSIMD_TRUE;
      return CSIMD_OK;
    case ondemand::json_type::null:
      return CSIMD_OK;
    }
    return CSIMD_MALFORMED;
  }

private:
  csimd_parser &parser;
  const uint32_t max_depth;
  const uint32_t max_nodes;

  uint32_t add(uint32_t &index) {
    if (parser.count >= max_nodes)
      return CSIMD_TOO_MANY;
    if (parser.count == parser.capacity) {
      const uint32_t capacity = parser.capacity ? parser.capacity * 2 : 64;
      void *larger = std::realloc(parser.nodes, size_t(capacity) * sizeof(csimd_node));
      if (!larger)
        return CSIMD_NO_MEMORY;
      parser.nodes = static_cast<csimd_node *>(larger);
      parser.capacity = capacity;
    }
    index = parser.count++;
    parser.nodes[index] = csimd_node{};
    parser.nodes[index].next = parser.count;
    return CSIMD_OK;
  }

  uint32_t fields(ondemand::object &object, uint32_t parent, uint32_t depth) {
    parser.nodes[parent].kind = CSIMD_OBJECT;
    for (auto item : object) {
      ondemand::field field;
      if (auto error = std::move(item).get(field))
        return status_of(error);
      uint32_t index;
      if (uint32_t status = add(index))
        return status;
      std::string_view key;
      if (auto error = field.unescaped_key().get(key))
        return status_of(error);
      parser.nodes[index].key = reinterpret_cast<const uint8_t *>(key.data());
      parser.nodes[index].key_length = static_cast<uint32_t>(key.size());
      if (uint32_t status = value(field.value(), index, depth))
        return status;
      parser.nodes[parent].number++;
    }
    parser.nodes[parent].next = parser.count;
    return CSIMD_OK;
  }

  uint32_t elements(ondemand::array &array, uint32_t parent, uint32_t depth) {
    parser.nodes[parent].kind = CSIMD_ARRAY;
    for (auto item : array) {
      ondemand::value element;
      if (auto error = std::move(item).get(element))
        return status_of(error);
      uint32_t index;
      if (uint32_t status = add(index))
        return status;
      if (uint32_t status = value(element, index, depth))
        return status;
      parser.nodes[parent].number++;
    }
    parser.nodes[parent].next = parser.count;
    return CSIMD_OK;
  }

  uint32_t value(ondemand::value value, uint32_t index, uint32_t depth) {
    ondemand::json_type type;
    if (auto error = value.type().get(type))
      return status_of(error);
    switch (type) {
    case ondemand::json_type::object: {
      if (depth >= max_depth)
        return CSIMD_TOO_DEEP;
      ondemand::object object;
      if (auto error = value.get_object().get(object))
        return status_of(error);
      return fields(object, index, depth + 1);
    }
    case ondemand::json_type::array: {
      if (depth >= max_depth)
        return CSIMD_TOO_DEEP;
      ondemand::array array;
      if (auto error = value.get_array().get(array))
        return status_of(error);
      return elements(array, index, depth + 1);
    }
    default:
      return scalar(value, type, parser.nodes[index]);
    }
  }

  static uint32_t scalar(ondemand::value value, ondemand::json_type type, csimd_node &node) {
    switch (type) {
    case ondemand::json_type::string: {
      std::string_view text;
      if (auto error = value.get_string().get(text))
        return status_of(error);
      node.kind = CSIMD_STRING;
      node.text = reinterpret_cast<const uint8_t *>(text.data());
      node.text_length = static_cast<uint32_t>(text.size());
      return CSIMD_OK;
    }
    case ondemand::json_type::number: {
      const std::string_view token = value.raw_json_token();
      return NumberText(token.data(), token.size()).read(node) ? CSIMD_OK : CSIMD_BAD_NUMBER;
    }
    case ondemand::json_type::boolean: {
      bool truth;
      if (auto error = value.get_bool().get(truth))
        return status_of(error);
      node.kind = truth ? CSIMD_TRUE : CSIMD_FALSE;
      return CSIMD_OK;
    }
    default: {
      const std::string_view token = value.raw_json_token();
      if (token.substr(0, 4) != "null")
        return CSIMD_MALFORMED;
      for (char c : token.substr(4))
        if (!is_space(c))
          return CSIMD_MALFORMED;
      node.kind = CSIMD_NULL;
      return CSIMD_OK;
    }
    }
  }
};

struct ThreadParser {
  csimd_parser *parser = new (std::nothrow) csimd_parser;
  ~ThreadParser() { delete parser; }
};

} // namespace

csimd_parser *csimd_parser_create(void) { return new (std::nothrow) csimd_parser; }
void csimd_parser_destroy(csimd_parser *parser) { delete parser; }

csimd_parser *csimd_thread_parser(void) {
  static thread_local ThreadParser own;
  return own.parser;
}

uint32_t csimd_parse(csimd_parser *parser, const uint8_t *text, size_t length, uint32_t max_depth,
                     uint32_t max_nodes) {
  parser->count = 0;
  parser->error_offset = 0;
  // Node indices and text lengths are 32 bits wide.
  if (length >= UINT32_MAX - CSIMD_PADDING)
    return CSIMD_NO_MEMORY;
  try {
    ondemand::document document;
    const auto view = simdjson::padded_string_view(reinterpret_cast<const char *>(text), length,
                                                   length + CSIMD_PADDING);
    uint32_t status = status_of(parser->reader.iterate(view).get(document));
    if (status == CSIMD_OK) {
      status = Walker(*parser, max_depth, max_nodes).root(document);
      const char *location = nullptr;
      const bool stopped = document.current_location().get(location) == simdjson::SUCCESS;
      if (stopped && location)
        parser->error_offset = static_cast<size_t>(location - reinterpret_cast<const char *>(text));
      const uint32_t kind = parser->count ? parser->nodes[0].kind : uint32_t(CSIMD_NULL);
      if (status == CSIMD_OK && kind >= CSIMD_ARRAY && stopped)
        status = CSIMD_TRAILING;
    }
    if (parser->error_offset > length)
      parser->error_offset = length;
    return status;
  } catch (...) {
    return CSIMD_NO_MEMORY;
  }
}

const csimd_node *csimd_nodes(const csimd_parser *parser) { return parser->nodes; }
uint32_t csimd_node_count(const csimd_parser *parser) { return parser->count; }
size_t csimd_error_offset(const csimd_parser *parser) { return parser->error_offset; }
