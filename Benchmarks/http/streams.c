/* Reads many event streams at once and checks that no event is missing.
 *
 *   streams PORT PATH COUNT SECONDS
 *
 * Prints `ready` when every stream has its response, then reads for SECONDS and prints one line of JSON. Each stream's
 * `id:` lines must rise by one; a jump counts as lost events, whether or not a gap event announced it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct stream {
  int descriptor;
  int answered;
  /* The line being read: how much of `id:` has matched, or -1 for another line. */
  int matched;
  uint64_t number;
  uint64_t last;
  uint64_t events;
  uint64_t lost;
};

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void end_line(struct stream *stream) {
  if (stream->matched == 3 && stream->number != 0) {
    if (stream->last != 0 && stream->number > stream->last + 1)
      stream->lost += stream->number - stream->last - 1;
    stream->last = stream->number;
    stream->events++;
  }
  stream->matched = 0;
  stream->number = 0;
}

/* Chunk sizes of the transfer coding stand on lines of their own and match nothing. A chunk may end within a line of
   the stream only where the server cuts an event, which would show as a loss. */
static void scan(struct stream *stream, const char *bytes, ssize_t count) {
  static const char prefix[] = "id:";
  for (ssize_t index = 0; index < count; index++) {
    if (stream->matched < 0) {
      const char *line_end = memchr(bytes + index, '\n', (size_t)(count - index));
      if (line_end == NULL)
        return;
      index = line_end - bytes;
    }
    char byte = bytes[index];
    if (byte == '\n')
      end_line(stream);
    else if (stream->matched == 3) {
      if (byte >= '0' && byte <= '9')
        stream->number = stream->number * 10 + (uint64_t)(byte - '0');
    } else
      stream->matched = byte == prefix[stream->matched] ? stream->matched + 1 : -1;
  }
}

static int open_stream(int port, const char *path) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
    perror("connect");
    exit(1);
  }
  char head[512];
  int size = snprintf(head, sizeof head,
                      "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: text/event-stream\r\n\r\n", path,
                      port);
  if (write(descriptor, head, (size_t)size) != size) {
    perror("write");
    exit(1);
  }
  return descriptor;
}

int main(int count, char **arguments) {
  if (count != 5) {
    fprintf(stderr, "usage: streams PORT PATH COUNT SECONDS\n");
    return 2;
  }
  int port = atoi(arguments[1]), total = atoi(arguments[3]), open = total, answered = 0;
  double duration = atof(arguments[4]);
  struct rlimit files = {0};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  struct stream *streams = calloc((size_t)total, sizeof *streams);
  int poller = epoll_create1(0);
  for (int index = 0; index < total; index++) {
    streams[index].descriptor = open_stream(port, arguments[2]);
    struct epoll_event interest = {.events = EPOLLIN, .data.u32 = (uint32_t)index};
    epoll_ctl(poller, EPOLL_CTL_ADD, streams[index].descriptor, &interest);
  }

  static char buffer[1 << 16];
  static struct epoll_event ready[256];
  double start = seconds(), end = start + 30;
  while (open > 0 && seconds() < end) {
    int many = epoll_wait(poller, ready, 256, 100);
    for (int index = 0; index < many; index++) {
      struct stream *stream = &streams[ready[index].data.u32];
      ssize_t size = read(stream->descriptor, buffer, sizeof buffer);
      if (size <= 0) {
        epoll_ctl(poller, EPOLL_CTL_DEL, stream->descriptor, NULL);
        open--;
        continue;
      }
      if (!stream->answered) {
        stream->answered = 1;
        if (++answered == total) {
          printf("ready\n");
          fflush(stdout);
          end = seconds() + duration;
        }
      }
      scan(stream, buffer, size);
    }
  }

  uint64_t events = 0, lost = 0, furthest = 0, nearest = UINT64_MAX;
  for (int index = 0; index < total; index++) {
    events += streams[index].events;
    lost += streams[index].lost;
    furthest = streams[index].last > furthest ? streams[index].last : furthest;
    nearest = streams[index].last < nearest ? streams[index].last : nearest;
  }
  printf("{\"answered\":%d,\"open\":%d,\"events\":%llu,\"lost\":%llu,\"first_last\":%llu,\"last_last\":%llu}\n",
         answered, open, (unsigned long long)events, (unsigned long long)lost,
         (unsigned long long)nearest, (unsigned long long)furthest);
  return 0;
}
