// Where to listen and where to connect to.

import Glibc

/// A host and a port, resolved once.
public struct SocketAddress: Sendable, CustomStringConvertible {
  /// Host name or address as given.
  public let host: String
  /// Port; 0 for any when listening.
  public let port: Int
  private let bytes: [UInt8]
  let family: Int32

  /// Resolves a host.
  /// - Throws: `FaultProxyError` when it is unknown or the port is none.
  public init(host: String, port: Int) throws(FaultProxyError) {
    guard (0...65_535).contains(port) else { throw FaultProxyError("\(port) is not a port") }
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, String(port), &hints, &found)
    defer { freeaddrinfo(found) }
    guard status == 0, let first = found?.pointee, let address = first.ai_addr else {
      throw FaultProxyError("\(host): \(String(cString: gai_strerror(status)))")
    }
    self.host = host
    self.port = port
    family = first.ai_family
    bytes = Array(UnsafeRawBufferPointer(start: address, count: Int(first.ai_addrlen)))
  }

  /// Reads `host:port`, an IPv6 address in brackets; a URL's scheme and path are taken off.
  public init(_ text: String) throws(FaultProxyError) {
    var text = text[...]
    if text.hasPrefix("http://") { text = text.dropFirst(7) }
    if text.hasSuffix("/") { text = text.dropLast() }
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]) else {
      throw FaultProxyError("“\(text)” is not HOST:PORT")
    }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    try self.init(host: String(host), port: port)
  }

  /// As in URLs.
  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  func withPointer(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return -1 }
      return body(base.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
    }
  }
}

/// Why a proxy could not start.
public struct FaultProxyError: Error, Sendable, CustomStringConvertible {
  /// One sentence.
  public let description: String
  init(_ description: String) { self.description = description }
}
