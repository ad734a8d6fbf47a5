// The running servers that scripts/test provides, and where the program under test is.

import Foundation

/// The testbed of this run.
struct Testbed: Decodable, Sendable {
  struct Instance: Decodable, Sendable {
    struct Store: Decodable, Sendable {
      var endpoint: String
      var bucket: String
      var accessKeyID: String
      var secretAccessKey: String
    }
    struct Milvus: Decodable, Sendable {
      var address: String
    }
    var config: String
    var store: Store
    var milvus: Milvus
  }

  struct Missing: Error, CustomStringConvertible {
    var description: String
  }

  var instances: [String: Instance]

  /// Reads what scripts/test left in the environment; fails, rather than skips, without it.
  static let current = Result { () throws -> Testbed in
    let path = try environment("MILVUS_BACKUPFS_TESTBED")
    return try JSONDecoder().decode(Testbed.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// The program under test.
  static let program = Result { try environment("MILVUS_BACKUPFS_BINARY") }

  /// A Python that has boto3 and pymilvus.
  static let python = Result { try environment("MILVUS_BACKUPFS_PYTHON") }

  /// The project's folder.
  static let project = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  static func instance(_ name: String) throws -> Instance {
    guard let instance = try current.get().instances[name] else { throw Missing(description: "no instance \(name)") }
    return instance
  }

  private static func environment(_ name: String) throws -> String {
    guard let value = ProcessInfo.processInfo.environment[name] else {
      throw Missing(description: "\(name) is not set: run these tests with scripts/test")
    }
    return value
  }
}
