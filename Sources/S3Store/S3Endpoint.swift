// URLs of one service: which host, which path, in which spelling.
//
// Invariant: the path and query of a URL are the ones that are signed.

import ObjectStore

/// A service and its way of addressing buckets.
struct S3Endpoint: Sendable {
  /// A URL in the parts that signing needs.
  struct Target: Sendable, Hashable {
    /// Host header's value.
    var host: String
    /// Encoded path.
    var path: String
    /// Encoded query without `?`.
    var query: String
    /// The whole URL.
    var url: String
  }

  /// In lower case.
  let host: String
  private let scheme: String
  /// `:port`, or nothing when it is the scheme's own.
  private let portSuffix: String
  private let addressing: S3Configuration.Addressing
  /// What the host is, if it is Amazon's own service, of which each region has hosts of its own.
  private let amazon: AmazonHost?
  /// The region that the host's name tells.
  var region: String? { amazon?.region }

  init(_ configuration: S3Configuration) {
    host = configuration.host.lowercased()
    scheme = configuration.usesTLS ? "https" : "http"
    let ownPort = configuration.usesTLS ? 443 : 80
    portSuffix = configuration.port.map { $0 == ownPort ? "" : ":\($0)" } ?? ""
    addressing = configuration.addressing
    amazon = AmazonHost(host)
  }

  /// Scheme, host and port in one canonical spelling.
  var description: String { "\(scheme)://\(bracketed(host))\(portSuffix)" }

  /// The URL of a bucket, or of an object in it.
  /// - Parameter region: a region learned from the service, whose host is then used where regions have their own.
  func target(
    bucket: String, key: ObjectKey?, query: [(name: String, value: String)], region: String? = nil
  ) -> Target {
    var name = host(in: region)
    var path: [UInt8] = [UInt8(ascii: "/")]
    if usesVirtualHost(for: bucket) {
      name = "\(bucket.lowercased()).\(name)"
    } else {
      PercentEncoding.append(bucket, to: &path, keepingSlash: false)
      if key != nil { path.append(UInt8(ascii: "/")) }
    }
    if let key { PercentEncoding.append(key.string, to: &path, keepingSlash: true) }
    let hostHeader = bracketed(name) + portSuffix
    let pathText = String(decoding: path, as: UTF8.self)
    let queryText = PercentEncoding.query(query)
    let url = "\(scheme)://\(hostHeader)\(pathText)\(queryText.isEmpty ? "" : "?\(queryText)")"
    return Target(host: hostHeader, path: pathText, query: queryText, url: url)
  }

  private func usesVirtualHost(for bucket: String) -> Bool {
    switch addressing {
    case .path: false
    case .virtualHost: true
    case .automatic: amazon != nil && Self.isHostLabel(bucket)
    }
  }

  /// Whether a bucket's name can be part of a host's name. A certificate for *.s3.amazonaws.com does not cover a name with a
  /// dot in it; old buckets have capitals, which hosts do not tell apart, and underscores.
  private static func isHostLabel(_ bucket: String) -> Bool {
    bucket.utf8.count <= 63
      && bucket.utf8.allSatisfy { $0.isASCIIDigit || $0 == UInt8(ascii: "-") || ($0 >= 0x61 && $0 <= 0x7A) }
  }

  /// The host, or Amazon's of the same kind in a learned region.
  private func host(in region: String?) -> String { region.flatMap { amazon?.host(in: $0) } ?? host }

  private func bracketed(_ host: String) -> String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host }
}
