import CurlHTTP
import FoundationEssentials
import ObjectStore
import Testing

@testable import S3Store

/// Signatures, compared with those of AWS's own client (see Fixtures/make-signatures.py).
@Suite struct SigV4Tests {
  struct Case: Decodable, Sendable {
    var method, scheme, host: String
    var port: Int?
    var bucket, style: String
    var key: String?
    var path, sentHost: String
    var query, headers: [[String]]
    var region: String
    var date: Int64
    var accessKey, secret: String
    var token: String?
    var payloadHash, authorization: String

    var credentials: S3Credentials {
      S3Credentials(accessKeyID: accessKey, secretAccessKey: secret, sessionToken: token)
    }

    var target: S3Endpoint.Target {
      let configuration = S3Configuration(
        usesTLS: scheme == "https", host: host, port: port, bucket: bucket, credentials: credentials,
        addressing: style == "virtual" ? .virtualHost : .path)
      return S3Endpoint(configuration).target(
        bucket: bucket, key: key.map { ObjectKey($0) }, query: query.map { ($0[0], $0[1]) })
    }

    var signable: SignableRequest {
      SignableRequest(
        method: method, host: target.host, path: target.path, query: target.query,
        headers: headers.map { HTTPHeader($0[0], $0[1]) }, payloadHash: payloadHash)
    }
  }

  static let cases: [Case] = {
    let folder = #filePath.dropLast("SigV4Tests.swift".count)
    guard let data = try? Data(contentsOf: URL(filePath: "\(folder)Fixtures/signatures.json")) else { return [] }
    return (try? JSONDecoder().decode([Case].self, from: data)) ?? []
  }()

  @Test func thereAreCases() {
    #expect(Self.cases.count >= 400)
    #expect(Self.cases.contains { $0.style == "virtual" && $0.token != nil })
    #expect(Self.cases.contains { $0.key?.utf8.count == 1024 && $0.style == "virtual" })
  }

  @Test(arguments: cases.indices) func signatureIsThatOfBotocore(index: Int) {
    let one = Self.cases[index]
    let added = SigV4(credentials: one.credentials, region: one.region).headers(for: one.signable, at: one.date)
    #expect(one.target.path == one.path)
    #expect(one.target.host == one.sentHost)
    #expect(added.last { $0.name == "authorization" }?.value == one.authorization)
  }

  @Test func keptSigningKeyGivesTheSameSignature() throws {
    let one = try #require(Self.cases.first)
    let signer = SigV4(credentials: one.credentials, region: one.region)
    let fresh = signer.headers(for: one.signable, at: one.date)
    let kept = signer.headers(for: one.signable, at: one.date, key: signer.signingKey(at: one.date))
    #expect(fresh.map(\.value) == kept.map(\.value))
  }

  @Test func identityForgetsItsKeyWhenTheDayTheClockOrTheRegionChanges() throws {
    let one = try #require(Self.cases.first)
    let day: Int64 = 86_400
    let time = TestClock(10 * day)
    let identity = S3Identity(credentials: one.credentials, region: "r1") { time.now }
    func expected(_ region: String, _ date: Int64) -> [String] {
      SigV4(credentials: one.credentials, region: region).headers(for: one.signable, at: date).map(\.value)
    }
    #expect(identity.sign(one.signable).map(\.value) == expected("r1", 10 * day))
    time.now = 11 * day - 1
    #expect(identity.sign(one.signable).map(\.value) == expected("r1", 11 * day - 1))
    time.now = 11 * day
    #expect(identity.sign(one.signable).map(\.value) == expected("r1", 11 * day))
    #expect(identity.adoptRegion("r2"))
    #expect(!identity.adoptRegion("r2"))
    #expect(!identity.adoptRegion(""))
    #expect(identity.sign(one.signable).map(\.value) == expected("r2", 11 * day))
    identity.adoptClock(20 * day + 7)
    #expect(identity.sign(one.signable).map(\.value) == expected("r2", 20 * day + 7))
    time.now += 3
    #expect(identity.sign(one.signable).map(\.value) == expected("r2", 20 * day + 10))
  }
}
