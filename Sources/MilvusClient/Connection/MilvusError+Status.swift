// From the status of an answer to an error: both generations of numbers, and the words where the numbers are vague
// (servers up to 2.3 report much as "unexpected error").

extension MilvusError {
  /// The error that a failed status tells.
  init(call: String, object: String?, endpoint: MilvusEndpoint, status: ProtoStatus) {
    let code = Code(status: status)
    let number = "error code \(status.code != 0 ? status.code : status.errorCode)"
    self.init(
      code: code, call: call, object: object, server: endpoint.address,
      reason: status.reason.isEmpty ? number : status.reason, remedy: code.remedy,
      status: MilvusStatusCode(errorCode: status.errorCode, code: status.code))
  }
}

extension MilvusError.Code {
  /// The kind of failure that a status tells. Second-generation numbers first, then those of the first, then words.
  init(status: ProtoStatus) {
    let isVague = status.code == 0 || status.code == Self.unexpected
    let reason = status.reason.lowercased()
    if let code = Self.secondGeneration[status.code] {
      self = code
    } else if let code = Self.firstGeneration[status.errorCode] {
      self = code
    } else if isVague, let code = Self.phrases.first(where: { reason.contains($0.phrase) })?.code {
      self = code
    } else {
      self = .server
    }
  }

  /// Second-generation number of what has no number of its own.
  private static let unexpected: Int32 = 65535

  /// Numbers of `code` (Milvus 2.3 and later).
  private static let secondGeneration: [Int32: MilvusError.Code] = [
    1: .unreachable, 2: .unreachable, 4: .rateLimited, 8: .rateLimited, 10: .unsupported,
    100: .notFound, 200: .notFound, 600: .notFound, 700: .notFound, 702: .alreadyExists, 800: .notFound,
    802: .invalidArgument, 1000: .notFound, 1100: .invalidArgument, 1101: .invalidArgument, 1102: .invalidArgument,
    1400: .authentication, 1401: .permission, 1600: .notFound, 1601: .alreadyExists, 1602: .alreadyExists,
    1800: .authentication, 1807: .rateLimited,
  ]

  /// Numbers of `error_code` (`common.ErrorCode`) that tell more than "unexpected error".
  private static let firstGeneration: [Int32: MilvusError.Code] = [
    3: .permission, 4: .notFound, 5: .invalidArgument, 7: .invalidArgument, 8: .invalidArgument, 9: .invalidArgument,
    23: .invalidArgument, 25: .notFound, 28: .notFound, 47: .notFound, 49: .rateLimited, 56: .unreachable,
    57: .unreachable,
  ]

  /// Words for what the numbers leave open, in the order they are looked for.
  private static let phrases: [(phrase: String, code: MilvusError.Code)] = [
    ("rate limit exceeded", .rateLimited), ("auth check failure", .authentication), ("permission deny", .permission),
    ("already exist", .alreadyExists), ("duplicate collection", .alreadyExists),
    ("not ready", .unreachable), ("not healthy", .unreachable), ("find no available", .unreachable),
    ("not found", .notFound), ("not exist", .notFound), ("doesn't exist", .notFound), ("can't find", .notFound),
  ]

  /// What to do about a failure of this kind, where that does not depend on the call.
  var remedy: String? {
    switch self {
    case .unreachable: "check that it is running and that address, port and TLS mode are right"
    case .timedOut: "check the server's load and its log, then try again"
    case .authentication: "check milvus.user and milvus.password"
    case .permission: "use an account with the needed privileges, or grant them to this one"
    case .rateLimited: "try again when the server is less busy, or raise its quotaAndLimits settings"
    case .unsupported: "this server version does not have the call"
    default: nil
    }
  }
}

extension MilvusError {
  /// Whether what was not found is the database, not the collection.
  var isAboutDatabase: Bool {
    status?.code == 800 || reason.lowercased().hasPrefix("database")
  }

  /// Whether the server says that there is no index: `IndexNotExist` of the first generation, `index not found` of
  /// the second, or those words.
  var isAboutMissingIndex: Bool {
    guard code == .notFound, let status else { return false }
    return status.code == 700 || status.errorCode == 25 || reason.lowercased().contains("index not found")
  }
}
