// What an open file holds that is not in the store yet: a value without I/O.
//
// A file begins in memory, where it takes writes anywhere. When it outgrows `memoryLimit` it becomes a stream of parts:
// from then on writes must follow each other. A file that is wholly a copy of an object holds nothing but that object's name,
// until it is changed. Every change either succeeds or leaves the body as it was.

import ObjectStore
import SystemPackage

/// The unpublished contents of an open file.
struct WriteBody {
  /// Largest file kept in memory, in bytes; larger ones are streamed.
  static let memoryLimit: Int64 = 8 << 20

  /// How the contents are held.
  enum Form {
    /// All of it.
    case memory([UInt8])
    /// Parts that are (being) sent, and the bytes of the next one.
    case stream(Stream)
    /// The first `covered` bytes of an object, nearly always all of them, to be copied when the file is closed.
    case copy(of: ObjectInfo, from: any ObjectStore, covered: Int64)
  }

  /// A body that is sent in parts.
  struct Stream {
    /// Bytes handed to parts so far.
    var sent: Int64 = 0
    /// Number of the next part, from 1.
    var nextPart = 1
    /// Bytes of the next part.
    var buffer: [UInt8] = []

    /// Size of the next part. The final size is not known, so parts grow: 8 MiB up to 8 GB, 32 MiB up to 140 GB, then
    /// 64 MiB, which ends at about 475 GB with the last of 10,000 parts; larger ones would break the memory bound.
    var partSize: Int {
      switch nextPart {
      case ...1000: 8 << 20
      case ...5000: 32 << 20
      default: 64 << 20
      }
    }
  }

  /// What the caller has to do after a write.
  enum Effect: Equatable {
    /// Nothing.
    case none
    /// Send the buffer as the next part (`takePart`), then offer the rest of the bytes again.
    case partFull(taken: Int)
  }

  private(set) var form: Form = .memory([])
  /// Whether the store lacks something that was written.
  var isDirty = false

  /// Begins empty, or with an object's bytes.
  init(_ bytes: [UInt8] = []) { form = .memory(bytes) }

  /// Bytes of the file as it stands.
  var size: Int64 {
    switch form {
    case .memory(let bytes): Int64(bytes.count)
    case .stream(let stream): stream.sent + Int64(stream.buffer.count)
    case .copy(_, _, let covered): covered
    }
  }

  /// Whether nothing was written yet.
  var isEmptyMemory: Bool {
    if case .memory(let bytes) = form { bytes.isEmpty } else { false }
  }

  /// Takes bytes at an offset, as many as fit before a part is full.
  mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FileSystemError) -> Effect {
    switch form {
    case .memory(var memory):
      let end = offset + Int64(bytes.count)
      if end > Self.memoryLimit {
        guard offset == Int64(memory.count) else {
          throw FileSystemError(
            .fileTooLarge,
            "a file above \(Self.memoryLimit >> 20) MiB is written from its beginning to its end; this write is at "
              + "\(offset) and the file has \(memory.count) bytes")
        }
        form = .stream(Stream(buffer: memory))
        return try write(bytes, at: offset)
      }
      form = .memory([])
      if Int64(memory.count) < offset { memory.append(contentsOf: repeatElement(0, count: Int(offset) - memory.count)) }
      let overlap = min(memory.count - Int(offset), bytes.count)
      if overlap > 0 {
        memory.withUnsafeMutableBytes {
          UnsafeMutableRawBufferPointer(rebasing: $0[Int(offset)..<Int(offset) + overlap])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<overlap]))
        }
      }
      memory.append(contentsOf: bytes[overlap...])
      form = .memory(memory)
      isDirty = true
      return .none
    case .stream(var stream):
      guard offset == stream.sent + Int64(stream.buffer.count) else {
        throw FileSystemError(
          .fileTooLarge,
          "a file above \(Self.memoryLimit >> 20) MiB is written from its beginning to its end; this write is at "
            + "\(offset) and the file has \(size) bytes")
      }
      form = .memory([])
      let taken = min(bytes.count, max(0, stream.partSize - stream.buffer.count))
      stream.buffer.append(contentsOf: bytes[..<taken])
      let isFull = stream.buffer.count >= stream.partSize
      form = .stream(stream)
      isDirty = true
      return isFull ? .partFull(taken: taken) : .none
    case .copy:
      throw FileSystemError(.invalidArgument, "the file is a copy of an object: nothing can be added to it")
    }
  }

  /// Takes the buffered bytes as the next part.
  mutating func takePart() -> (number: Int, bytes: [UInt8])? {
    guard case .stream(var stream) = form, !stream.buffer.isEmpty else { return nil }
    form = .memory([])
    let part = (stream.nextPart, stream.buffer)
    stream.nextPart += 1
    stream.sent += Int64(stream.buffer.count)
    stream.buffer = []
    form = .stream(stream)
    return part
  }

  /// Takes note of parts that were moved without passing through the buffer, which must be empty.
  mutating func skip(parts: Int, bytes: Int64) {
    guard case .stream(var stream) = form else { return }
    stream.nextPart += parts
    stream.sent += bytes
    form = .stream(stream)
    isDirty = true
  }

  /// Turns an empty body into an empty stream.
  mutating func beginStream() { form = .stream(Stream()) }

  /// Turns a copy into what it is a copy of.
  mutating func becomeMemory(_ bytes: [UInt8]) { form = .memory(bytes) }

  /// Turns an empty body into a copy of an object's first bytes, or extends one that it is already.
  mutating func becomeCopy(of object: ObjectInfo, from store: any ObjectStore, covered: Int64) {
    form = .copy(of: object, from: store, covered: covered)
    isDirty = true
  }

  /// Cuts or extends a body in memory; elsewhere only the size that it has anyway is accepted.
  mutating func resize(to newSize: Int64) throws(FileSystemError) {
    guard newSize != size else { return }
    if newSize == 0 {
      form = .memory([])
      isDirty = true
      return
    }
    guard case .memory(var bytes) = form, newSize <= Self.memoryLimit else {
      throw FileSystemError(
        .fileTooLarge, "only files up to \(Self.memoryLimit >> 20) MiB can be given another size while they are written"
      )
    }
    form = .memory([])
    if newSize < Int64(bytes.count) {
      bytes.removeLast(bytes.count - Int(newSize))
    } else {
      bytes.append(contentsOf: repeatElement(0, count: Int(newSize) - bytes.count))
    }
    form = .memory(bytes)
    isDirty = true
  }

  /// Bytes of a body in memory, for reading what was just written.
  func read(offset: Int64, count: Int) throws(FileSystemError) -> ArraySlice<UInt8> {
    guard case .memory(let bytes) = form else {
      throw FileSystemError(.badFileDescriptor, "a file that is being streamed into the store cannot be read yet")
    }
    let begin = Int(min(offset, Int64(bytes.count)))
    return bytes[begin..<min(begin + count, bytes.count)]
  }
}

extension WriteBody {
  /// Whether the body is sent in parts.
  var isStream: Bool {
    if case .stream = form { true } else { false }
  }

  /// Whether all of the body is in memory.
  var isMemory: Bool {
    if case .memory = form { true } else { false }
  }

  /// Whether the body is a copy that holds no bytes.
  var isCopy: Bool {
    if case .copy = form { true } else { false }
  }

  /// Bytes that wait to become a part.
  var bufferedBytes: Int {
    if case .stream(let stream) = form { stream.buffer.count } else { 0 }
  }

  /// Number of the next part; 1 unless streaming.
  var nextPart: Int {
    if case .stream(let stream) = form { stream.nextPart } else { 1 }
  }

  /// Whether parts can be added at an offset without passing through the buffer.
  func canSkip(to offset: Int64) -> Bool {
    if case .stream(let stream) = form { stream.buffer.isEmpty && stream.sent == offset } else { false }
  }
}
