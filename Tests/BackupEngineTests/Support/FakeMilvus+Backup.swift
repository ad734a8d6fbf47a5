// The calls that only a backup makes, as Milvus 2.6.11 answers them.

import Synchronization

@testable import BackupEngine
@testable import MilvusClient

extension FakeMilvus {
  func flushAll() async throws(MilvusError) -> FlushAllResult {
    try call("FlushAll")
    guard features.flushAll else { throw error(.unsupported, "FlushAll", "unknown method FlushAll") }
    state.withLock { state in
      for database in state.collections.keys {
        for name in (state.collections[database] ?? [:]).keys {
          let count = state.collections[database]?[name]?.segments.count ?? 0
          for index in 0..<count where state.collections[database]?[name]?.segments[index].state == .growing {
            state.collections[database]?[name]?.segments[index].state = .flushed
          }
        }
      }
    }
    return FlushAllResult(
      timestamps: ["dml_0": 450], messages: ["dml_0": [8, 1]], controlChannel: "dml_0_vcchan",
      physicalChannels: ["dml_0"])
  }

  func isFlushed(_ flush: FlushAllResult) async throws(MilvusError) -> Bool {
    try call("GetFlushAllState")
    guard flush.timestamps == ["dml_0": 450] else {
      throw error(.invalidArgument, "GetFlushAllState", "these are not the times of a flush")
    }
    return !faults.withLock { $0.flushesHang }
  }

  /// Gives it a user with a role, and a group of privileges.
  func setUpAccessControl() {
    let accessControl = MilvusAccessControl(
      users: [.init(name: "u", passwordHash: "$2a$hash", roles: ["r"])], roles: ["r"],
      grants: [
        .init(
          role: "r", object: "Collection", objectName: "*", grantor: "root", privilege: "Query", database: "default")
      ],
      groups: [.init(name: "g", privileges: ["Insert"])])
    state.withLock { $0.accessControl = accessControl }
  }
}
