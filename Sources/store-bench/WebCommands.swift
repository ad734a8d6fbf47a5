// The HTTP engine alone, against a plain web server: what the client itself can do when no store slows it down.

import ArgumentParser
import CurlHTTP
import Glibc

/// `store-bench web-get`.
struct WebGetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "web-get", abstract: "Read a large file in ranges, throw it away, print the rates.")

  @Argument(help: "URL of the file.") var url: String
  @Argument(help: "Bytes of the file.") var size: Int
  @Option(help: "Ranges under way at once.") var inFlight = 2
  @Option(help: "Bytes of one range.") var partSize = 8 << 20
  @Option(help: "Bytes of one recv.") var receiveBuffer = HTTPEngine.Options().receiveBufferSize

  func run() async throws {
    let engine = try HTTPEngine(options: HTTPEngine.Options(receiveBufferSize: receiveBuffer))
    let watch = Stopwatch()
    let width = inFlight
    try await withThrowingTaskGroup(of: Int.self) { group in
      var received = 0
      for (index, start) in stride(from: 0, to: size, by: partSize).enumerated() {
        if index >= width { received += try await group.next() ?? 0 }
        let end = min(start + partSize, size)
        let request = HTTPRequest(
          .get, url: url, headers: [HTTPHeader("Range", "bytes=\(start)-\(end - 1)")], expectedBodySize: end - start,
          maximumBodySize: end - start)
        group.addTask { try await engine.send(request).body.count }
      }
      for try await count in group { received += count }
      guard received == size else { throw Shortfall(description: "\(received) of \(size) bytes came") }
    }
    watch.report(unit: "GB", amount: Double(size) / 1e9)
  }
}

/// `store-bench web-small`.
struct WebSmallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "web-small", abstract: "Read a small file again and again, print the rates.")

  @Argument(help: "URL of the file.") var url: String
  @Argument(help: "Bytes of the file.") var size: Int
  @Option(help: "Requests in all.") var requests = 200_000
  @Option(help: "Requests under way at once.") var inFlight = 32

  @Flag(help: "Ask from as many tasks, as the store layers do, instead of from the engine's own thread.") var tasks =
    false

  func run() async throws {
    let engine = try HTTPEngine()
    let watch = Stopwatch()
    let request = HTTPRequest(.get, url: url, expectedBodySize: size, maximumBodySize: size)
    let share = max(1, requests / inFlight)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<inFlight {
        if tasks {
          group.addTask { for _ in 0..<share { try Self.check(await engine.send(request), size) } }
        } else {
          let chain = Chain(engine: engine, request: request, size: size, count: share)
          group.addTask { try await withUnsafeThrowingContinuation { chain.run($0) } }
        }
      }
      try await group.waitForAll()
    }
    watch.report(unit: "requests", amount: Double(share * inFlight))
  }

  static func check(_ response: HTTPResponse, _ size: Int) throws {
    guard response.status == 200, response.body.count == size else {
      throw Shortfall(description: "HTTP status \(response.status) with \(response.body.count) bytes")
    }
  }

  /// Requests that follow each other, each sent from the completion of the one before.
  private struct Chain: Sendable {
    let engine: HTTPEngine
    let request: HTTPRequest
    let size: Int
    var count: Int

    func run(_ end: UnsafeContinuation<Void, any Error>) {
      guard count > 0 else { return end.resume() }
      var rest = self
      rest.count -= 1
      engine.submit(request) { [rest] result in
        do {
          try WebSmallCommand.check(try result.get(), rest.size)
          rest.run(end)
        } catch {
          end.resume(throwing: error)
        }
      }
    }
  }
}

/// Wall and CPU time of this process since it was made.
struct Stopwatch {
  private let begin = ContinuousClock.now
  private let usedBefore = Self.cpuSeconds

  /// Prints one line of JSON: seconds, CPU seconds, and the rate by either.
  func report(unit: String, amount: Double) {
    let seconds = (ContinuousClock.now - begin) / .seconds(1)
    let used = Self.cpuSeconds - usedBefore
    print(
      "{\"unit\": \"\(unit)\", \"amount\": \(amount), \"seconds\": \(seconds), \"cpuSeconds\": \(used), "
        + "\"perSecond\": \(amount / seconds), \"perCPUSecond\": \(amount / used)}")
  }

  private static var cpuSeconds: Double {
    var usage = rusage()
    getrusage(RUSAGE_SELF.rawValue, &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }
}
