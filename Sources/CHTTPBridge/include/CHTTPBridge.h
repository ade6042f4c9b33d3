#pragma once
#include <microhttpd.h>
#include <stdint.h>
#include <sys/socket.h>

/* What MHD_start_daemon() takes as a variable list of arguments. */
struct chttp_settings {
  int listen_socket;
  unsigned int threads;
  unsigned int connection_limit;
  unsigned int per_ip_connection_limit; /* 0: none */
  unsigned int idle_timeout_seconds;
  size_t connection_memory_limit;
  void *context; /* the first argument of every callback */
  MHD_AcceptPolicyCallback accept;
  MHD_AccessHandlerCallback handle;
  MHD_RequestCompletedCallback completed;
  MHD_NotifyConnectionCallback connection_changed;
  void *(*request_line)(void *context, const char *target, struct MHD_Connection *connection);
};

/* MHD_start_daemon() is variadic, which Swift cannot call. NULL when the library refuses. */
struct MHD_Daemon *chttp_daemon_start(const struct chttp_settings *settings);

/* MHD_get_connection_info() is variadic, which Swift cannot call. */
void *chttp_socket_context(struct MHD_Connection *connection);
int chttp_socket(struct MHD_Connection *connection);
size_t chttp_header_bytes(struct MHD_Connection *connection);

/* The macros hold casts, which Swift does not import. */
static inline uint64_t chttp_size_unknown(void) { return MHD_SIZE_UNKNOWN; }
static inline ssize_t chttp_end_of_stream(void) { return MHD_CONTENT_READER_END_OF_STREAM; }
static inline ssize_t chttp_end_with_error(void) { return MHD_CONTENT_READER_END_WITH_ERROR; }

/* RLIMIT_NOFILE has an enumeration's type that differs between C libraries.
   Raises the soft limit to the hard one and returns the number of descriptors allowed. */
size_t chttp_raise_descriptor_limit(void);

/* POLLRDHUP needs _GNU_SOURCE. Whether the peer has closed its side of the connection. */
int chttp_peer_has_left(int socket);

/* ioctl() is variadic, which Swift cannot call. Sends all bytes now, or none: 1 when all were taken, 0 when older ones
   are still on their way and none was, -1 when the connection is of no use any more. */
int chttp_send_if_idle(int socket, const void *bytes, size_t count);
