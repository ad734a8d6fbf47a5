/* libcurl for Swift. Its setters and getters take C varargs, which Swift cannot call: here is one inline function per
 * argument type, and nothing else. */
#ifndef CCURL_SHIM_H
#define CCURL_SHIM_H

#include <curl/curl.h>
/* mallopt: the memory that bodies are received into. */
#include <malloc.h>
/* What the engine waits with, and is woken by. */
#include <sys/epoll.h>
#include <sys/eventfd.h>

/* CURLOPT_WRITEFUNCTION, CURLOPT_HEADERFUNCTION and CURLOPT_READFUNCTION share this shape. */
typedef size_t (*ccurl_transfer_function)(char *bytes, size_t size, size_t count, void *context);
/* CURLOPT_SEEKFUNCTION. */
typedef int (*ccurl_seek_function)(void *context, curl_off_t offset, int origin);
/* CURLOPT_PREREQFUNCTION. */
typedef int (*ccurl_prerequest_function)(void *context, char *server_ip, char *local_ip, int server_port,
                                         int local_port);

/* CURLOPT_XFERINFOFUNCTION. */
typedef int (*ccurl_progress_function)(void *context, curl_off_t to_receive, curl_off_t received, curl_off_t to_send,
                                       curl_off_t sent);

static inline CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_string(CURL *easy, CURLoption option, const char *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, void *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_transfer_function(CURL *easy, CURLoption option, ccurl_transfer_function value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_seek_function(CURL *easy, ccurl_seek_function value) {
  return curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, value);
}

static inline CURLcode ccurl_set_prerequest_function(CURL *easy, ccurl_prerequest_function value) {
  return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, value);
}

static inline CURLcode ccurl_set_progress_function(CURL *easy, ccurl_progress_function value) {
  return curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, value);
}

static inline CURLcode ccurl_get_long(CURL *easy, CURLINFO info, long *value) {
  return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode ccurl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
  return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode ccurl_get_string(CURL *easy, CURLINFO info, const char **value) {
  return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode ccurl_get_pointer(CURL *easy, CURLINFO info, void **value) {
  return curl_easy_getinfo(easy, info, value);
}

/* CURLOPT_OPENSOCKETFUNCTION. */
typedef curl_socket_t (*ccurl_open_socket_function)(void *context, curlsocktype purpose, struct curl_sockaddr *address);
/* CURLOPT_CLOSESOCKETFUNCTION. */
typedef int (*ccurl_close_socket_function)(void *context, curl_socket_t socket);
/* CURLMOPT_SOCKETFUNCTION. */
typedef int (*ccurl_socket_function)(CURL *easy, curl_socket_t socket, int wanted, void *context, void *of_socket);
/* CURLMOPT_TIMERFUNCTION. */
typedef int (*ccurl_timer_function)(CURLM *multi, long milliseconds, void *context);

static inline CURLcode ccurl_set_open_socket_function(CURL *easy, ccurl_open_socket_function value) {
  return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, value);
}

static inline CURLcode ccurl_set_close_socket_function(CURL *easy, ccurl_close_socket_function value) {
  return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, value);
}

static inline CURLMcode ccurl_multi_set_socket_function(CURLM *multi, ccurl_socket_function value, void *context) {
  CURLMcode status = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, value);
  return status == CURLM_OK ? curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context) : status;
}

static inline CURLMcode ccurl_multi_set_timer_function(CURLM *multi, ccurl_timer_function value, void *context) {
  CURLMcode status = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, value);
  return status == CURLM_OK ? curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context) : status;
}

static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
  return curl_multi_setopt(multi, option, value);
}

#endif
