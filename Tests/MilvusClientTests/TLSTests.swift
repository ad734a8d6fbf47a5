// TLS in its modes, against a server with a certificate of its own authority.

import GRPCNIOTransportHTTP2Posix
import Testing

@testable import MilvusClient

@Suite(.serialized) struct TLSTests {
  private let certificates: TestCertificates

  init() throws {
    certificates = try TestCertificates()
  }

  private var serverOnly: HTTP2ServerTransport.Posix.TransportSecurity {
    .tls(
      certificateChain: [.file(path: certificates.server, format: .pem)],
      privateKey: .file(path: certificates.serverKey, format: .pem))
  }

  private var mutual: HTTP2ServerTransport.Posix.TransportSecurity {
    .mTLS(
      certificateChain: [.file(path: certificates.server, format: .pem)],
      privateKey: .file(path: certificates.serverKey, format: .pem)
    ) { [authority = certificates.authority] in
      $0.trustRoots = .certificates([.file(path: authority, format: .pem)])
    }
  }

  private func mode1(caFile: String?, serverName: String?) -> MilvusTLS {
    .server(caFile: caFile, serverName: serverName)
  }

  private func mode2(caFile: String?) -> MilvusTLS {
    .mutual(
      certificateFile: certificates.client, keyFile: certificates.clientKey, caFile: caFile,
      serverName: "milvus.test")
  }

  /// Connects with `tls` to a server with `security` and returns the error, `nil` if it works.
  private func connect(
    _ tls: MilvusTLS, to security: HTTP2ServerTransport.Posix.TransportSecurity
  ) async throws -> MilvusError? {
    try await withFakeMilvus(security: security) { endpoint, fake in
      var endpoint = endpoint
      endpoint.tls = tls
      do {
        let client = try await MilvusClient.connect(to: endpoint, options: testOptions)
        await client.close()
        #expect(fake.recorded().count == 3)
        return nil
      } catch let error as MilvusError {
        #expect(fake.recorded().isEmpty, "nothing is sent to a server that is not trusted")
        return error
      }
    }
  }

  @Test func `mode 1 trusts the given authority and name`() async throws {
    let error = try await connect(mode1(caFile: certificates.authority, serverName: "milvus.test"), to: serverOnly)
    #expect(error == nil)
  }

  @Test func `mode 2 shows the client's certificate`() async throws {
    let error = try await connect(mode2(caFile: certificates.authority), to: mutual)
    #expect(error == nil)
  }

  @Test func `certificate for another name is refused`() async throws {
    for name in ["other.test", nil] {
      let error = try await connect(mode1(caFile: certificates.authority, serverName: name), to: serverOnly)
      #expect(error?.code == .unreachable)
      #expect(error?.reason == "TLS: the server's certificate is for another name")
    }
  }

  @Test func `certificate of an unknown authority is refused`() async throws {
    let error = try await connect(mode1(caFile: nil, serverName: "milvus.test"), to: serverOnly)
    #expect(error?.code == .unreachable)
    #expect(error?.reason == "TLS: certificate verify failed")
    let mutualError = try await connect(mode2(caFile: nil), to: mutual)
    #expect(mutualError?.code == .unreachable)
  }

  @Test(.timeLimit(.minutes(5))) func `server that wants a client certificate refuses mode 1`() async throws {
    let error = try await connect(mode1(caFile: certificates.authority, serverName: "milvus.test"), to: mutual)
    #expect(error?.code == .unreachable)
    #expect(error?.reason.hasPrefix("TLS: ") == true)
  }

  @Test(.timeLimit(.minutes(5))) func `clear text to a TLS server is refused`() async throws {
    let error = try await connect(.plain, to: serverOnly)
    #expect(error?.code == .unreachable)
  }

  @Test func `files that are no certificates are named as the cause`() async throws {
    let wrongKey = MilvusTLS.mutual(
      certificateFile: certificates.client, keyFile: certificates.serverKey, caFile: certificates.authority,
      serverName: nil)
    let noCertificate = MilvusTLS.server(caFile: certificates.serverKey, serverName: nil)
    for tls in [wrongKey, noCertificate] {
      let error = try await connect(tls, to: serverOnly)
      #expect(error?.code == .invalidArgument)
      #expect(error?.description.contains("cannot be used") == true)
    }
  }
}
