import Testing

@testable import MilvusClient

@Suite struct MilvusEndpointTests {
  @Test func `no description shows the password`() throws {
    let credentials = try #require(MilvusCredentials(user: "root", password: "s3cret-word"))
    let endpoint = MilvusEndpoint(host: "milvus.example", credentials: credentials)
    var dumped = ""
    dump(endpoint, to: &dumped)
    for text in [
      "\(credentials)", "\(endpoint)", String(reflecting: credentials), String(reflecting: endpoint), dumped,
    ] {
      #expect(!text.contains("s3cret"), "\(text)")
    }
    #expect("\(credentials)" == "root:***")
  }

  @Test func `authorization is base64 of user and password`() throws {
    let credentials = try #require(MilvusCredentials(user: "root", password: "Milvus"))
    #expect(credentials.authorizationHeader == "cm9vdDpNaWx2dXM=")
    #expect(MilvusCredentials(user: "", password: "") == nil)
    // base64 of "root:" and of ":token": one of the two is enough.
    #expect(MilvusCredentials(user: "root", password: "")?.authorizationHeader == "cm9vdDo=")
    #expect(MilvusCredentials(user: "", password: "token")?.authorizationHeader == "OnRva2Vu")
  }

  @Test func `IPv6 address is bracketed`() {
    #expect(MilvusEndpoint(host: "::1").address == "[::1]:19530")
    #expect(MilvusEndpoint(host: "10.0.0.1", port: 80).address == "10.0.0.1:80")
  }

  @Test func `modes of a configuration file`() throws {
    #expect(try MilvusTLS(mode: 0) == .plain)
    #expect(try MilvusTLS(mode: 1) == .server(caFile: nil, serverName: nil))
    #expect(try MilvusTLS(mode: 1, caFile: "ca", serverName: "n") == .server(caFile: "ca", serverName: "n"))
    #expect(
      try MilvusTLS(mode: 2, certificateFile: "c", keyFile: "k")
        == .mutual(certificateFile: "c", keyFile: "k", caFile: nil, serverName: nil))
    #expect(
      try MilvusTLS(mode: 2, caFile: "ca", serverName: "n", certificateFile: "c", keyFile: "k")
        == .mutual(certificateFile: "c", keyFile: "k", caFile: "ca", serverName: "n"))
  }

  @Test(arguments: [
    (3, "", "", "", ""), (-1, "", "", "", ""),
    (2, "", "", "", ""), (2, "ca", "", "c", ""), (2, "ca", "", "", "k"),
    (0, "ca", "", "", ""), (0, "", "name", "", ""), (0, "", "", "c", "k"),
    (1, "", "", "c", ""), (1, "", "", "", "k"),
  ])
  func `contradictory TLS settings are refused`(
    mode: Int, ca: String, name: String, certificate: String, key: String
  ) throws {
    let error = try #require(throws: MilvusError.self) {
      try MilvusTLS(mode: mode, caFile: ca, serverName: name, certificateFile: certificate, keyFile: key)
    }
    #expect(error.code == .invalidArgument)
    #expect(error.remedy != nil)
  }
}
