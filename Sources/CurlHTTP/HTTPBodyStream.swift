// A request's body that is made while it is sent, for bodies too large to be held in memory.

/// A body of known size whose bytes are asked for piece by piece.
public struct HTTPBodyStream: Sendable {
  /// Bytes in all, thus the request's Content-Length.
  public let size: Int64
  /// The bytes that begin at an offset of the body: as many as the producer likes, at least one, and none behind `size`.
  ///
  /// Asked for in order, one piece at a time, the next one only when all bytes of the last one have been taken: at most
  /// one piece is in memory. It may take as long as it likes. Its task is cancelled as soon as the request has ended.
  /// When it throws, the request ends and fails with `.bodyFailed`.
  public let piece: @Sendable (_ offset: Int64) async throws -> [UInt8]

  /// Makes a body.
  public init(size: Int64, piece: @escaping @Sendable (_ offset: Int64) async throws -> [UInt8]) {
    self.size = size
    self.piece = piece
  }
}

extension HTTPBodyStream {
  /// Makes the body for one request until it is whole or the request has ended.
  func produce(into pipe: BodyPipe, for exchange: HTTPExchange) async {
    var offset: Int64 = 0
    do {
      while offset < size, await pipe.waitForRoom() {
        let bytes = try await piece(offset)
        guard !bytes.isEmpty, Int64(bytes.count) <= size - offset else {
          throw exchange.error(
            .invalidRequest, "\(bytes.count) bytes were given at \(offset) of a body of \(size) bytes")
        }
        offset += Int64(bytes.count)
        if pipe.offer(bytes) { exchange.resume() }
      }
    } catch {
      pipe.fail(error)
      exchange.cancel()
    }
  }
}
