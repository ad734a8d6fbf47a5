import CurlHTTP
import ObjectStore
import Testing

@testable import S3Store

/// Hosts, buckets in URLs, and who asks.
@Suite struct AddressTests {
  @Test(arguments: [
    ("s3.amazonaws.com", nil, "s3.eu-west-3.amazonaws.com"),
    ("s3.us-east-2.amazonaws.com", "us-east-2", "s3.eu-west-3.amazonaws.com"),
    ("s3-us-west-2.amazonaws.com", "us-west-2", "s3.eu-west-3.amazonaws.com"),
    ("s3.dualstack.us-east-2.amazonaws.com", "us-east-2", "s3.dualstack.eu-west-3.amazonaws.com"),
    ("s3-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", "s3-fips.eu-west-3.amazonaws.com"),
    ("s3-fips.dualstack.us-east-1.amazonaws.com", "us-east-1", "s3-fips.dualstack.eu-west-3.amazonaws.com"),
    ("s3.cn-north-1.amazonaws.com.cn", "cn-north-1", "s3.eu-west-3.amazonaws.com.cn"),
    ("s3-accelerate.amazonaws.com", nil, nil),
    ("bucket.vpce-1a2b-3c.s3.us-east-1.vpce.amazonaws.com", nil, nil),
  ])
  func amazonsHostTellsItsRegionAndThatOfOthers(host: String, region: String?, moved: String?) throws {
    let amazon = try #require(AmazonHost(host))
    #expect(amazon.region == region)
    #expect(amazon.host(in: "eu-west-3") == moved)
  }

  @Test(arguments: ["minio.example", "s3.amazonaws.com.example", "amazonaws.com", "s3.wasabisys.com"])
  func otherHostsAreNotAmazons(host: String) {
    #expect(AmazonHost(host) == nil)
  }

  @Test func regionOfTheHostIsSignedForWhenNoneIsSet() async throws {
    let transport = ScriptedTransport(HTTPResponse(204))
    let store = try scriptedStore(transport, host: "s3.cn-north-1.amazonaws.com.cn") { $0.region = "" }
    try await store.delete("k")
    #expect(transport.requests.first?.header("authorization")?.contains("/cn-north-1/s3/") == true)
    let other = try scriptedStore(transport, host: "s3.cn-north-1.amazonaws.com.cn") { $0.region = "cn-northwest-1" }
    try await other.delete("k")
    #expect(transport.requests.last?.header("authorization")?.contains("/cn-northwest-1/s3/") == true)
  }

  @Test(arguments: [
    ("plain-bucket1", "http://plain-bucket1.s3.amazonaws.com:9000/k"),
    ("dotted.name", "http://s3.amazonaws.com:9000/dotted.name/k"),
    ("Old_Bucket", "http://s3.amazonaws.com:9000/Old_Bucket/k"),
    ("UPPER", "http://s3.amazonaws.com:9000/UPPER/k"),
  ])
  func bucketThatCannotBeAHostIsInThePath(bucket: String, url: String) async throws {
    let transport = ScriptedTransport(HTTPResponse(204))
    try await scriptedStore(transport, host: "s3.amazonaws.com") { $0.bucket = bucket }.delete("k")
    #expect(transport.requests.map(\.url) == [url])
  }

  @Test(arguments: [
    HTTPResponse.error(301, "PermanentRedirect", headers: ["x-amz-bucket-region": "eu-west-3"]),
    .error(400, "AuthorizationHeaderMalformed", fields: "<Region>eu-west-3</Region>"),
    .error(403, "AccessDenied", headers: ["x-amz-bucket-region": "eu-west-3"]),
    .error(400, "IllegalLocationConstraintException", headers: ["x-amz-bucket-region": "eu-west-3"]),
    .error(307, "TemporaryRedirect", headers: ["x-amz-bucket-region": "eu-west-3"]),
  ])
  func regionInARefusalIsSignedForOnce(refusal: HTTPResponse) async throws {
    let transport = ScriptedTransport(refusal, HTTPResponse(204))
    let store = try scriptedStore(transport)
    try await store.delete("k")
    let regions = transport.requests.map { $0.header("authorization")?.split(separator: "/")[2] }
    #expect(regions == ["us-east-1", "eu-west-3"])
    let stubborn = ScriptedTransport(refusal)
    #expect(await storeError { try await scriptedStore(stubborn).delete("k") } != nil)
    #expect(stubborn.requests.count == 2)
  }

  @Test func answerWithoutADocumentIsNoBucketButAnotherServer() async throws {
    let store = try scriptedStore(ScriptedTransport(HTTPResponse(404)))
    let error = try #require(await storeError { try await store.list(ListRequest(prefix: "")) })
    #expect(error.code == .protocolViolation)
    #expect(error.remedy.contains("minio.address") && error.remedy.contains("minio.port"))
  }

  @Test func nobodySignsNothing() async throws {
    let transport = ScriptedTransport(.error(403, "AccessDenied"))
    let store = try scriptedStore(transport) { $0.credentials = .anonymous }
    let error = try #require(await storeError { try await store.get("k", range: nil, version: nil) })
    #expect(error.remedy.contains("minio.accessKeyID") && error.reason.contains("no keys"))
    #expect(transport.requests.allSatisfy { $0.header("authorization") == nil && $0.header("x-amz-date") == nil })
  }

  @Test func keysOfTheConfigurationComeBeforeThoseOfTheEnvironment() {
    let environment = ["AWS_ACCESS_KEY_ID": "ek", "AWS_SECRET_ACCESS_KEY": "es", "AWS_SESSION_TOKEN": "et"]
    func find(_ key: String, _ secret: String, _ environment: [String: String]) -> CredentialSource {
      CredentialSource.find(accessKeyID: key, secretAccessKey: secret, token: "t", environment: environment)
    }
    #expect(
      find("k", "s", environment)
        == .configuration(S3Credentials(accessKeyID: "k", secretAccessKey: "s", sessionToken: "t")))
    let own = S3Credentials(accessKeyID: "ek", secretAccessKey: "es", sessionToken: "et")
    #expect(find("", "", environment) == .environment(own))
    #expect(find("", "", [:]) == .anonymous)
    // Half a pair is nobody's keys, but a mistake that the store reports.
    #expect(find("k", "", environment).credentials.accessKeyID == "k")
    let names = CredentialSource.environment(own).renaming(S3SettingNames())
    #expect(names.secretAccessKey.contains("AWS_SECRET_ACCESS_KEY"))
    #expect(CredentialSource.anonymous.renaming(S3SettingNames()) == S3SettingNames())
  }

  @Test func authorityFileIsThatOfAmazonsToolsFirst() {
    let both = ["AWS_CA_BUNDLE": "/a", "SSL_CERT_FILE": "/b"]
    #expect(S3Configuration.certificateAuthorityFile(environment: both) == "/a")
    #expect(
      S3Configuration.certificateAuthorityFile(environment: ["AWS_CA_BUNDLE": "", "SSL_CERT_FILE": "/b"]) == "/b")
    #expect(S3Configuration.certificateAuthorityFile(environment: [:]) == nil)
  }
}
