// A private certificate authority for tests, with a server certificate for `milvus.test` and a client certificate. Made
// for these tests, trusted by nothing else; valid for a hundred years.

import Foundation

/// The certificates as files in a folder of their own, removed at the end of the object's life.
final class TestCertificates: Sendable {
  let authority: String
  let server: String
  let serverKey: String
  let client: String
  let clientKey: String
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "milvus-client-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let folder = folder
    func write(_ name: String, _ pem: String) throws -> String {
      let file = folder.appending(path: name)
      try pem.write(to: file, atomically: true, encoding: .utf8)
      return file.path
    }
    authority = try write("ca.pem", Self.authorityPEM)
    server = try write("server.pem", Self.serverPEM)
    serverKey = try write("server.key", Self.serverKeyPEM)
    client = try write("client.pem", Self.clientPEM)
    clientKey = try write("client.key", Self.clientKeyPEM)
  }

  deinit {
    try? FileManager.default.removeItem(at: folder)
  }

  private static let authorityPEM = """
    -----BEGIN CERTIFICATE-----
    MIIBmjCCAT+gAwIBAgIUOQyVgwFnTdPpEw9AASnK3xXqbyMwCgYIKoZIzj0EAwIw
    GTEXMBUGA1UEAwwOVGVzdCBhdXRob3JpdHkwIBcNMjYxMTIzMTI1MDE3WhgPMjEy
    NjEwMzAxMjUwMTdaMBkxFzAVBgNVBAMMDlRlc3QgYXV0aG9yaXR5MFkwEwYHKoZI
    zj0CAQYIKoZIzj0DAQcDQgAEYhXLXaFsdj3YERhkwV1xbdPEB8G/NxcAe6UwOI/h
    Wg1DDFfhTJ+ZKXCMs8tOhNecs+JeJxLJBxO8/HiM2TDpJqNjMGEwHQYDVR0OBBYE
    FPQ7LyCj56nWhUrpMrCzg6/9BSJYMB8GA1UdIwQYMBaAFPQ7LyCj56nWhUrpMrCz
    g6/9BSJYMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgEGMAoGCCqGSM49
    BAMCA0kAMEYCIQCZnlSsK7VLXhvX7VDckw0wD0serd8GUiUzb4cEzYB6cAIhAMDR
    Tx1hpoBf5voAoobXSZZeJyBoO7OntHkrObuS16Bk
    -----END CERTIFICATE-----
    """

  private static let serverPEM = """
    -----BEGIN CERTIFICATE-----
    MIIBqTCCAU6gAwIBAgIUcvoQGWrWqmMxzwHJrZY2jxhvDEAwCgYIKoZIzj0EAwIw
    GTEXMBUGA1UEAwwOVGVzdCBhdXRob3JpdHkwIBcNMjYxMTIzMTI1MDE3WhgPMjEy
    NjEwMzAxMjUwMTdaMBExDzANBgNVBAMMBnNlcnZlcjBZMBMGByqGSM49AgEGCCqG
    SM49AwEHA0IABGGfyHb6hhFVMs5+vLQX6YtUAaaFNBEKTq+kz5mxsKowhK1Q8YvB
    1cPenAzXK1eVykZ8mzKulWLktR2Ya9hUdJyjejB4MBYGA1UdEQQPMA2CC21pbHZ1
    cy50ZXN0MBMGA1UdJQQMMAoGCCsGAQUFBwMBMAkGA1UdEwQCMAAwHQYDVR0OBBYE
    FJIFdbWPx5iDEvHd2BogrZBJudRBMB8GA1UdIwQYMBaAFPQ7LyCj56nWhUrpMrCz
    g6/9BSJYMAoGCCqGSM49BAMCA0kAMEYCIQDwBp1ilUquqwb3vm1pnpPcyg57gFtK
    5kQ90QaO4r6yNgIhAPKYv3HoYbKURbiEsU6N6hF7M3+Puh2N9k3NS6D1Ix32
    -----END CERTIFICATE-----
    """

  private static let serverKeyPEM = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRYvFKRAcs3ILhOph
    JjRLCE4fzFOMc97HWahjpxQlrg6hRANCAARhn8h2+oYRVTLOfry0F+mLVAGmhTQR
    Ck6vpM+ZsbCqMIStUPGLwdXD3pwM1ytXlcpGfJsyrpVi5LUdmGvYVHSc
    -----END PRIVATE KEY-----
    """

  private static let clientPEM = """
    -----BEGIN CERTIFICATE-----
    MIIBkTCCATagAwIBAgIUcvoQGWrWqmMxzwHJrZY2jxhvDEEwCgYIKoZIzj0EAwIw
    GTEXMBUGA1UEAwwOVGVzdCBhdXRob3JpdHkwIBcNMjYxMTIzMTI1MDE3WhgPMjEy
    NjEwMzAxMjUwMTdaMBExDzANBgNVBAMMBmNsaWVudDBZMBMGByqGSM49AgEGCCqG
    SM49AwEHA0IABNqpxR7JXnKNaaprKI44RnM5n3a1rKm6WeSe6EpOUqD1z/Vt8fkV
    LeJqUTpvXDPa+uxAuh4SXPox7ucnRnqGUQmjYjBgMBMGA1UdJQQMMAoGCCsGAQUF
    BwMCMAkGA1UdEwQCMAAwHQYDVR0OBBYEFOShDh0zYRGOCyiHRyhIWgzx+5htMB8G
    A1UdIwQYMBaAFPQ7LyCj56nWhUrpMrCzg6/9BSJYMAoGCCqGSM49BAMCA0kAMEYC
    IQDxS8SLAMf2m7ZKM4gp52qIF+7E7Ijy06VL32BHvWyFcAIhAIUYTMwdt6JcB0Rk
    1kLbzyB3ICaug43G7fhbwgMf/zhj
    -----END CERTIFICATE-----
    """

  private static let clientKeyPEM = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRyTnpSlUbIEtTEqh
    IF3gEEJXFIby11Vc2FYc9x2ZfIahRANCAATaqcUeyV5yjWmqayiOOEZzOZ92tayp
    ulnknuhKTlKg9c/1bfH5FS3ialE6b1wz2vrsQLoeElz6Me7nJ0Z6hlEJ
    -----END PRIVATE KEY-----
    """
}
