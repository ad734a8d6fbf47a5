import FaultProxy
import Foundation
import ObjectStore
import Testing

extension StoreFaults {
  /// Many operations under random faults; then boto3 looks at what is there. STORE_FAULT_OPERATIONS (10,000) and
  /// STORE_FAULT_SEED (random) can be set in the environment.
  @Suite struct SoakTests {
    private static let workers = 24

    /// About one request in nine fails. Of the faults that cost a stall timeout there are few.
    private static func rules() -> [FaultRule] {
      func often(_ fault: Fault, _ probability: Double, method: String? = nil, operation: String? = nil) -> FaultRule {
        FaultRule(fault, on: FaultRule.Match(method: method, operation: operation, probability: probability))
      }
      var rules = [
        Fault.refuse(code: "InternalError"), .refuse(code: "SlowDown"), .refuse(code: "TooManyRequests"),
        .refuse(code: "InternalError", status: 200), .refuse(code: "RequestTimeTooSkewed"), .reset, .close,
        .resetDuringRequest(bytes: 700), .loseAnswer, .replaceAnswer(code: "InternalError"),
        .replaceAnswer(code: "InternalError", status: 200), .truncateAnswer(bytes: 50), .resetAnswer(bytes: 50),
      ].map { often($0, 0.008) }
      rules += [Fault.stall(), .stallAnswer(), .stallAnswer(bytes: 20, seconds: 0.3)].map { often($0, 0.0015) }
      rules.append(often(.refuse(code: "ExpiredToken", status: 403), 0.002))
      rules.append(often(.latency(seconds: 0.01, jitter: 0.05), 0.05))
      // Where a client can tell: bodies that carry a checksum or a length of their own.
      rules.append(often(.corruptRequest(byte: 100), 0.01, operation: "PutObject"))
      rules.append(often(.corruptRequest(byte: 100), 0.01, operation: "UploadPart"))
      rules.append(often(.misstateLength(by: 9), 0.002, method: "PUT"))
      rules.append(often(.misstateLength(by: -1), 0.01, operation: "ListObjectsV2"))
      return rules
    }

    @Test func nothingIsLostUnderRandomFaults() async throws {
      let operations = Bed.variable("STORE_FAULT_OPERATIONS").flatMap { Int($0) } ?? 10_000
      let seed = Bed.variable("STORE_FAULT_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1_000_000)
      print("soak: \(operations) operations, STORE_FAULT_SEED=\(seed)")
      let bed = try Bed(
        stall: 2, policy: RetryPolicy(maximumAttempts: 5, firstDelay: 0.02, longestDelay: 0.2, patience: 40))
      bed.proxy.setRules(Self.rules(), seed: seed)
      let begin = ContinuousClock.now
      let done = await withTaskGroup(of: (Int, SoakWorker).self) { group in
        for number in 0..<Self.workers {
          let share = operations / Self.workers + (number < operations % Self.workers ? 1 : 0)
          group.addTask {
            var worker = SoakWorker(bed, number: number, seed: seed)
            await worker.work(operations: share)
            return (number, worker)
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      let seconds = (ContinuousClock.now - begin) / .seconds(1)
      let counters = bed.proxy.counters
      var counts: [String: Int] = [:]
      for (_, worker) in done { counts.merge(worker.counts, uniquingKeysWith: +) }
      print("soak: \(seconds) s, \(counters.requests) requests, \(counters.faults) faults")
      for (outcome, count) in counts.sorted(by: { $0.key < $1.key }) { print("soak: \(count) × \(outcome)") }

      #expect(done.flatMap(\.1.mistakes).prefix(20).isEmpty, "seed \(seed)")
      #expect(counts.values.reduce(0, +) >= operations)
      #expect(counters.faults * 20 > counters.requests, "too few faults: \(counters.faults) of \(counters.requests)")

      // An upload whose beginning got lost has no id to abort it by; a service's own expiry has to remove it. There are
      // no others.
      let lost = bed.proxy.events.count { event in
        event.operation == "CreateMultipartUpload" && event.isApplicable && !event.fault.keepsStoreUntouched
      }
      let left = try await bed.sweepUploads()
      #expect(left <= lost + done.reduce(0) { $0 + $1.1.uploadsLeft }, "\(left) uploads left, seed \(seed)")

      let seen = try oracle("list", bed.prefix).map { $0.split(separator: "\t", maxSplits: 1) }
      let objects = Dictionary(uniqueKeysWithValues: seen.map { (String($0[1]), String($0[0])) })
      var checked = 0
      for (number, worker) in done {
        for (name, contents) in worker.model.possible {
          let found = objects["\(number)/\(name)"]
          let allowed = Set(contents.map { $0?.fingerprint })
          #expect(allowed.contains(found), "\(number)/\(name) is \(found ?? "absent"), seed \(seed)")
          checked += 1
        }
      }
      let known = Set(done.flatMap { number, worker in worker.model.possible.keys.map { "\(number)/\($0)" } })
      #expect(Set(objects.keys).subtracting(known).isEmpty, "objects that nobody wrote, seed \(seed)")
      #expect(checked > 100 && objects.count > 50)
      #expect(try oracle("uploads", bed.prefix) == ["0"])
      print("soak: boto3 saw \(objects.count) objects, \(checked) keys compared, \(left) uploads without an id swept")
      try await bed.cleanUp()
    }

    /// Runs the end-to-end tests' boto3 program; the lines that it prints.
    private func oracle(_ verb: String, _ prefix: String) throws -> [String] {
      let program = try #require(Bed.variable("MILVUS_BACKUPFS_PYTHON"), "see scripts/test")
      let testbed = try #require(Bed.variable("MILVUS_BACKUPFS_TESTBED"), "see scripts/test")
      let script = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../EndToEndTests/Oracle/objects.py")
      let process = Process()
      process.executableURL = URL(filePath: program)
      process.arguments = [script.path, testbed, "A", verb, prefix]
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
      process.waitUntilExit()
      try #require(process.terminationStatus == 0)
      return text.split(separator: "\n").map { String($0) }
    }
  }
}
