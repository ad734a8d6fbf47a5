// The least that GETs by libcurl take: one multi handle, a number of requests in flight, bodies counted and thrown away.
// usage: libcurl-floor URL BYTES REQUESTS IN_FLIGHT. Not part of the product: what its HTTP engine is compared with.

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

static size_t count(char *bytes, size_t size, size_t number, void *total) {
  (void)bytes;
  *(unsigned long long *)total += size * number;
  return size * number;
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fputs("usage: libcurl-floor URL BYTES REQUESTS IN_FLIGHT\n", stderr);
    return 2;
  }
  unsigned long long wanted = strtoull(argv[2], NULL, 10), requests = strtoull(argv[3], NULL, 10);
  unsigned long long in_flight = strtoull(argv[4], NULL, 10), total = 0, begun = 0, ended = 0;
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM *multi = curl_multi_init();
  for (; begun < in_flight && begun < requests; begun++) {
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &total);
    curl_multi_add_handle(multi, easy);
  }
  while (ended < requests) {
    int running, left, news = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK) return 1;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left))) {
      if (message->msg != CURLMSG_DONE) continue;
      if (message->data.result != CURLE_OK) {
        fprintf(stderr, "libcurl-floor: %s\n", curl_easy_strerror(message->data.result));
        return 1;
      }
      CURL *easy = message->easy_handle;
      curl_multi_remove_handle(multi, easy);
      ended++;
      news++;
      if (begun == requests) continue;
      curl_multi_add_handle(multi, easy);
      begun++;
    }
    // What was just begun is sent before anything is waited for.
    if (news == 0) curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
  if (total == wanted * requests) return 0;
  fprintf(stderr, "libcurl-floor: %llu bytes instead of %llu\n", total, wanted * requests);
  return 1;
}
