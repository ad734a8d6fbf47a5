// A bucket of an S3-compatible service as an `ObjectStore`: signing, sending, and what to do with a refusal. The
// operations are in the extensions.
//
// Invariants: a call is sent again only after a refusal that a new signature answers (clock, region), at most once
// each; every other repetition is the business of a decorator. Errors never hold a secret: they are made of the
// service's own words, and signatures and credentials are only ever in request headers.

import CurlHTTP
import Glibc
import ObjectStore

/// A bucket of an S3-compatible service (S3 API reference, version 2006-03-01).
public final class S3Store: ObjectStore {
  /// Which bucket of which service this is.
  public let location: StoreLocation
  /// What S3 prescribes.
  public let limits = UploadLimits()

  let configuration: S3Configuration
  let identity: S3Identity
  let parts = PartTraffic()
  let abilities: S3Abilities
  /// Where unfinished uploads are written down, for the case that this process does not live to abort them.
  let journal: UploadJournal?
  private let endpoint: S3Endpoint
  private let transport: any HTTPTransport
  /// At least so long may the service work without sending a byte, in seconds, when it copies or assembles data.
  private static let patience: Double = 300

  /// Makes a store; nothing is sent.
  /// - Throws: `StoreError` `.unsupported` for a configuration without host or bucket, or with half a pair of keys.
  public convenience init(
    _ configuration: S3Configuration, transport: any HTTPTransport, journal: UploadJournal? = nil
  ) throws(StoreError) {
    try self.init(configuration, transport: transport, journal: journal) { Int64(time(nil)) }
  }

  /// - Parameter clock: seconds since 1970, UTC.
  init(
    _ configuration: S3Configuration, transport: any HTTPTransport, journal: UploadJournal? = nil,
    clock: @escaping @Sendable () -> Int64
  ) throws(StoreError) {
    let endpoint = S3Endpoint(configuration)
    location = StoreLocation(provider: "s3", endpoint: endpoint.description, bucket: configuration.bucket)
    if let fault = configuration.fault {
      throw StoreError(
        .unsupported, operation: "Configuration", location: location, reason: fault.reason, remedy: fault.remedy)
    }
    self.configuration = configuration
    self.endpoint = endpoint
    self.transport = transport
    self.journal = journal
    abilities = S3Abilities(takesChecksums: configuration.sendsChecksums)
    let region = configuration.region.isEmpty ? endpoint.region ?? "us-east-1" : configuration.region
    identity = S3Identity(credentials: configuration.credentials, region: region, clock: clock)
  }

  /// How a call ended that the service answered.
  enum Answer {
    case success(HTTPResponse)
    case refusal(S3Refusal)
  }

  /// Carries out a call whose refusal is an error.
  func success(of call: S3Call) async throws(StoreError) -> HTTPResponse {
    try success(try await answer(to: call), of: call)
  }

  /// The response of a call whose refusal is an error.
  func success(_ answer: Answer, of call: S3Call) throws(StoreError) -> HTTPResponse {
    switch answer {
    case .success(let response): return response
    case .refusal(let refusal): throw error(refusal, for: call)
    }
  }

  /// Carries out a call, signing it again when its signature is all that the service objects to.
  func answer(to call: S3Call) async throws(StoreError) -> Answer {
    guard call.key?.byteCount != 0, call.source?.byteCount != 0 else {
      // Its URL would be that of the bucket: deleting such an object would delete the bucket.
      throw StoreError(
        .unsupported, operation: call.operation, location: location, reason: "an object's key cannot be empty")
    }
    var hasCorrectedClock = false
    var hasCorrectedRegion = false
    var hasAskedForReason = false
    while true {
      let response = try await send(call)
      // An object that looks like an error document has an ETag.
      let mayBeError = call.isDocument || response.headers["ETag"] == nil
      if response.isSuccess, !(mayBeError && Self.isErrorDocument(response.body)) { return .success(response) }
      if response.status == 412, response.wasRepeated, call.condition == .write { throw unclear(call) }
      let refusal = S3Refusal(response, method: call.method, hasKey: call.key != nil)
      if refusal.code == "RequestTimeTooSkewed", !hasCorrectedClock, let date = refusal.serverDate {
        hasCorrectedClock = true
        identity.adoptClock(date)
      } else if !hasCorrectedRegion, let region = refusal.region,
        refusal.isAboutRegion(signed: identity.region), identity.adoptRegion(region)
      {
        hasCorrectedRegion = true
      } else if call.method == .head, !hasAskedForReason, refusal.status == 403 || refusal.status == 400 {
        // The answer to a HEAD has no document that says why; that to a GET of the same thing has.
        hasAskedForReason = true
        // Of an empty object there is no first byte to get: that is no reason.
        if case .refusal(let reason) = try await answer(to: call.asProbe), reason.status != 416 {
          return .refusal(reason)
        }
      } else {
        return .refusal(refusal)
      }
    }
  }

  /// Signs and sends a call once.
  private func send(_ call: S3Call) async throws(StoreError) -> HTTPResponse {
    let target = endpoint.target(
      bucket: call.bucket ?? configuration.bucket, key: call.key, query: call.query, region: identity.learnedRegion)
    let signing = identity.sign(
      SignableRequest(
        method: call.method.rawValue, host: target.host, path: target.path, query: target.query, headers: call.headers,
        payloadHash: call.body.isEmpty && call.stream == nil ? SigV4.emptyPayload : SigV4.unsignedPayload))
    var request = HTTPRequest(
      call.method, url: target.url, headers: call.headers + signing,
      body: call.body, expectedBodySize: call.expectedBodySize, maximumBodySize: call.maximumBodySize,
      timeouts: timeouts(isSlow: call.isSlow), certificateAuthorityFile: configuration.certificateAuthorityFile)
    request.mustNotRepeat = call.mustNotRepeat
    request.stream = call.stream
    do {
      return try await transport.send(request)
    } catch {
      throw self.error(error, for: call)
    }
  }

  private func timeouts(isSlow: Bool) -> HTTPTimeouts? {
    guard isSlow || configuration.connectTimeout != nil || configuration.stallTimeout != nil else { return nil }
    var timeouts = HTTPTimeouts()
    if let connect = configuration.connectTimeout { timeouts.connect = connect }
    if let stall = configuration.stallTimeout { timeouts.stall = stall }
    if isSlow { timeouts.stall = max(timeouts.stall, configuration.longStallTimeout ?? Self.patience) }
    return timeouts
  }

  /// Whether a 200's document is an error after all.
  private static func isErrorDocument(_ body: [UInt8]) -> Bool {
    // An error is short, and most documents are told from one by their beginning: a listing is not read twice.
    body.count <= HTTPResponse.errorBodyLimit && holdsErrorElement(body.prefix(512))
      && (try? XMLFields(body))?.root == "Error"
  }

  private static func holdsErrorElement(_ bytes: ArraySlice<UInt8>) -> Bool {
    let mark = "<Error".utf8
    return bytes.indices.contains { bytes[$0] == UInt8(ascii: "<") && bytes[$0...].starts(with: mark) }
  }
}

extension S3Configuration {
  /// What makes this configuration unusable, and what to do about it.
  fileprivate var fault: (reason: String, remedy: String)? {
    let names = settingNames
    if host.isEmpty || !host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"/?#@\\".utf8.contains($0) }) {
      return ("“\(host)” is not a host name", "Set \(names.address) to a host name or IP address.")
    }
    if let port, !(1...65_535).contains(port) {
      return ("\(port) is not a port", "Set \(names.port) to a number from 1 to 65535.")
    }
    if bucket.isEmpty || bucket.utf8.contains(UInt8(ascii: "/")) {
      return ("“\(bucket)” is not a bucket name", "Set \(names.bucketName).")
    }
    if credentials.accessKeyID.isEmpty != credentials.secretAccessKey.isEmpty {
      return ("there is no access key or no secret", "Set both \(names.accessKeyID) and \(names.secretAccessKey).")
    }
    return nil
  }
}
