// The two descriptors between the engine's thread and the others: the set it waits on, and what wakes it.

import CCurl
import Glibc

/// An epoll set with an eventfd in it. Closed with the last reference.
final class EngineDescriptors: Sendable {
  /// The set; used by the engine's thread.
  let set: Int32
  /// An eventfd; written by any thread.
  let wake: Int32

  /// - Throws: `HTTPError` `.resources` when the process has no descriptors left.
  init() throws(HTTPError) {
    set = epoll_create1(Int32(EPOLL_CLOEXEC))
    wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: wake))
    guard set >= 0, wake >= 0, epoll_ctl(set, EPOLL_CTL_ADD, wake, &event) == 0 else {
      let reason = String(cString: strerror(errno))
      throw HTTPError(
        .resources, authority: "", reason: "nothing to wait with for the HTTP engine: \(reason)",
        requestMayHaveArrived: false)
    }
  }

  deinit {
    for descriptor in [set, wake] where descriptor >= 0 { close(descriptor) }
  }

  /// Ends the wait of the engine's thread, the present one or the next.
  func ring() { eventfd_write(wake, 1) }

  /// Takes back what `ring` did.
  func calm() {
    var count: eventfd_t = 0
    eventfd_read(wake, &count)
  }
}
