#define _GNU_SOURCE
#include "CLocalFiles.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int clocalfiles_open_beneath(int directory, const char *path, int flags, mode_t mode) {
  struct open_how how;
  memset(&how, 0, sizeof how);
  how.flags = (uint64_t)(unsigned)flags;
  how.mode = (flags & O_CREAT) ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int clocalfiles_open(const char *path, int flags) { return open(path, flags); }

int clocalfiles_rename_if_absent(int directory, const char *from, const char *to) {
  return renameat2(directory, from, directory, to, RENAME_NOREPLACE);
}

ssize_t clocalfiles_copy_range(int source, int64_t source_offset, int target, int64_t target_offset, size_t count) {
  off_t in = source_offset, out = target_offset;
  return copy_file_range(source, &in, target, &out, count, 0);
}
