// What the server said of itself when the client connected.

/// Identity of a Milvus server, as found at start-up.
public struct MilvusServer: Sendable, Hashable {
  /// The version as the server words it, for instance `v2.3.5`; this text goes into a backup.
  public let versionText: String
  /// The version as numbers.
  public let version: ServerVersion
  /// What it can do.
  public let features: ServerFeatures
  /// `STANDALONE` or `CLUSTER`; empty if the server does not know Connect.
  public let deployMode: String
  /// Number the server gave this connection, sent back with every call; `nil` if the server does not know Connect.
  public let identifier: Int64?
}

/// Answer of CheckHealth.
public struct MilvusHealth: Sendable, Hashable {
  /// Whether the server calls itself healthy.
  public let isHealthy: Bool
  /// Why not; may be empty.
  public let reasons: [String]
}
