import Foundation
import Testing

extension EndToEnd.Files {
  /// The modes of `milvus.tlsMode` against the real Milvus behind a program that ends TLS.
  @Suite(.serialized) struct TLS {
    /// An authority, a server's certificate for `milvus.test` and 127.0.0.1, a client's, and another authority.
    private func makeCertificates(in folder: String) async throws {
      try await run(
        """
        mkdir -p '\(folder)' && cd '\(folder)'
        for name in ca other; do
          openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout $name.key -out $name.pem -subj /CN=$name 2>/dev/null
        done
        printf 'subjectAltName=IP:127.0.0.1' > server.ext
        printf 'subjectAltName=DNS:milvus.test' > named.ext
        printf 'extendedKeyUsage=clientAuth' > client.ext
        for name in server named client; do
          openssl req -newkey rsa:2048 -nodes -keyout $name.key -out $name.csr -subj /CN=$name 2>/dev/null
          openssl x509 -req -days 2 -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile $name.ext -out $name.pem \
            2>/dev/null
        done
        """)
    }

    /// Runs `body` with the port of a TLS proxy before Milvus A.
    private func withProxy(
      _ folder: String, certificate: String = "server", wantsClients: Bool = false,
      _ body: (_ port: Int) async throws -> Void
    ) async throws {
      let milvus = try Testbed.instance("A").milvus.address
      let authority = wantsClients ? "'\(folder)/ca.pem'" : ""
      try? FileManager.default.removeItem(atPath: "\(folder)/port")
      let proxy = try Running(
        """
        exec "$PYTHON" '\(Testbed.project)/Tests/EndToEndTests/Oracle/tls_proxy.py' \(milvus) '\(folder)/\(certificate).pem' \
        '\(folder)/\(certificate).key' \(authority) > '\(folder)/port'
        """, environment: ["PYTHON": ProcessInfo.processInfo.environment["MILVUS_BACKUPFS_PYTHON"] ?? "python3"])
      var port: Int?
      for _ in 0..<200 where port == nil {
        try await Task.sleep(for: .milliseconds(50))
        port = (try? String(contentsOfFile: "\(folder)/port", encoding: .utf8))
          .flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
      }
      let result: Result<Void, any Error>
      do {
        try await body(try #require(port))
        result = .success(())
      } catch {
        result = .failure(error)
      }
      kill(proxy.identifier, SIGTERM)
      _ = try await proxy.wait(limit: 10)
      try result.get()
    }

    private func command(
      _ place: Workplace, _ words: String, port: Int, _ settings: [String: String]
    ) async throws -> Outcome {
      let sets = settings.merging(["port": "\(port)"]) { $1 }.sorted { $0.key < $1.key }
        .map { "--set 'milvus.\($0.key)=\($0.value)'" }.joined(separator: " ")
      return try await shell(
        "\"$BACKUPFS\" \(words) --config '\(place.configs)/milvus_A.yaml' \(sets)",
        environment: ["XDG_STATE_HOME": place.state], limit: 120)
    }

    @Test func eachModeWorksAndEachMistakeIsNamed() async throws {
      let contents = "\(Testbed.project)/Tests/EndToEndTests/Oracle/contents.py"
      try await run("\"$PYTHON\" '\(contents)' \"$MILVUS_BACKUPFS_TESTBED\" make A plain tls_rows", limit: 300)
      try await Oracle.remove("A", "backup/tls_")
      try await Workplace.with(mounted: false) { place in
        let folder = "\(place.folder)/tls"
        try await makeCertificates(in: folder)
        let trusted = ["tlsMode": "1", "caCertPath": "\(folder)/ca.pem"]
        let mutual = trusted.merging([
          "tlsMode": "2", "mtlsCertPath": "\(folder)/client.pem", "mtlsKeyPath": "\(folder)/client.key",
        ]) { $1 }

        try await withProxy(folder) { port in
          // A whole backup, so that every kind of call goes through TLS.
          let made = try await command(place, "create -n tls_one -c tls_rows", port: port, trusted)
          #expect(made.succeeded, "\(made.output)")
          for (settings, words) in [
            (["tlsMode": "1", "caCertPath": "\(folder)/other.pem"], ["milvus.caCertPath"]),
            (["tlsMode": "1"], ["milvus.caCertPath"]),
            (["tlsMode": "1", "caCertPath": "\(folder)/missing.pem"], ["milvus.caCertPath", "missing.pem"]),
            ([:], ["milvus.tlsMode"]),
          ] {
            let outcome = try await command(place, "check", port: port, settings)
            #expect(outcome.status == 1, "\(settings): \(outcome.output)")
            for word in words { #expect(outcome.output.contains(word), "\(settings): \(outcome.output)") }
          }
        }
        try await withProxy(folder, certificate: "named") { port in
          let named = try await command(
            place, "check", port: port, trusted.merging(["serverName": "milvus.test"]) { $1 })
          #expect(named.succeeded, "\(named.output)")
          for name in ["elsewhere.test", ""] {
            let other = try await command(place, "check", port: port, trusted.merging(["serverName": name]) { $1 })
            #expect(other.status == 1 && other.output.contains("milvus.serverName"), "\(other.output)")
          }
        }
        try await withProxy(folder, wantsClients: true) { port in
          let made = try await command(place, "create -n tls_two -c tls_rows", port: port, mutual)
          #expect(made.succeeded, "\(made.output)")
          let bare = try await command(place, "check", port: port, trusted)
          #expect(bare.status == 1 && bare.output.contains("milvus.tlsMode"), "\(bare.output)")
        }
        // TLS where there is none.
        let own = try #require(Int(try Testbed.instance("A").milvus.address.split(separator: ":").last ?? ""))
        let plain = try await command(place, "check", port: own, trusted)
        #expect(plain.status == 1 && plain.output.contains("milvus.tlsMode"), "\(plain.output)")
        let list = try await shell("\"$BACKUPFS\" list --config '\(place.configs)/milvus_A.yaml'")
        #expect(list.output.contains("tls_one") && list.output.contains("tls_two"), "\(list.output)")
      }
      try await Oracle.remove("A", "backup/tls_")
    }
  }
}
