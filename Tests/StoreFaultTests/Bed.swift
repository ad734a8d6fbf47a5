// The real store twice: looked at directly, and through a proxy that fails.

import CurlHTTP
import FaultProxy
import Glibc
import ObjectStore
import S3Store

/// A store named by S3_TEST_ENDPOINT (such as `http://127.0.0.1:9000`), S3_TEST_ACCESS_KEY, S3_TEST_SECRET_KEY and
/// S3_TEST_BUCKET, and a proxy of one's own before it.
struct Bed: Sendable {
  static let isNamed = variable("S3_TEST_ENDPOINT") != nil
  private static let engine = Result { try HTTPEngine() }

  struct Incomplete: Error {}

  let proxy: FaultProxy
  /// Past the proxy, patient.
  let direct: RetryingStore<S3Store>
  /// Through the proxy.
  let faulty: RetryingStore<S3Store>
  /// Each bed has a prefix of its own.
  let prefix: String

  /// - Parameter stall: seconds without progress after which a request is given up.
  init(stall: Double, policy: RetryPolicy) throws {
    let configuration = try Self.configuration()
    guard let port = configuration.port else { throw Incomplete() }
    proxy = try FaultProxy(to: SocketAddress(host: configuration.host, port: port))
    let engine = try Self.engine.get()
    direct = RetryingStore(try S3Store(configuration, transport: engine))
    var proxied = configuration
    proxied.host = "127.0.0.1"
    proxied.port = proxy.port
    proxied.stallTimeout = stall
    proxied.longStallTimeout = stall
    faulty = RetryingStore(try S3Store(proxied, transport: engine), policy: policy)
    prefix = "faults-\(UInt64.random(in: 0 ... .max))/"
  }

  static func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  private static func configuration() throws -> S3Configuration {
    guard let endpoint = variable("S3_TEST_ENDPOINT"), let accessKey = variable("S3_TEST_ACCESS_KEY"),
      let secret = variable("S3_TEST_SECRET_KEY"), let bucket = variable("S3_TEST_BUCKET")
    else { throw Incomplete() }
    let parts = endpoint.split(separator: "/")
    guard parts.count == 2, parts[0] == "http:" else { throw Incomplete() }
    let address = parts[1].split(separator: ":")
    return S3Configuration(
      usesTLS: false, host: String(address[0]), port: address.count > 1 ? Int(address[1]) : 80, bucket: bucket,
      credentials: S3Credentials(accessKeyID: accessKey, secretAccessKey: secret), addressing: .path)
  }

  func key(_ name: String) -> ObjectKey { ObjectKey(prefix + name) }

  /// What an object holds, seen directly; nil when there is none.
  func bytes(_ key: ObjectKey) async throws -> [UInt8]? {
    do {
      return try await direct.get(key, range: nil, version: nil).bytes
    } catch let error as StoreError where error.code == .notFound {
      return nil
    }
  }

  /// Aborts what is left of uploads; how many there were.
  @discardableResult
  func sweepUploads() async throws -> Int {
    let left = try await direct.listAllUploads(ObjectKey(prefix))
    for pending in left { try await direct.abortUpload(pending.upload) }
    return left.count
  }

  /// Leaves nothing in the store.
  func cleanUp() async throws {
    proxy.stop()
    try await sweepUploads()
    try await direct.delete(try await direct.listAll(ObjectKey(prefix)).map(\.key))
  }
}

/// Bytes that depend on the seed only.
func pattern(_ count: Int, seed: UInt64) -> [UInt8] {
  var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
  var bytes = [UInt8](repeating: 0, count: count)
  bytes.withUnsafeMutableBytes { bytes in
    var offset = 0
    while offset + 8 <= count {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      bytes.storeBytes(of: state, toByteOffset: offset, as: UInt64.self)
      offset += 8
    }
    while offset < count {
      bytes[offset] = UInt8(truncatingIfNeeded: state >> UInt64(offset % 8 * 8))
      offset += 1
    }
  }
  return bytes
}
