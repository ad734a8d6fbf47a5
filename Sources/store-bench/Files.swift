// Whole reads and writes of files by descriptor: what the peers also do with the files they copy.

import SystemPackage

extension FileDescriptor {
  /// Writes all of it at a place, or where the descriptor stands.
  func writeFully(_ bytes: [UInt8], at offset: Int64? = nil) throws {
    try bytes.withUnsafeBytes { bytes in
      if let offset { _ = try writeAll(toAbsoluteOffset: offset, bytes) } else { _ = try writeAll(bytes) }
    }
  }

  /// The bytes of a range; fewer only at the end of the file.
  func bytes(in range: Range<Int64>) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
      let space = UnsafeMutableRawBufferPointer(buffer)
      while count < space.count {
        let read = try read(
          fromAbsoluteOffset: range.lowerBound + Int64(count), into: .init(rebasing: space[count...]))
        if read == 0 { break }
        count += read
      }
    }
  }

  /// Bytes of the file.
  func size() throws -> Int64 { try seek(offset: 0, from: .end) }
}
