// The bytes of a part that is too large to be held in memory: they are read piece by piece while the part is sent.
//
// Invariants: a piece that is handed on has exactly the bytes that were asked for; a part can be read any number of times,
// each time from its beginning.

/// Where the bytes of a streamed part come from.
public struct PartSource: Sendable {
  /// Largest piece, in bytes.
  public static let pieceSize = 8 << 20

  /// Bytes of the part.
  public let size: Int64
  private let read: @Sendable (_ range: Range<Int64>) async throws -> [UInt8]

  /// Makes a source.
  /// - Parameters:
  ///   - size: bytes of the part.
  ///   - read: the bytes of a range of the part, at most `pieceSize`. A store asks for range after range, one at a time,
  ///     and lets go of a piece before it asks for the next one: whoever lends it memory for one piece has lent enough.
  ///     When the part has to be sent again, it asks from the beginning again.
  public init(size: Int64, read: @escaping @Sendable (_ range: Range<Int64>) async throws -> [UInt8]) {
    self.size = size
    self.read = read
  }

  /// A part that is in memory.
  public init(_ body: [UInt8]) {
    self.init(size: Int64(body.count)) { range in
      range.count == body.count ? body : Array(body[Int(range.lowerBound)..<Int(range.upperBound)])
    }
  }

  /// The piece that begins at an offset. Only the last one of a part is smaller than `pieceSize`.
  /// - Throws: what the closure throws; `PartShortfall` when it gave another number of bytes.
  public func piece(at offset: Int64) async throws -> [UInt8] {
    let range = offset..<min(offset + Int64(Self.pieceSize), size)
    let bytes = try await read(range)
    guard bytes.count == range.count else { throw PartShortfall(range: range, count: bytes.count) }
    return bytes
  }

  /// The same bytes; `body` is called around each reading.
  func wrapped(_ body: @escaping @Sendable (_ read: () async throws -> [UInt8]) async throws -> [UInt8]) -> PartSource {
    PartSource(size: size) { range in try await body { try await read(range) } }
  }
}

extension StoreError {
  /// The error that ends a part whose source cannot be read: that of the source itself where it is a store's.
  public init(reading error: any Error, for key: ObjectKey?, in location: StoreLocation) {
    switch error {
    case let error as StoreError: self = error
    case is CancellationError:
      self.init(
        .cancelled, operation: "UploadPart", key: key, location: location, reason: "the request was cancelled")
    default:
      self.init(
        .connectionLost, operation: "UploadPart", key: key, location: location,
        reason: "the part's bytes could not be read: \(error)", isTransient: true)
    }
  }
}

/// A part's source gave another number of bytes than it was asked for.
public struct PartShortfall: Error, CustomStringConvertible {
  /// The bytes of the part that were asked for.
  public var range: Range<Int64>
  /// How many came.
  public var count: Int

  /// For messages.
  public var description: String {
    "\(count) bytes came instead of those from \(range.lowerBound) to \(range.upperBound) of the part"
  }
}
