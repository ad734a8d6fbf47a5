import Foundation
import Testing

extension EndToEnd.Files {
  /// `check`: what it tries, how it words what is wrong, and what it removes.
  @Suite(.serialized) struct Checks {
    private func check(
      _ place: Workplace, _ options: String = "", environment: [String: String] = [:]
    ) async throws -> Outcome {
      try await shell(
        "\"$BACKUPFS\" check --config '\(place.configs)/milvus_A.yaml' \(options)", environment: environment)
    }

    private func probes() async throws -> [String] {
      var keys: [String] = []
      for prefix in ["backup/.milvus", "files/.milvus"] { keys += try await Oracle.objects("A", prefix).keys }
      return keys
    }

    @Test func everythingIsTriedAndNothingLeft() async throws {
      try await Workplace.with(mounted: false) { place in
        let outcome = try await check(place)
        #expect(outcome.succeeded, "\(outcome.output)")
        for words in ["upload in parts", "copy backup → Milvus", "copy Milvus → backup", "Milvus v2.3.5", "delete"] {
          #expect(outcome.output.contains(words), "\(outcome.output)")
        }
        #expect(!outcome.output.contains("failed"))
        #expect(try await probes().isEmpty)
        #expect(try await Oracle.uploads("A", "backup/.milvus") == 0)
      }
    }

    @Test func aDirectoryTreeIsTriedAsABucketIs() async throws {
      let edits = { (folder: String) in
        [
          ("storageType: minio", "storageType: local"), ("rootPath: files", "rootPath: \(folder)/files"),
          ("backupRootPath: backup", "backupRootPath: \(folder)/backups"),
        ]
      }
      let folder = FileManager.default.temporaryDirectory.appending(path: "e2e-check-\(UUID().uuidString)").path
      for name in ["files", "backups"] {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
      }
      defer { try? FileManager.default.removeItem(atPath: folder) }
      try await Workplace.with(mounted: false, edits: ["A": edits(folder)]) { place in
        let outcome = try await check(place)
        #expect(outcome.succeeded, "\(outcome.output)")
        #expect(outcome.output.contains("copy Milvus → backup") && !outcome.output.contains("failed"))
        #expect(try await run("find '\(folder)' -type f") == "")
      }
    }

    @Test func programsCanReadIt() async throws {
      try await Workplace.with(
        mounted: false, edits: ["A": [("backupBucketName: bucket-a", "backupBucketName: none-a")]]
      ) { place in
        let text = try await shell(
          "\"$BACKUPFS\" check --json --config '\(place.configs)/milvus_A.yaml' | jq -r "
            + "'.store, .ok, (.checks[] | select(.result == \"failed\") | .side, .what)'")
        #expect(text.output == "milvus_A\nfalse\nbackups\nlist\n", "\(text.output)")
      }
    }

    struct Mistake: Sendable, CustomTestStringConvertible {
      var name: String
      var edits: [(String, String)]
      /// Words of the sentences, each with the number of failures that name it at least.
      var words: [String]
      var environment: [String: String] = [:]
      var testDescription: String { name }
    }

    static let mistakes = [
      Mistake(
        name: "unknown access key", edits: [("accessKeyID: testbed-a", "accessKeyID: nobody")],
        words: ["does not know this access key", "Check minio.accessKeyID"]),
      Mistake(
        name: "wrong secret", edits: [("secretAccessKey: testbed-secret-a", "secretAccessKey: wrong")],
        words: ["Check minio.secretAccessKey"]),
      Mistake(
        name: "no keys",
        edits: [
          ("accessKeyID: testbed-a", "accessKeyID: \"\""),
          ("secretAccessKey: testbed-secret-a", "secretAccessKey: \"\""),
        ], words: ["Set minio.accessKeyID and minio.secretAccessKey"]),
      Mistake(
        name: "wrong secret of the environment",
        edits: [
          ("accessKeyID: testbed-a", "accessKeyID: \"\""),
          ("secretAccessKey: testbed-secret-a", "secretAccessKey: \"\""),
        ], words: ["Check AWS_SECRET_ACCESS_KEY in the environment"],
        environment: ["AWS_ACCESS_KEY_ID": "testbed-a", "AWS_SECRET_ACCESS_KEY": "wrong"]),
      Mistake(
        name: "no such bucket", edits: [("  bucketName: bucket-a", "  bucketName: none-a")],
        words: ["there is no such bucket", "Check minio.bucketName"]),
      Mistake(
        name: "no such backup bucket", edits: [("backupBucketName: bucket-a", "backupBucketName: none-a")],
        words: ["there is no such bucket", "Check minio.backupBucketName"]),
      Mistake(
        name: "port closed", edits: [("port: 25010", "port: 1")],
        words: ["Check minio.address and minio.port"]),
      Mistake(
        name: "host unknown",
        edits: [("  storageType: minio", "  storageType: minio\n  backupAddress: no.such.invalid")],
        words: ["Check minio.backupAddress"]),
      Mistake(
        name: "TLS where there is none", edits: [("useSSL: false", "useSSL: true")],
        words: ["Set minio.useSSL to false"]),
      Mistake(
        name: "port of Milvus", edits: [("port: 25010", "port: 25000")], words: ["minio.address", "minio.port"]),
      Mistake(
        name: "another web server", edits: [("port: 25010", "port: 25016")],
        words: ["not an S3 service", "minio.address", "minio.port"]),
      Mistake(
        name: "overridden by the environment", edits: [],
        words: ["minio.port (from the environment variable MINIO_PORT)"], environment: ["MINIO_PORT": "1"]),
      Mistake(
        name: "Milvus away", edits: [("port: 25000", "port: 1")], words: ["127.0.0.1:1", "milvus.port"]),
    ]

    /// The ports of this run's testbed in place of those above.
    private func ported(_ text: String) throws -> String {
      let base = try #require(Int(try Testbed.instance("A").milvus.address.split(separator: ":").last ?? ""))
      return ["25000": base, "25010": base + 10, "25016": base + 16].reduce(text) {
        $0.replacingOccurrences(of: $1.key, with: "\($1.value)")
      }
    }

    @Test(arguments: mistakes) func mistakeIsNamedWithItsSetting(mistake: Mistake) async throws {
      let edits = try mistake.edits.map { (try ported($0.0), try ported($0.1)) }
      try await Workplace.with(mounted: false, edits: ["A": edits]) { place in
        let outcome = try await check(place, environment: mistake.environment)
        #expect(outcome.status == 1, "\(outcome.output)")
        for words in mistake.words { #expect(outcome.output.contains(words), "\(words)\n\(outcome.output)") }
        #expect(!outcome.output.contains("testbed-secret"))
        #expect(try await probes().isEmpty)
      }
    }

    @Test func missingKeyAndHalfAPairAreRefused() async throws {
      for (edit, words) in [
        (("accessKeyID: testbed-a", "accessKeyID: \"\""), "minio.accessKeyID is empty"),
        (("secretAccessKey: testbed-secret-a", "secretAccessKey: \"\""), "minio.secretAccessKey is empty"),
        (("useIAM: false", "useIAM: true"), "minio.accessKeyID and minio.secretAccessKey"),
      ] {
        try await Workplace.with(mounted: false, edits: ["A": [edit]]) { place in
          let outcome = try await check(place)
          #expect(outcome.status == 1 && outcome.output.contains(words), "\(outcome.output)")
        }
      }
    }

    @Test func keysOfTheEnvironmentAreUsedWhenTheFileHasNone() async throws {
      let edits = [
        ("accessKeyID: testbed-a", "accessKeyID: \"\""), ("secretAccessKey: testbed-secret-a", "secretAccessKey: \"\""),
      ]
      try await Workplace.with(mounted: false, edits: ["A": edits]) { place in
        let environment = ["AWS_ACCESS_KEY_ID": "testbed-a", "AWS_SECRET_ACCESS_KEY": "testbed-secret-a"]
        let outcome = try await check(place, environment: environment)
        #expect(outcome.succeeded, "\(outcome.output)")
      }
    }

    @Test func certificateThatIsNotTrustedIsNamedAndTheEnvironmentsAuthorityTrusted() async throws {
      try await Workplace.with(mounted: false, edits: ["A": [("useSSL: false", "useSSL: true")]]) { place in
        let script = """
          set -e
          cd '\(place.folder)'
          openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem -days 2 \
            -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2> /dev/null
          "$PYTHON" - '\(try Testbed.instance("A").store.endpoint)' > port <<'PY' &
          import http.client, http.server, ssl, sys, urllib.parse
          store = urllib.parse.urlsplit(sys.argv[1]).netloc
          class Forward(http.server.BaseHTTPRequestHandler):
              protocol_version = 'HTTP/1.1'
              def answer(self):
                  body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
                  connection = http.client.HTTPConnection(store)
                  connection.request(self.command, self.path, body, dict(self.headers))
                  answer = connection.getresponse()
                  data = answer.read()
                  self.send_response(answer.status)
                  for name, value in answer.getheaders():
                      if name.lower() not in ('transfer-encoding', 'content-length', 'connection', 'date', 'server'):
                          self.send_header(name, value)
                  size = answer.getheader('Content-Length') if self.command == 'HEAD' else len(data)
                  self.send_header('Content-Length', str(size or 0))
                  self.end_headers()
                  self.wfile.write(data)
              do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer
              def log_message(self, *words): pass
          server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Forward)
          context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
          context.load_cert_chain('cert.pem', 'key.pem')
          server.socket = context.wrap_socket(server.socket, server_side=True)
          print(server.server_port, flush=True)
          server.serve_forever()
          PY
          proxy=$!
          # The runner's children may ignore SIGTERM, and the runner waits for all of them.
          trap 'kill -9 $proxy' EXIT
          while [ ! -s port ]; do sleep 0.1; done
          config="--config \(place.configs)/milvus_A.yaml --set minio.port=$(cat port)"
          echo "== untrusted"; "$BACKUPFS" check $config || true
          echo "== clear"; "$BACKUPFS" check $config --set minio.useSSL=false || true
          echo "== trusted"; AWS_CA_BUNDLE="$PWD/cert.pem" "$BACKUPFS" check $config
          """
        let outcome = try await shell(script)
        #expect(outcome.succeeded, "\(outcome.output)")
        let sections = outcome.output.components(separatedBy: "== ").dropFirst()
        let untrusted = sections.first { $0.hasPrefix("untrusted") } ?? ""
        #expect(untrusted.contains("AWS_CA_BUNDLE or SSL_CERT_FILE"), "\(untrusted)")
        let clear = sections.first { $0.hasPrefix("clear") } ?? ""
        #expect(clear.contains("minio.useSSL"), "\(clear)")
        let trusted = sections.first { $0.hasPrefix("trusted") } ?? ""
        #expect(!trusted.contains("failed"), "\(trusted)")
      }
    }

    @Test func whatAKilledProcessLeavesIsSwept() async throws {
      let store = try Testbed.instance("A").store
      try await Oracle.remove("A", "backup/swept/")
      try await Workplace.with(mounted: false) { place in
        let state = ["XDG_STATE_HOME": "\(place.folder)/state"]
        let script = """
          mkdir -p '\(place.folder)/mnt'
          "$BACKUPFS" mount -f '\(place.configs)' '\(place.mount)' 2> '\(place.folder)/log' & daemon=$!
          for i in $(seq 300); do mountpoint -q '\(place.mount)' && break; sleep 0.1; done
          mkdir -p '\(place.mount)/milvus_A/swept'
          # A writer that is never done; one process, so that nothing of it is left.
          "$PYTHON" -c "import time; f = open('\(place.mount)/milvus_A/swept/big', 'wb', 0)
          for _ in range(100): f.write(bytes(1000000))
          time.sleep(600)" & writer=$!
          for i in $(seq 300); do
            grep -q uploadID '\(place.folder)'/state/milvus-backupfs/uploads/*.json 2> /dev/null && break; sleep 0.1
          done
          sleep 1
          kill -9 $daemon; wait $daemon
          kill -9 $writer; wait $writer
          fusermount3 -u -z '\(place.mount)'
          true
          """
        try await run(script, environment: state)
        #expect(try await Oracle.uploads("A", "backup/swept/") == 1)
        // Somebody else's upload of the same object is not ours.
        let foreign = try await run(
          """
          "$PYTHON" - <<'PY'
          import boto3
          client = boto3.client('s3', endpoint_url='\(store.endpoint)', region_name='us-east-1',
              aws_access_key_id='\(store.accessKeyID)', aws_secret_access_key='\(store.secretAccessKey)')
          print(client.create_multipart_upload(Bucket='\(store.bucket)', Key='backup/swept/big')['UploadId'])
          PY
          """)
        let young = try await check(place, "--sweep", environment: state)
        #expect(young.output.contains("less than 60 min ago"), "\(young.output)")
        #expect(try await Oracle.uploads("A", "backup/swept/") == 2)
        let swept = try await check(place, "--sweep --older-than 0s", environment: state)
        #expect(swept.succeeded && swept.output.contains("removed"), "\(swept.output)")
        #expect(!swept.output.contains(foreign))
        #expect(try await Oracle.uploads("A", "backup/swept/") == 1)
        let again = try await check(place, "--sweep --older-than 0s", environment: state)
        #expect(again.output.contains("the journal has none"), "\(again.output)")
        try await Oracle.remove("A", "backup/swept/")
        try await run(
          """
          "$PYTHON" - <<'PY'
          import boto3
          client = boto3.client('s3', endpoint_url='\(store.endpoint)', region_name='us-east-1',
              aws_access_key_id='\(store.accessKeyID)', aws_secret_access_key='\(store.secretAccessKey)')
          client.abort_multipart_upload(Bucket='\(store.bucket)', Key='backup/swept/big', UploadId='\(foreign)')
          PY
          """)
      }
    }
  }
}
