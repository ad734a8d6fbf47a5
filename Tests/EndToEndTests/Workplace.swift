// A folder of configurations and a mount of them, taken away again after each test.

import Foundation

/// Configurations, a mount point and the log of one test.
struct Workplace: Sendable {
  let folder: String
  var mount: String { "\(folder)/mnt" }
  var configs: String { "\(folder)/configs" }
  var state: String { "\(folder)/state" }
  var log: String { "\(folder)/daemon.log" }

  /// Runs `body` in a new workplace whose configurations are those of the testbed.
  /// - Parameters:
  ///   - mounted: mounts them first.
  ///   - edits: changes to a store's configuration: text to find, text to put there.
  static func with(
    mounted: Bool = true, options: String = "", edits: [String: [(String, String)]] = [:],
    _ body: (Workplace) async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "e2e-\(UUID().uuidString)").path
    let place = Workplace(folder: folder)
    for path in [place.mount, place.configs, place.state] {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    for (name, instance) in try Testbed.current.get().instances {
      var text = try String(contentsOfFile: instance.config, encoding: .utf8)
      for (old, new) in edits[name] ?? [] {
        guard text.contains(old) else { throw Failed(description: "\(instance.config) has no \(old)") }
        text = text.replacingOccurrences(of: old, with: new)
      }
      try text.write(toFile: "\(place.configs)/milvus_\(name).yaml", atomically: true, encoding: .utf8)
    }
    let result: Result<Void, any Error>
    do {
      if mounted { try await place.remount(options) }
      try await body(place)
      result = .success(())
    } catch {
      result = .failure(error)
    }
    try await place.clear()
    try result.get()
  }

  /// Mounts; the command returns when the mount answers.
  func remount(_ options: String = "") async throws {
    try await run(
      "\"$BACKUPFS\" mount \(options) '\(configs)' '\(mount)' --log '\(log)'", environment: ["XDG_STATE_HOME": state])
  }

  /// Kills the daemon as the kernel would when memory is short.
  func killDaemon() async throws {
    _ = try await shell("pkill -KILL -f -- '\(mount) [-]-foreground'")
  }

  private func clear() async throws {
    // A test may have killed the daemon or left a process in the mount: the mount goes in any case.
    _ = try await shell(
      """
      findmnt -rn -o TARGET | grep '^\(folder)/' | while read -r point; do
        "$BACKUPFS" umount "$point" || fusermount3 -u -z "$point"
      done
      """)
    if let text = try? String(contentsOfFile: log, encoding: .utf8) { Transcript.check(text) }
    try? FileManager.default.removeItem(atPath: folder)
  }
}

/// The store's objects as boto3 sees them, from outside.
enum Oracle {
  /// Keys below a prefix with size and SHA-256.
  static func objects(_ instance: String, _ prefix: String) async throws -> [String: String] {
    let text = try await ask(instance, "list", prefix)
    var objects: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: "\t", maxSplits: 1)
      objects[String(fields[1])] = String(fields[0])
    }
    return objects
  }

  /// Number of multipart uploads that are neither completed nor aborted below a prefix.
  static func uploads(_ instance: String, _ prefix: String) async throws -> Int {
    Int(try await ask(instance, "uploads", prefix)) ?? -1
  }

  /// Removes everything below a prefix.
  static func remove(_ instance: String, _ prefix: String) async throws {
    try await ask(instance, "remove", prefix)
  }

  /// Puts objects of given size: `count` files named as a backup names binlogs.
  static func put(_ instance: String, _ prefix: String, count: Int, size: Int) async throws {
    try await ask(instance, "put", prefix, "\(count)", "\(size)")
  }

  /// Asks the one process that looks at the stores through boto3; see Oracle/objects.py.
  @discardableResult
  static func ask(_ words: String...) async throws -> String { try await OracleProcess.shared.get().ask(words) }

  /// Runs a script of this folder.
  @discardableResult
  static func python(_ script: String, _ arguments: String...) async throws -> String {
    let words = arguments.map { "'\($0)'" }.joined(separator: " ")
    let testbed = ProcessInfo.processInfo.environment["MILVUS_BACKUPFS_TESTBED"] ?? ""
    return try await run(
      "\"$PYTHON\" '\(Testbed.project)/Tests/EndToEndTests/Oracle/\(script)' '\(testbed)' \(words)", limit: 300)
  }
}
