// What we agree on with the kernel when a session begins.

import CFUSE
import Glibc

/// Limits and capabilities of a connection, chosen one by one: nothing is left to what libfuse happens to prefer.
enum ConnectionParameters {
  /// Bytes of the largest request; the kernel's limit, too.
  static let largestRequest: UInt32 = 1 << 20
  /// Requests that the kernel sends without a program waiting (reading ahead, mostly) before it makes others wait.
  static let backgroundRequests: UInt32 = 64

  /// Several reads of a file at once; lookups and listings in a directory at once; O_TRUNC as part of OPEN; cached
  /// pages dropped when the time of modification changes; attributes with every listing. Left out: splice, which is
  /// slower for data in memory, and the writeback cache, which hides errors and loses FLUSH of killed writers.
  private static let capabilities =
    FUSE_CAP_ASYNC_READ | FUSE_CAP_ASYNC_DIO | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_ATOMIC_O_TRUNC
    | FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_READDIRPLUS

  static func choose(_ connection: inout fuse_conn_info) {
    connection.want = UInt32(capabilities) & connection.capable
    connection.max_write = min(connection.max_write, largestRequest)
    connection.max_readahead = largestRequest
    connection.max_background = backgroundRequests
  }

  /// Lets the kernel read ahead as far as one request can carry. By itself it offers 128 KiB and takes the smaller of
  /// its own limit and ours, so its limit has to be raised before it gets to know ours, that is between mounting and
  /// serving. Only root can do that; for others it stays as it is.
  /// - Parameter device: major and minor number of the mount.
  static func widenReadAhead(device: String) {
    let descriptor = open("/sys/class/bdi/\(device)/read_ahead_kb", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    let kibibytes = String(largestRequest >> 10)
    _ = write(descriptor, kibibytes, kibibytes.utf8.count)
    close(descriptor)
  }
}
