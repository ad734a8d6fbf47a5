// Bytes that have come from one side and have not gone on to the other: fixed memory, filled behind and taken in front.

import Glibc

/// A buffer of fixed capacity. Belongs to one thread.
final class ByteWindow {
  /// Enough for the longest head, and for few system calls per megabyte.
  static let capacity = 256 << 10

  private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: ByteWindow.capacity, alignment: 16)
  private var start = 0
  private var end = 0

  deinit { memory.deallocate() }

  var isEmpty: Bool { start == end }
  var count: Int { end - start }

  /// The bytes held.
  var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(rebasing: memory[start..<end]) }

  /// Removes the first bytes.
  func drop(_ count: Int) {
    start += count
    if start == end { (start, end) = (0, 0) }
  }

  /// Reads what a socket has. Nothing comes when the window is full.
  func fill(from socket: Socket) -> Socket.Transfer {
    if end == memory.count, start > 0 {
      let held = UnsafeRawBufferPointer(bytes)
      // Overlapping is allowed.
      memory.copyMemory(from: held)
      (start, end) = (0, held.count)
    }
    guard end < memory.count else { return .nothing }
    let transfer = socket.receive(into: UnsafeMutableRawBufferPointer(rebasing: memory[end...]))
    if case .bytes(let count) = transfer { end += count }
    return transfer
  }

  /// Takes a message's head off. Nil when it has not come to its end.
  func takeHead() -> [UInt8]? {
    // Empty lines before a request are skipped (RFC 9112, section 2.2).
    while let first = bytes.first, first == 13 || first == 10 { drop(1) }
    let bytes = bytes
    var searched = 0
    while let base = bytes.baseAddress, searched < bytes.count,
      let found = memchr(base + searched, 10, bytes.count - searched)
    {
      let place = UnsafeRawPointer(found) - UnsafeRawPointer(base)
      let isEmptyLine =
        (place >= 1 && bytes[place - 1] == 10) || (place >= 2 && bytes[place - 1] == 13 && bytes[place - 2] == 10)
      if isEmptyLine {
        let head = Array(bytes[...place])
        drop(place + 1)
        return head
      }
      searched = place + 1
    }
    return nil
  }
}
