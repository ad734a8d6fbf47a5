// The version of a Milvus server, read from the text it reports. Compared by its three numbers alone.

/// A Milvus version, `major.minor.patch`.
public struct ServerVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// First number.
  public let major: Int
  /// Second number.
  public let minor: Int
  /// Third number. 9999 if the text names only two: taken for the latest of its line.
  public let patch: Int

  /// Creates a version.
  public init(_ major: Int, _ minor: Int, _ patch: Int) {
    self.major = major
    self.minor = minor
    self.patch = patch
  }

  /// What a text without a version stands for (builds from a branch): newer than everything.
  public static let newest = ServerVersion(99, 0, 0)

  /// The version in a text that GetVersion or Connect reported.
  ///
  /// Taken from the start of the text, after an optional `v`, or from behind the word `milvus`; a fourth number and
  /// everything after the numbers is ignored (`v2.3.5-lite` is 2.3.5). A text without a version is `newest`.
  public init(reported text: String) {
    let lowercased = text.lowercased()
    var candidates = [Substring(lowercased)]
    if let milvus = lowercased.firstRange(of: "milvus") {
      candidates.append(lowercased[milvus.upperBound...].drop { "-_:/ @".contains($0) })
    }
    self = candidates.lazy.compactMap { Self(atStartOf: $0) }.first ?? .newest
  }

  private init?(atStartOf text: Substring) {
    let text = text.hasPrefix("v") ? text.dropFirst() : text
    let numbers = text.prefix { $0 == "." || ("0"..."9").contains($0) }
      .split(separator: ".", omittingEmptySubsequences: false).prefix { !$0.isEmpty }.map { Int($0) }
    guard numbers.count >= 2, let major = numbers[0], let minor = numbers[1] else { return nil }
    guard numbers.count > 2 else {
      self.init(major, minor, 9999)
      return
    }
    guard let patch = numbers[2] else { return nil }
    self.init(major, minor, patch)
  }

  /// The three numbers with points.
  public var description: String { "\(major).\(minor).\(patch)" }

  /// By major, minor, patch.
  public static func < (left: ServerVersion, right: ServerVersion) -> Bool {
    (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
  }
}
