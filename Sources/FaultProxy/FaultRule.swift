// Which requests fail, and how. The JSON form is a list of rules:
// [{"match": {"operation": "PutObject", "keyPrefix": "a/", "every": 3}, "fault": {"loseAnswer": {}}}]

/// One line of the script.
public struct FaultRule: Sendable, Hashable, Codable {
  /// Which requests.
  public var match: Match
  /// What happens to them.
  public var fault: Fault

  /// Makes a rule.
  public init(_ fault: Fault, on match: Match = Match()) {
    self.match = match
    self.fault = fault
  }

  /// Conditions on a request; all that are given must hold. Those in the second group count only requests for which
  /// those in the first group hold.
  public struct Match: Sendable, Hashable, Codable {
    /// HTTP method.
    public var method: String?
    /// S3's name of the operation, such as `UploadPart`.
    public var operation: String?
    /// How the key (of listings: the prefix asked for) begins.
    public var keyPrefix: String?
    /// Shell pattern (fnmatch, where `*` also matches slashes) for the whole key.
    public var keyPattern: String?
    /// Query parameters that must be there, with these values; an empty one matches any value.
    public var query: [String: String]?

    /// Only the request with this number, from 1.
    public var nth: Int?
    /// Only each request whose number divides by this.
    public var every: Int?
    /// Only with this probability, 0…1. Drawn from the script's seed, the request and how often the same request came
    /// before, so that the same seed gives the same faults in whatever order requests of different objects come.
    public var probability: Double?
    /// At most so many times.
    public var times: Int?

    /// Makes conditions; without any, all requests match.
    public init(
      method: String? = nil, operation: String? = nil, keyPrefix: String? = nil, keyPattern: String? = nil,
      query: [String: String]? = nil, nth: Int? = nil, every: Int? = nil, probability: Double? = nil, times: Int? = nil
    ) {
      self.method = method
      self.operation = operation
      self.keyPrefix = keyPrefix
      self.keyPattern = keyPattern
      self.query = query
      self.nth = nth
      self.every = every
      self.probability = probability
      self.times = times
    }
  }

  /// The fault on every request.
  public static func always(_ fault: Fault) -> FaultRule { FaultRule(fault) }

  init(match: Match? = nil, fault: Fault) {
    self.match = match ?? Match()
    self.fault = fault
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    match = try container.decodeIfPresent(Match.self, forKey: .match) ?? Match()
    fault = try container.decode(Fault.self, forKey: .fault)
  }
}
