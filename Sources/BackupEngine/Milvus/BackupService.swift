// The calls that only a backup makes. Contract: as documented at MilvusClient, whose methods these are.

import MilvusClient

/// A Milvus server as a backup sees it, beside what a restore needs too.
protocol BackupService: Sendable {
  func flushAll() async throws(MilvusError) -> FlushAllResult
  func isFlushed(_ flush: FlushAllResult) async throws(MilvusError) -> Bool
  func accessControl() async throws(MilvusError) -> MilvusAccessControl
}
