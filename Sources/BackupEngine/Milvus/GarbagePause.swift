// Milvus keeps the objects of segments that compaction has replaced for as long as its garbage collection is paused: a
// backup meanwhile finds all that it has listed.
//
// Invariants: what was paused is resumed when the backup ends, however it ends; if this process dies, the pause ends by
// itself. Without a pause a backup is as right, but may have to list segments again.

import FoundationEssentials
import Logging

/// A pause of the garbage collection of one Milvus.
struct GarbagePause: Sendable {
  /// Seconds that Milvus is told: an hour, and renewed twice in it.
  private static let seconds = 3600

  /// A pause that was begun.
  private struct Paused {
    /// What resumes it, where there is such a thing.
    var ticket: String?
  }

  private let rest: MilvusREST
  private let renewal: Duration

  /// - Parameter renewal: how often the pause is made anew.
  init?(_ rest: MilvusREST?, renewal: Duration = .seconds(1800)) {
    guard let rest, rest.pausesGarbage else { return nil }
    self.rest = rest
    self.renewal = renewal
  }

  /// Runs `body` while garbage collection is paused.
  /// - Parameter warn: told, in a sentence, that it could not be paused; a server that has no such thing is none.
  func during<Value: Sendable>(
    _ logger: Logger, warn: @escaping @Sendable (String) -> Void, _ body: () async throws -> Value
  ) async throws -> Value {
    guard let pause = try await begin(logger, warn) else { return try await body() }
    let renewing = Task {
      while true {
        try await Task.sleep(for: renewal)
        _ = try? await ask("pause?pause_seconds=\(Self.seconds)&collection_id=0")
      }
    }
    let result: Result<Value, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    renewing.cancel()
    await resume(pause.ticket, logger)
    return try result.get()
  }

  private var management: String { rest.management }

  /// Pauses.
  /// - Returns: nil if nothing is paused.
  private func begin(
    _ logger: Logger, _ warn: @Sendable (String) -> Void
  ) async throws -> Paused? {
    do {
      let answer = try await ask("pause?pause_seconds=\(Self.seconds)&collection_id=0")
      if answer.status == 404 {
        logger.debug("Milvus has no pause of its garbage collection", metadata: ["management": "\(management)"])
        return nil
      }
      guard (200..<300).contains(answer.status) else {
        throw RESTFailure(description: "it answered HTTP status \(answer.status)")
      }
      return Paused(ticket: Self.ticket(answer.body))
    } catch let error where !error.isCancellation {
      warn(
        """
        Milvus' garbage collection could not be paused at \(management) (\(error)): should compaction replace segments \
        meanwhile, the backup begins with them anew. Set backup.gcPause.address to Milvus' management port, or \
        backup.gcPause.enable to false.
        """)
      return nil
    }
  }

  private func resume(_ ticket: String?, _ logger: Logger) async {
    await uncancelled {
      do {
        let answer = try await ask("resume" + (ticket.map { "?ticket=\($0)" } ?? ""))
        guard (200..<300).contains(answer.status) else {
          throw RESTFailure(description: "it answered HTTP status \(answer.status)")
        }
      } catch {
        logger.warning(
          "Milvus' garbage collection could not be resumed; it resumes by itself within an hour",
          metadata: ["management": "\(management)", "error": "\(error)"])
      }
    }
  }

  private func ask(_ call: String) async throws -> RESTAnswer {
    try await rest.transport.send(
      RESTRequest(url: "\(management)/management/datacoord/garbage_collection/\(call)"))
  }

  /// The ticket that some servers answer, as it stands in a URL.
  static func ticket(_ body: [UInt8]) -> String? {
    struct Answer: Decodable { var ticket: String? }
    guard let ticket = try? JSONDecoder().decode(Answer.self, from: Data(body)).ticket, !ticket.isEmpty else {
      return nil
    }
    return MilvusREST.escaped(ticket)
  }
}
