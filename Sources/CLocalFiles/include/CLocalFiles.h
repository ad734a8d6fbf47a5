/* Linux' file calls that Swift cannot reach: they are variadic, or need _GNU_SOURCE, or have no wrapper in glibc.
 *
 * All of them return -1 and set errno on failure, as the calls behind them do (openat2(2), renameat2(2),
 * copy_file_range(2)). */
#ifndef CLOCALFILES_H
#define CLOCALFILES_H

#include <stdint.h>
#include <sys/types.h>

/* Opens a path that neither leaves `directory` nor passes or ends at a symbolic link; needs Linux 5.6. */
int clocalfiles_open_beneath(int directory, const char *path, int flags, mode_t mode);

/* Opens a path as open(2) does. */
int clocalfiles_open(const char *path, int flags);

/* Renames a file within one directory unless the new name is taken (EEXIST). EINVAL where the file system cannot. */
int clocalfiles_rename_if_absent(int directory, const char *from, const char *to);

/* Copies bytes between files without passing through this process; returns how many, 0 at the source's end. */
ssize_t clocalfiles_copy_range(int source, int64_t source_offset, int target, int64_t target_offset, size_t count);

#endif
