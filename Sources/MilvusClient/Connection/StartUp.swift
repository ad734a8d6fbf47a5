// The calls made once per connection: Connect, ListDatabases as a probe, GetVersion. They share one time limit, and
// nothing is repeated: who starts the program wants to hear at once that the server is away.

internal import FoundationEssentials
internal import GRPCCore
internal import SwiftProtobuf

#if canImport(Glibc)
  internal import Glibc
#endif

/// The start-up sequence on a new channel.
struct StartUp {
  let connection: RPCConnection
  let options: MilvusClientOptions

  /// Finds out who the server is.
  func run() async throws(MilvusError) -> MilvusServer {
    let deadline = ContinuousClock.now + options.startUpTimeout
    var metadata = Metadata(credentials: connection.endpoint.credentials, identifier: nil)

    // Servers before 2.3 do not know Connect.
    let connected: ProtoConnectResponse? = try await unlessUnimplemented { () async throws(MilvusError) in
      try await call("Connect", connectRequest(), metadata, until: deadline)
    }
    let identifier = connected?.identifier
    metadata = Metadata(credentials: connection.endpoint.credentials, identifier: identifier)

    let multiDatabase = try await probeDatabases(metadata, until: deadline)

    // Every Milvus knows this call. What does not is some other server that speaks HTTP/2.
    let known: ProtoGetVersionResponse? = try await unlessUnimplemented { () async throws(MilvusError) in
      try await call("GetVersion", ProtoGetVersionRequest(), metadata, until: deadline)
    }
    guard let answer = known else {
      throw MilvusError(
        code: .unreachable, call: "GetVersion", server: connection.endpoint.address,
        reason: "the server there is not Milvus", remedy: MilvusError.Code.unreachable.remedy)
    }
    let version = ServerVersion(reported: answer.version)
    return MilvusServer(
      versionText: answer.version, version: version,
      features: ServerFeatures(version: version, multiDatabase: multiDatabase),
      deployMode: connected?.serverInfo.deployMode ?? "", identifier: identifier)
  }

  /// Whether the server knows databases. Only whether the call exists counts: the user may lack the right to make it.
  private func probeDatabases(
    _ metadata: Metadata, until deadline: ContinuousClock.Instant
  ) async throws(MilvusError) -> Bool {
    do {
      let _: ProtoListDatabasesResponse = try await call(
        "ListDatabases", ProtoListDatabasesRequest(), metadata, until: deadline, checked: false)
      return true
    } catch {
      switch error.code {
      case .unsupported: return false
      case .permission: return true
      default: throw error
      }
    }
  }

  private func call<Request: Message, Response: Message & MilvusResponse>(
    _ name: String, _ request: Request, _ metadata: Metadata, until deadline: ContinuousClock.Instant,
    checked: Bool = true
  ) async throws(MilvusError) -> Response {
    let remaining = max(ContinuousClock.now.duration(to: deadline), .milliseconds(1))
    return try await connection.attempt(
      name, request, metadata: metadata, about: nil, timeout: remaining,
      connectTimeout: min(options.connectTimeout, remaining), checked: checked)
  }

  private func unlessUnimplemented<Response>(
    _ body: () async throws(MilvusError) -> Response
  ) async throws(MilvusError) -> Response? {
    do {
      return try await body()
    } catch {
      if error.code == .unsupported { return nil }
      throw error
    }
  }

  private func connectRequest() -> ProtoConnectRequest {
    .with {
      $0.clientInfo.sdkType = options.clientName
      $0.clientInfo.sdkVersion = options.clientVersion
      $0.clientInfo.localTime = Date.now.formatted(.iso8601)
      $0.clientInfo.user = connection.endpoint.credentials?.user ?? ""
      $0.clientInfo.host = Self.hostName()
    }
  }

  private static func hostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "" }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

extension Metadata {
  /// The headers of every call.
  init(credentials: MilvusCredentials?, identifier: Int64?) {
    self.init()
    if let credentials { addString(credentials.authorizationHeader, forKey: "authorization") }
    if let identifier { addString(String(identifier), forKey: "identifier") }
  }
}
