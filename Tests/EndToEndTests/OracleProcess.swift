// The process that looks at the stores from outside, kept for all tests of a run: loading boto3 takes longer than asking.

import Foundation

/// Oracle/objects.py, serving.
final class OracleProcess: Sendable {
  static let shared = Result { try OracleProcess() }

  private struct Answer: Decodable {
    var answer: String?
    var error: String?
  }

  /// One question after the other, off the threads that tests run on.
  private let queue = DispatchQueue(label: "oracle")
  private let process = Process()
  private let questions = Pipe()
  private let answers = Pipe()

  private init() throws {
    let testbed = ProcessInfo.processInfo.environment["MILVUS_BACKUPFS_TESTBED"] ?? ""
    process.executableURL = URL(fileURLWithPath: try Testbed.python.get())
    process.arguments = ["\(Testbed.project)/Tests/EndToEndTests/Oracle/objects.py", testbed, "serve"]
    process.standardInput = questions
    process.standardOutput = answers
    try process.run()
  }

  /// Asks and waits for the answer.
  func ask(_ words: [String]) async throws -> String {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try self.answer(to: words) }) }
    }
  }

  private func answer(to words: [String]) throws -> String {
    try questions.fileHandleForWriting.write(contentsOf: try JSONEncoder().encode(words) + Data("\n".utf8))
    var line = Data()
    while line.last != UInt8(ascii: "\n") {
      let more = answers.fileHandleForReading.availableData
      guard !more.isEmpty else { throw Failed(description: "the oracle has ended; asked for \(words)") }
      line += more
    }
    let answer = try JSONDecoder().decode(Answer.self, from: line)
    guard let text = answer.answer else { throw Failed(description: "\(words): \(answer.error ?? "")") }
    return text
  }
}
