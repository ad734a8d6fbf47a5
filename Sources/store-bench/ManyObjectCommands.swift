// Many small objects: stored from a folder, read into a folder, listed.

import ArgumentParser
import Glibc
import ObjectStore
import SystemPackage

/// `store-bench put-many`.
struct PutManyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "put-many", abstract: "Store a folder's files, or generated objects, below a prefix.")

  @OptionGroup var bench: Workbench
  @Argument(help: "The folder; its files become PREFIX/NAME.") var folder: String
  @Argument(help: "Prefix of the keys, without a slash at its end.") var prefix: String
  @Flag(help: "Only create (If-None-Match: *).") var exclusive = false
  @Option(help: "Store each file so many times, as PREFIX/00042/NAME.") var copies = 1

  func run() async throws {
    let store = try bench.store()
    let condition: WriteCondition = exclusive ? .absent : .none
    let names = try Self.names(in: folder)
    guard !names.isEmpty else { throw Shortfall(description: "there are no files in \(folder)") }
    let items = (0..<copies).lazy.flatMap { copy in names.lazy.map { (copy, $0) } }
    try await bench.forEach(items) { copy, name in
      let file = try FileDescriptor.open(FilePath(folder).appending(name), .readOnly)
      let body = try file.closeAfter { try file.bytes(in: 0..<file.size()) }
      let key = copies == 1 ? "\(prefix)/\(name)" : "\(prefix)/\(String(100_000 + copy).dropFirst())/\(name)"
      try await store.put(ObjectKey(key), body, condition: condition)
    }
  }

  private static func names(in folder: String) throws -> [String] {
    guard let directory = opendir(folder) else { throw Errno(rawValue: errno) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}

/// `store-bench get-many`.
struct GetManyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get-many", abstract: "Read all objects below a prefix into a folder that exists.")

  @OptionGroup var bench: Workbench
  @Argument(help: "Prefix of the keys, without a slash at its end.") var prefix: String
  @Argument(help: "The folder.") var folder: String

  func run() async throws {
    let store = try bench.store()
    let budget = ByteBudget(capacity: bench.budget)
    let start = ObjectKey(prefix + "/")
    let objects = try await store.listAll(start)
    try await bench.forEach(objects) { object in
      try await budget.acquire(Int(object.size))
      defer { budget.release(Int(object.size)) }
      let content = try await store.get(object.key, range: nil, version: object.etag)
      let path = FilePath(folder).appending(String(object.key.string.dropFirst(start.string.count)))
      let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite])
      try file.closeAfter { try file.writeFully(content.bytes) }
    }
  }
}

/// `store-bench list`.
struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Print every key below a prefix with its size.")

  @OptionGroup var bench: Workbench
  @Argument(help: "Prefix of the keys, without a slash at its end.") var prefix: String

  func run() async throws {
    let store = try bench.store()
    var text: [UInt8] = []
    try await store.listAll(ObjectKey(prefix + "/")) { page in
      text.removeAll(keepingCapacity: true)
      for object in page.objects {
        text.append(contentsOf: String(object.size).utf8)
        text.append(UInt8(ascii: " "))
        text.append(contentsOf: object.key.string.utf8)
        text.append(UInt8(ascii: "\n"))
      }
      try FileDescriptor.standardOutput.writeFully(text)
    }
  }
}
