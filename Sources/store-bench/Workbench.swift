// What every workload needs: a store as the program opens it, a bound on memory, and work with a bounded width.

import ArgumentParser
import CurlHTTP
import Glibc
import ObjectStore
import S3Store

/// Options of all commands that speak to the store.
struct Workbench: ParsableArguments {
  @Option(help: "Requests under way at once.") var inFlight = 8
  @Option(help: "Bytes of one range or part.") var partSize = 8 << 20
  @Option(help: "Bytes of objects held at once.") var budget = 64 << 20

  func validate() throws {
    guard inFlight > 0, partSize > 0, budget >= partSize else {
      throw ValidationError("--in-flight and --part-size must be positive, and --budget at least one part")
    }
  }

  /// The store of the environment, with the decorators of the program.
  func store() throws -> any ObjectStore {
    let endpoint = try Self.variable("ENDPOINT")
    let parts = endpoint.split(separator: "/", omittingEmptySubsequences: true)
    let authority = (parts.last ?? "").split(separator: ":")
    guard parts.count == 2, let host = authority.first, authority.count == 1 || Int(authority[1]) != nil else {
      throw ValidationError("STORE_BENCH_ENDPOINT is not like http://host:port")
    }
    let configuration = S3Configuration(
      usesTLS: parts[0] == "https:", host: String(host), port: authority.count == 2 ? Int(authority[1]) : nil,
      bucket: try Self.variable("BUCKET"),
      credentials: S3Credentials(
        accessKeyID: try Self.variable("ACCESS_KEY"), secretAccessKey: try Self.variable("SECRET_KEY")))
    return RetryingStore(try S3Store(configuration, transport: try HTTPEngine()))
  }

  /// Runs `work` for each item, at most `inFlight` at once; the first error ends all.
  func forEach<Item: Sendable>(
    _ items: some Sequence<Item>, _ work: @escaping @Sendable (Item) async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      var begun = 0
      for item in items {
        if begun >= inFlight { try await group.next() }
        begun += 1
        group.addTask { try await work(item) }
      }
      try await group.waitForAll()
    }
  }

  /// The ranges of an object of so many bytes.
  func ranges(_ size: Int64) -> [Range<Int64>] {
    stride(from: 0, to: size, by: partSize).map { $0..<min($0 + Int64(partSize), size) }
  }

  private static func variable(_ name: String) throws -> String {
    guard let value = getenv("STORE_BENCH_\(name)").map({ String(cString: $0) }), !value.isEmpty else {
      throw ValidationError("STORE_BENCH_\(name) is not set")
    }
    return value
  }
}

/// Why a workload did not do all of its work.
struct Shortfall: Error, CustomStringConvertible {
  let description: String
}
