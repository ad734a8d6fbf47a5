// Time limits and retry budgets of a client. The defaults suit a real server; tests shorten them.

/// How long a client waits and how often it repeats.
public struct MilvusClientOptions: Sendable, Hashable {
  /// Name told to Milvus in the Connect call (`sdk_type`).
  public var clientName = "milvus-backupfs"
  /// Version told to Milvus in the Connect call (`sdk_version`).
  public var clientVersion = ""
  /// Limit of everything `MilvusClient.connect` does: a server that builds indexes of many partitions on few cores was
  /// seen to take more than 10 s for its first answer. One that does not take the request at all has `connectTimeout`.
  public var startUpTimeout = Duration.seconds(30)
  /// How long one attempt of a call waits for a connection that can take it.
  public var connectTimeout = Duration.seconds(10)
  /// Deadline of one attempt of a call that only asks.
  public var readTimeout = Duration.seconds(30)
  /// Deadline of one attempt of a call that changes something small.
  public var changeTimeout = Duration.seconds(60)
  /// Deadline of one attempt of Flush, Import, LoadCollection and of the segment list.
  public var longTimeout = Duration.seconds(120)
  /// How long a server that is away or overloaded is tried again.
  public var outageBudget = Duration.seconds(8)
  /// Wait before the first repetition of a call that met an outage; each further wait is three times as long.
  public var outageDelay = Duration.milliseconds(60)
  /// How long a call that Milvus' quota refuses ("rate limit exceeded") is repeated.
  public var rateLimitBudget = Duration.seconds(120)
  /// Wait before the first repetition of a call the quota refused; each further wait is twice as long, up to ten
  /// times this.
  public var rateLimitDelay = Duration.milliseconds(500)

  /// The defaults.
  public init() {}

  /// The deadline of one attempt of a call of this kind.
  func timeout(_ kind: CallKind) -> Duration {
    switch kind {
    case .read: readTimeout
    case .change: changeTimeout
    case .long: longTimeout
    }
  }
}

/// What a call costs the server, which decides its deadline.
enum CallKind: Sendable {
  case read, change, long
}
