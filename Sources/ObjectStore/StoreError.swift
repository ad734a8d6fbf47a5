// The one error of all stores. The code says what happened; only the file system turns it into an errno.

/// Why a store could not do what it was asked to.
public struct StoreError: Error, Sendable, CustomStringConvertible {
  /// What happened, as an open set: new codes do not break users.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    /// Stable word for logs and tests.
    public let description: String
    private init(_ description: String) { self.description = description }

    /// No such object.
    public static let notFound = Code("notFound")
    /// No such bucket.
    public static let bucketNotFound = Code("bucketNotFound")
    /// The multipart upload is not (or no longer) there.
    public static let uploadNotFound = Code("uploadNotFound")
    /// Signature or credentials refused, or no right to do this.
    public static let accessDenied = Code("accessDenied")
    /// Temporary credentials have run out.
    public static let credentialsExpired = Code("credentialsExpired")
    /// The object is not the version that was asked for.
    public static let changed = Code("changed")
    /// A `WriteCondition` did not hold.
    public static let preconditionFailed = Code("preconditionFailed")
    /// The store asks for fewer requests.
    public static let throttled = Code("throttled")
    /// The store failed inside (5xx).
    public static let serverError = Code("serverError")
    /// No connection: refused, host unknown, unreachable, TLS.
    public static let unreachable = Code("unreachable")
    /// Connected, then no progress for too long.
    public static let timedOut = Code("timedOut")
    /// The connection broke, or fewer bytes came than were announced.
    public static let connectionLost = Code("connectionLost")
    /// The bytes are not those that were sent: a checksum differs.
    public static let corrupted = Code("corrupted")
    /// Larger than the store takes.
    public static let tooLarge = Code("tooLarge")
    /// The store is full or the quota is used up.
    public static let noSpace = Code("noSpace")
    /// The store cannot do this, or the key is one that it does not take.
    public static let unsupported = Code("unsupported")
    /// An answer that is not the protocol's.
    public static let protocolViolation = Code("protocolViolation")
    /// The task was cancelled.
    public static let cancelled = Code("cancelled")
  }

  /// What happened.
  public var code: Code
  /// The operation in the store's own terms, such as `PutObject`.
  public var operation: String
  /// The object concerned, if it is about one.
  public var key: ObjectKey?
  /// Where.
  public var location: StoreLocation
  /// The cause as the store or the network told it; never a secret.
  public var reason: String
  /// What the operator can do; empty when there is nothing to say.
  public var remedy: String
  /// Whether asking again can help, by what the store or the network said.
  public var isTransient: Bool
  /// How long the store asks to wait, in seconds.
  public var retryAfter: Double?

  /// Makes an error.
  public init(
    _ code: Code, operation: String, key: ObjectKey? = nil, location: StoreLocation, reason: String,
    remedy: String = "", isTransient: Bool = false, retryAfter: Double? = nil
  ) {
    self.code = code
    self.operation = operation
    self.key = key
    self.location = location
    self.reason = reason
    self.remedy = remedy
    self.isTransient = isTransient
    self.retryAfter = retryAfter
  }

  /// One sentence: operation, object, place, cause; then what to do.
  public var description: String {
    let object = key.map { " of \($0)" } ?? ""
    let advice = remedy.isEmpty ? "" : " \(remedy)"
    return "\(operation)\(object) in \(location) failed: \(reason).\(advice)"
  }
}
