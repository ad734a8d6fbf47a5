// Amazon's hosts for S3 (AWS General Reference, "Amazon Simple Storage Service endpoints"): `s3.amazonaws.com`,
// `s3.REGION.amazonaws.com`, the old `s3-REGION.amazonaws.com`, with `s3-fips` and `dualstack` before the region, and all of
// them with `.cn` behind in China.

/// A host of Amazon's S3.
struct AmazonHost: Sendable, Hashable {
  /// Nil for the global host, and for hosts of other forms (access points, acceleration), which say nothing of it here.
  let region: String?
  /// What stands before the region: `s3.`, `s3-fips.`, `s3.dualstack.`, `s3-fips.dualstack.`; nil when the host is none of
  /// those of which each region has one.
  private let prefix: String?
  private let domain: String

  /// Nil when it is not a host of Amazon's. Expects lower case.
  init?(_ host: String) {
    guard let domain = [".amazonaws.com", ".amazonaws.com.cn"].first(where: host.hasSuffix) else { return nil }
    self.domain = domain
    let name = String(host.dropLast(domain.count))
    let prefixes = ["s3-fips.dualstack.", "s3.dualstack.", "s3-fips.", "s3."]
    if name == "s3" {
      region = nil
      prefix = "s3."
    } else if let found = prefixes.first(where: name.hasPrefix), Self.isRegion(name.dropFirst(found.count)) {
      region = String(name.dropFirst(found.count))
      prefix = found
    } else if name.hasPrefix("s3-"), Self.isRegion(name.dropFirst(3)) {
      region = String(name.dropFirst(3))
      prefix = "s3."
    } else {
      region = nil
      prefix = nil
    }
  }

  /// The host of the same kind in another region; nil when there is none.
  func host(in region: String) -> String? { prefix.map { $0 + region + domain } }

  /// Whether a word is the name of a region: `eu-west-3`, `us-gov-east-1`.
  private static func isRegion(_ word: Substring) -> Bool {
    let parts = word.split(separator: "-", omittingEmptySubsequences: false)
    return parts.count >= 3 && parts.last.flatMap { Int($0) } != nil
      && parts.dropLast().allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { $0 >= 0x61 && $0 <= 0x7A } }
  }
}
