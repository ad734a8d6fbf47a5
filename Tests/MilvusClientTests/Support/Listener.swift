// TCP listeners that are not Milvus: one that says nothing, one that speaks another protocol, and a port on which
// nobody listens.

import Foundation
import Glibc

/// A listening socket on 127.0.0.1, closed at the end of its life.
final class Listener: Sendable {
  let port: Int
  private let descriptor: Int32

  /// Takes connections into its backlog and never answers.
  init(backlog: Int32 = 16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let address = try Self.withAddress(port: 0) { [descriptor] address, length in
      bind(descriptor, address, length.pointee) == 0 && listen(descriptor, backlog) == 0
        && getsockname(descriptor, address, length) == 0
    }
    port = Int(UInt16(bigEndian: address.sin_port))
  }

  /// Answers every connection with `text` and closes it, until `shutDown`.
  func answerEach(with text: String) {
    let descriptor = descriptor
    Thread.detachNewThread {
      while true {
        let connection = accept(descriptor, nil, nil)
        if connection < 0 { return }
        _ = text.withCString { send(connection, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
        Glibc.close(connection)
      }
    }
  }

  /// Ends `answerEach`.
  func shutDown() {
    shutdown(descriptor, Int32(SHUT_RDWR))
  }

  /// Starts a connection to this listener; the result is its descriptor, which the process keeps.
  func connectWithoutWaiting() throws -> Int32 {
    let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    _ = try Self.withAddress(port: port) { address, length in
      connect(client, address, length.pointee) == 0 || errno == EINPROGRESS
    }
    return client
  }

  private static func withAddress(
    port: Int, _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Bool
  ) throws -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let done = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
    }
    guard done else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    return address
  }

  deinit {
    Glibc.close(descriptor)
  }
}

/// A port on which nobody listens: one that was free a moment ago.
func closedPort() throws -> Int {
  try Listener().port
}
