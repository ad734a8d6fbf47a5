// A request's body on its way out, read in pieces by libcurl and rewound when it must begin again.

import Glibc

struct UploadSource {
  private let body: [UInt8]
  private var offset = 0

  init(_ body: [UInt8] = []) { self.body = body }

  /// Copies the next bytes; fewer than the space only at the end.
  mutating func read(into space: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(space.count, body.count - offset)
    guard count > 0, let destination = space.baseAddress else { return 0 }
    body.withUnsafeBytes { bytes in
      if let source = bytes.baseAddress { memcpy(destination, source + offset, count) }
    }
    offset += count
    return count
  }

  /// False when there is no such place.
  mutating func seek(to place: Int) -> Bool {
    guard (0...body.count).contains(place) else { return false }
    offset = place
    return true
  }
}
