// The one error type of this module. Its description is a sentence an operator can act on; secrets never get into it.

/// Why a call to Milvus, or the connection to it, failed.
public struct MilvusError: Error, Sendable, Hashable {
  /// What kind of failure it is. An open set: compare with the constants, and keep a default branch.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    /// The code's name.
    public let description: String

    /// No connection could be made, or it broke before the server answered.
    public static let unreachable = Code(description: "unreachable")
    /// A connection exists or is being made, but no answer came in time.
    public static let timedOut = Code(description: "timedOut")
    /// User or password were refused, or are missing.
    public static let authentication = Code(description: "authentication")
    /// The user is known, but may not do this.
    public static let permission = Code(description: "permission")
    /// The database, collection, partition, index or import task does not exist.
    public static let notFound = Code(description: "notFound")
    /// What was to be created exists.
    public static let alreadyExists = Code(description: "alreadyExists")
    /// The server's quota refused the call, also after waiting.
    public static let rateLimited = Code(description: "rateLimited")
    /// This server version does not know the call.
    public static let unsupported = Code(description: "unsupported")
    /// The request or the configuration is wrong; repeating it cannot help.
    public static let invalidArgument = Code(description: "invalidArgument")
    /// Any other failure the server reported.
    public static let server = Code(description: "server")
    /// The calling task was cancelled, or the client closed.
    public static let cancelled = Code(description: "cancelled")
  }

  /// The kind of failure.
  public let code: Code
  /// The RPC that failed, for instance `DescribeCollection`; `nil` if it failed before any call.
  public let call: String?
  /// What the call was about, for instance `collection "coll" in database "default"`; `nil` if nothing particular.
  public let object: String?
  /// The server, `host:port`; `nil` for errors found without one.
  public let server: String?
  /// The cause: Milvus' own words where it gave any.
  public let reason: String
  /// What to do about it; `nil` where there is nothing general to say.
  public let remedy: String?
  /// Milvus' numbers for the failure, `nil` if it was not Milvus that reported it.
  public let status: MilvusStatusCode?
  /// Whether the server may have carried out the call although it failed here: the request had been sent, and no
  /// answer came back. Matters for calls that must not be repeated, such as Import.
  public let mayHaveHappened: Bool

  /// Creates an error.
  public init(
    code: Code, call: String? = nil, object: String? = nil, server: String? = nil, reason: String,
    remedy: String? = nil, status: MilvusStatusCode? = nil, mayHaveHappened: Bool = false
  ) {
    self.code = code
    self.call = call
    self.object = object
    self.server = server
    self.reason = reason
    self.remedy = remedy
    self.status = status
    self.mayHaveHappened = mayHaveHappened
  }
}

/// The two numbers by which Milvus tells an error. Servers up to 2.2 fill only the first, newer ones both.
public struct MilvusStatusCode: Sendable, Hashable {
  /// `common.ErrorCode` of the first generation; 0 is success.
  public let errorCode: Int32
  /// The code of the second generation (2.3 and later); 0 is success.
  public let code: Int32

  /// Creates the pair.
  public init(errorCode: Int32, code: Int32) {
    self.errorCode = errorCode
    self.code = code
  }
}
