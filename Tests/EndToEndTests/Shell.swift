// Runs programs as a user's shell would.

import Foundation
import Testing

/// What a program left behind.
struct Outcome: Sendable {
  var status: Int32
  /// Standard output, then standard error.
  var output: String
  var seconds: Double
  var succeeded: Bool { status == 0 }
}

/// No secret of the testbed may be in anything that a program prints or a daemon logs.
enum Transcript {
  static let secrets = (try? Testbed.current.get().instances.values.map(\.store.secretAccessKey)) ?? []

  /// Fails the test whose programs wrote this, when it has a secret in it.
  static func check(_ text: String) {
    for secret in secrets where text.contains(secret) { Issue.record("a program wrote a secret key") }
  }
}

/// A program that is running.
final class Running: Sendable {
  private let process: Process
  private let output: URL
  private let begin = ContinuousClock.now

  init(_ script: String, environment: [String: String]) throws {
    output = FileManager.default.temporaryDirectory.appending(path: "e2e-\(UUID().uuidString)")
    _ = FileManager.default.createFile(atPath: output.path, contents: nil)
    let handle = try FileHandle(forWritingTo: output)
    process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", script]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = handle
    process.standardError = handle
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    try process.run()
    try handle.close()
  }

  var identifier: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }

  /// Waits until it has printed something, or has ended.
  func prints(_ text: String, limit: Double = 60) async throws {
    while process.isRunning, ContinuousClock.now < begin + .seconds(limit) {
      if String(decoding: try Data(contentsOf: output), as: UTF8.self).contains(text) { return }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  /// Waits for the end, at most `limit` seconds after the beginning; a program that takes longer is killed and fails.
  func wait(limit: Double = 180) async throws -> Outcome {
    let deadline = begin + .seconds(limit)
    while process.isRunning, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
    let isLate = process.isRunning
    if isLate { kill(process.processIdentifier, SIGKILL) }
    while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
    let seconds = (ContinuousClock.now - begin) / .seconds(1)
    let text = String(decoding: try Data(contentsOf: output), as: UTF8.self)
    try? FileManager.default.removeItem(at: output)
    Transcript.check(text)
    return Outcome(status: isLate ? 124 : process.terminationStatus, output: text, seconds: seconds)
  }
}

/// Runs a script in bash, with `$BACKUPFS` as the program under test.
func shell(_ script: String, environment: [String: String] = [:], limit: Double = 180) async throws -> Outcome {
  var environment = environment
  environment["BACKUPFS"] = try Testbed.program.get()
  environment["PYTHON"] = try Testbed.python.get()
  return try await Running(script, environment: environment).wait(limit: limit)
}

/// Runs a script that has to succeed, and answers what it printed.
@discardableResult
func run(_ script: String, environment: [String: String] = [:], limit: Double = 180) async throws -> String {
  let outcome = try await shell(script, environment: environment, limit: limit)
  guard outcome.succeeded else { throw Failed(description: "\(script)\nexited \(outcome.status): \(outcome.output)") }
  return outcome.output.trimmingCharacters(in: .newlines)
}

struct Failed: Error, CustomStringConvertible {
  var description: String
}
