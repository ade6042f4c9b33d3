#define _GNU_SOURCE
#include "CHTTPBridge.h"
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

/* The library decodes %2f and %00 in place unless a callback keeps the text as it is. */
static size_t keep_raw(void *context, struct MHD_Connection *connection, char *text) {
  (void)context;
  (void)connection;
  return strlen(text);
}

struct MHD_Daemon *chttp_daemon_start(const struct chttp_settings *settings) {
  unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO;
  struct MHD_OptionItem options[16];
  size_t count = 0;
#define ADD(name, number, pointer)                                                                 \
  options[count++] = (struct MHD_OptionItem) { name, (intptr_t)(number), (void *)(pointer) }
  ADD(MHD_OPTION_LISTEN_SOCKET, settings->listen_socket, NULL);
  ADD(MHD_OPTION_CONNECTION_LIMIT, settings->connection_limit, NULL);
  ADD(MHD_OPTION_CONNECTION_TIMEOUT, settings->idle_timeout_seconds, NULL);
  ADD(MHD_OPTION_CONNECTION_MEMORY_LIMIT, settings->connection_memory_limit, NULL);
  ADD(MHD_OPTION_NOTIFY_COMPLETED, settings->completed, settings->context);
  ADD(MHD_OPTION_NOTIFY_CONNECTION, settings->connection_changed, settings->context);
  ADD(MHD_OPTION_URI_LOG_CALLBACK, settings->request_line, settings->context);
  ADD(MHD_OPTION_UNESCAPE_CALLBACK, keep_raw, NULL);
  if (settings->per_ip_connection_limit > 0)
    ADD(MHD_OPTION_PER_IP_CONNECTION_LIMIT, settings->per_ip_connection_limit, NULL);
  if (settings->threads > 1)
    ADD(MHD_OPTION_THREAD_POOL_SIZE, settings->threads, NULL);
  ADD(MHD_OPTION_END, 0, NULL);
#undef ADD
  return MHD_start_daemon(flags, 0, settings->accept, settings->context, settings->handle,
                          settings->context, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

void *chttp_socket_context(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info ? info->socket_context : NULL;
}

int chttp_socket(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? info->connect_fd : -1;
}

size_t chttp_header_bytes(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  return info ? info->header_size : 0;
}

size_t chttp_raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return 1024;
  if (limit.rlim_cur < limit.rlim_max) {
    struct rlimit raised = {limit.rlim_max, limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
      limit = raised;
  }
  return limit.rlim_cur > 1048576 ? 1048576 : (size_t)limit.rlim_cur;
}

int chttp_peer_has_left(int socket) {
  struct pollfd entry = {.fd = socket, .events = POLLRDHUP};
  return poll(&entry, 1, 0) > 0 && (entry.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

int chttp_send_if_idle(int socket, const void *bytes, size_t count) {
  int waiting = 0;
  if (ioctl(socket, SIOCOUTQ, &waiting) != 0)
    return -1;
  if (waiting > 0)
    return 0;
  ssize_t sent = send(socket, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent == (ssize_t)count)
    return 1;
  return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}
