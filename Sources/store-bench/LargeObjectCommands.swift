// One large object, in ranges and parts.

import ArgumentParser
import ObjectStore
import SystemPackage

/// `store-bench get`.
struct GetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Read an object to standard output in order, or to a file at any place.")

  @OptionGroup var bench: Workbench
  @Argument(help: "Key of the object.") var key: String
  @Option(help: "File to write, instead of standard output.") var output: String?

  func run() async throws {
    let store = try bench.store()
    let object = try await store.head(ObjectKey(key))
    if let output { try await readAnywhere(object, store, to: output) } else { try await readInOrder(object, store) }
  }

  /// Consecutive ranges, the next ones being fetched while one is written.
  private func readInOrder(_ object: ObjectInfo, _ store: any ObjectStore) async throws {
    let budget = ByteBudget(capacity: bench.budget)
    var waiting = bench.ranges(object.size)[...]
    var ahead: [Task<[UInt8], any Error>] = []
    while true {
      while ahead.count < bench.inFlight, let range = waiting.popFirst() {
        try await budget.acquire(range.count)
        ahead.append(Task { try await Self.fetch(range, of: object, store) })
      }
      guard !ahead.isEmpty else { return }
      let bytes = try await ahead.removeFirst().value
      try FileDescriptor.standardOutput.writeFully(bytes)
      budget.release(bytes.count)
    }
  }

  private func readAnywhere(_ object: ObjectInfo, _ store: any ObjectStore, to path: String) async throws {
    let budget = ByteBudget(capacity: bench.budget)
    let file = try FileDescriptor.open(
      FilePath(path), .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite])
    try await bench.forEach(bench.ranges(object.size)) { range in
      try await budget.acquire(range.count)
      defer { budget.release(range.count) }
      try file.writeFully(try await Self.fetch(range, of: object, store), at: range.lowerBound)
    }
    try file.close()
  }

  private static func fetch(
    _ range: Range<Int64>, of object: ObjectInfo, _ store: any ObjectStore
  ) async throws -> [UInt8] {
    let bytes = try await store.get(object.key, range: range, version: object.etag).bytes
    guard bytes.count == range.count else { throw Shortfall(description: "\(bytes.count) bytes for \(range)") }
    return bytes
  }
}

/// `store-bench put`.
struct PutCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "put", abstract: "Store a file as one object, in parts of a multipart upload.")

  @OptionGroup var bench: Workbench
  @Argument(help: "The file.") var file: String
  @Argument(help: "Key of the object.") var key: String

  func run() async throws {
    let store = try bench.store()
    let budget = ByteBudget(capacity: bench.budget)
    let file = try FileDescriptor.open(FilePath(file), .readOnly)
    let size = try file.size()
    let upload = try await store.beginUpload(ObjectKey(key))
    let ranges = bench.ranges(size)
    let parts = try await withThrowingTaskGroup(of: UploadedPart.self) { group in
      var parts: [UploadedPart] = []
      for (index, range) in ranges.enumerated() {
        if index >= bench.inFlight, let part = try await group.next() { parts.append(part) }
        try await budget.acquire(range.count)
        group.addTask {
          defer { budget.release(range.count) }
          return try await store.uploadPart(upload, number: index + 1, file.bytes(in: range))
        }
      }
      for try await part in group { parts.append(part) }
      return parts
    }
    let object = try await store.completeUpload(upload, parts: parts, condition: .none)
    guard object.size == size else { throw Shortfall(description: "\(object.size) of \(size) bytes were stored") }
    try file.close()
  }
}
