// Telling systemd how far the daemon is (sd_notify(3)): a unit of Type=notify is started when the mount answers.

import Glibc

/// The service manager that started the process, if one did and wants to hear.
enum ServiceManager {
  /// Tells it a state such as `READY=1`. Without one nothing happens.
  static func notify(_ state: String) {
    guard let variable = getenv("NOTIFY_SOCKET") else { return }
    var path = Array(String(cString: variable).utf8)
    guard let first = path.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "@") else { return }
    // An @ stands for the NUL that an abstract address begins with.
    if first == UInt8(ascii: "@") { path[0] = 0 }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let isTooLong = withUnsafeMutableBytes(of: &address.sun_path) { buffer in
      guard path.count < buffer.count else { return true }
      buffer.copyBytes(from: path)
      return false
    }
    guard !isTooLong else { return }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
    let bytes = Array(state.utf8)
    withUnsafePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        _ = sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), address, length)
      }
    }
  }
}
