/* The floor of the HTTP benchmark: GNU libmicrohttpd with nothing behind it.
 *
 * Answers every request with fixed bytes, set up as kheapd sets the library up: epoll, one internal thread,
 * keep-alive. Reads bodies and drops them.
 *
 *   bare KMALLOC_ANSWER KFREE_ANSWER     files with the bodies to answer; any other path gets the first
 */
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct MHD_Response *kmalloc_answer;
static struct MHD_Response *kfree_answer;

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *body,
                              size_t *body_size, void **request) {
  static char seen;
  (void)context;
  (void)method;
  (void)version;
  (void)body;
  if (*request == NULL) {
    *request = &seen;
    return MHD_YES;
  }
  if (*body_size != 0) {
    *body_size = 0;
    return MHD_YES;
  }
  const char *name = strrchr(url, '/');
  struct MHD_Response *response =
      name != NULL && strcmp(name, "/kfree") == 0 ? kfree_answer : kmalloc_answer;
  return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

static struct MHD_Response *response_from(const char *path) {
  static char buffer[65536];
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  size_t size = fread(buffer, 1, sizeof buffer, file);
  fclose(file);
  struct MHD_Response *response =
      MHD_create_response_from_buffer(size, buffer, MHD_RESPMEM_MUST_COPY);
  if (response == NULL ||
      MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json") != MHD_YES)
    exit(1);
  return response;
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: bare KMALLOC_ANSWER KFREE_ANSWER\n");
    return 2;
  }
  kmalloc_answer = response_from(arguments[1]);
  kfree_answer = response_from(arguments[2]);

  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  sigprocmask(SIG_BLOCK, &ending, NULL);

  struct sockaddr_in loopback = {0};
  loopback.sin_family = AF_INET;
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  struct MHD_Daemon *daemon =
      MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, NULL,
                       MHD_OPTION_SOCK_ADDR, &loopback, MHD_OPTION_END);
  if (daemon == NULL) {
    fprintf(stderr, "bare: the daemon did not start\n");
    return 1;
  }
  printf("listening on http://127.0.0.1:%u\n",
         (unsigned)MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
  fflush(stdout);

  int signal_number;
  sigwait(&ending, &signal_number);
  MHD_stop_daemon(daemon);
  return 0;
}
