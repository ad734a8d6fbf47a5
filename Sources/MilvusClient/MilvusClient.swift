// The client of a Milvus server. Connected when it exists; safe to share between tasks; calls run side by side.
// The calls themselves are in the extensions under Calls.

internal import GRPCCore
internal import SwiftProtobuf

/// A connection to a Milvus server, with the calls that a backup and a restore make.
///
/// Every call throws `MilvusError` only. Reading calls, and changes that may be made twice, are repeated for a bounded
/// time when the server is away or its quota refuses them; see `MilvusClientOptions`. A call whose task is cancelled
/// ends at once with code `cancelled`; those about import tasks end with the server's answer.
///
/// In all calls `database` is a name; "" means the server's default database.
public final class MilvusClient: Sendable {
  /// The server's address and credentials.
  public let endpoint: MilvusEndpoint
  /// What the server said of itself when the client connected.
  public let server: MilvusServer
  private let connection: RPCConnection
  private let options: MilvusClientOptions

  private init(connection: RPCConnection, server: MilvusServer, options: MilvusClientOptions) {
    self.endpoint = connection.endpoint
    self.server = server
    self.connection = connection
    self.options = options
  }

  /// Connects, asks the server what it is, and returns a client to be closed with `close`.
  ///
  /// Does not wait for a server that is starting: fails within `options.startUpTimeout` (30 s) in any case, at once if
  /// the connection is refused.
  /// - Throws: `MilvusError`: `unreachable`, `timedOut`, `authentication`, `invalidArgument` (certificates), `server`.
  public static func connect(
    to endpoint: MilvusEndpoint, options: MilvusClientOptions = MilvusClientOptions()
  ) async throws(MilvusError) -> MilvusClient {
    let connection = try RPCConnection(to: endpoint)
    do {
      let server = try await StartUp(connection: connection, options: options).run()
      return MilvusClient(connection: connection, server: server, options: options)
    } catch {
      await connection.close()
      throw error
    }
  }

  /// Closes the connection; calls under way fail with code `cancelled`. Takes a second at most.
  public func close() async {
    await connection.close()
  }

  /// Makes one call, repeated as `repeatability` allows, and checks the status of its answer.
  /// - Parameter isFinished: what was sent is waited for although the task is cancelled.
  func call<Request: Message, Response: Message & MilvusResponse>(
    _ name: String, _ request: Request, in database: String? = nil, about object: String? = nil,
    kind: CallKind = .read, repeatability: RetrySchedule.Repeatability = .always, isFinished: Bool = false
  ) async throws(MilvusError) -> Response {
    let start = ContinuousClock.now
    var schedule = RetrySchedule(options: options, repeatability: repeatability)
    while true {
      let elapsed = start.duration(to: .now)
      do throws(MilvusError) {
        let attempt = { @Sendable [connection, options] () async throws(MilvusError) -> Response in
          try await connection.attempt(
            name, request, metadata: self.metadata(database: database), about: object, timeout: options.timeout(kind),
            connectTimeout: max(options.connectTimeout - elapsed, .seconds(1)))
        }
        guard isFinished else { return try await attempt() }
        let calls = CallsToFinish.ofProcess
        guard !Task.isCancelled, calls.begin() else { throw .cancelled(call: name, object: object, endpoint: endpoint) }
        defer { calls.end() }
        return try await Self.finish(attempt)
      } catch {
        guard let delay = schedule.delay(after: error, elapsed: start.duration(to: .now)) else { throw error }
        do {
          try await Task.sleep(for: delay)
        } catch {
          throw .cancelled(call: name, object: object, endpoint: endpoint)
        }
      }
    }
  }

  /// Waits for the outcome even if the calling task is cancelled.
  private static func finish<Response: Sendable>(
    _ attempt: @escaping @Sendable () async throws(MilvusError) -> Response
  ) async throws(MilvusError) -> Response {
    let task = Task { () -> Result<Response, MilvusError> in
      do throws(MilvusError) { return .success(try await attempt()) } catch { return .failure(error) }
    }
    return try await task.value.get()
  }

  private func metadata(database: String?) -> Metadata {
    var metadata = Metadata(credentials: endpoint.credentials, identifier: server.identifier)
    if let database, !database.isEmpty, server.features.multiDatabase {
      metadata.addString(database, forKey: "dbname")
    }
    return metadata
  }
}

/// Connects, runs `body`, and closes the connection whatever the outcome.
/// - Throws: what `MilvusClient.connect` or `body` throws.
public func withMilvusClient<Result>(
  to endpoint: MilvusEndpoint, options: MilvusClientOptions = MilvusClientOptions(),
  isolation: isolated (any Actor)? = #isolation, _ body: (MilvusClient) async throws -> Result
) async throws -> Result {
  let client = try await MilvusClient.connect(to: endpoint, options: options)
  do {
    let result = try await body(client)
    await client.close()
    return result
  } catch {
    await client.close()
    throw error
  }
}
