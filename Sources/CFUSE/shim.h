// libfuse 3's low-level interface at version 3.12, as Swift imports it, and its log function without a va_list, which
// Swift cannot take in a callback.
#pragma once
#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>
#include <stdarg.h>
#include <stdio.h>

/// Gets a level of enum fuse_log_level and a message of at most 1023 bytes, perhaps with a line feed at the end.
typedef void (*cfuse_log_function)(int level, const char *message);

/// Swift emits the variables of functions in a header, but not those outside of functions.
static inline cfuse_log_function *cfuse_log_target(void) {
  static cfuse_log_function target;
  return &target;
}

static inline void cfuse_log_format(enum fuse_log_level level, const char *format, va_list arguments) {
  char message[1024];
  vsnprintf(message, sizeof message, format, arguments);
  (*cfuse_log_target())((int)level, message);
}

/// Sends libfuse's messages to a function, from any thread. To be called from one source file only: each file that
/// calls it has its own target.
static inline void cfuse_set_log_function(cfuse_log_function function) {
  *cfuse_log_target() = function;
  fuse_set_log_func(cfuse_log_format);
}
