// Compares both ends of a copy byte by byte.

import BackupFormat
import ObjectStore

/// Reads every object of a backup at the source and at the target.
struct CopyVerifier: Sendable {
  private let source: DirectoryListing
  private let layout: BackupLayout
  private let target: EngineContext
  private let progress: JobProgress
  /// Bytes compared at once.
  private static let piece: Int64 = 4 << 20

  init(from source: DirectoryListing, to layout: BackupLayout, in target: EngineContext, progress: JobProgress) {
    self.source = source
    self.layout = layout
    self.target = target
    self.progress = progress
  }

  /// - Returns: the number of objects compared.
  /// - Throws: `EngineError` `.corrupted`, naming the objects that differ.
  func run() async throws -> Int {
    progress.note("comparing both ends")
    let there = try await DirectoryListing(layout, in: target.backups)
    let failures = try await mapConcurrently(source.objects.sorted { $0.key < $1.key }, limit: 8) { path, object in
      guard let copy = there.objects[path], copy.size == object.size else { return path as String? }
      return try await areEqual(object, copy) ? nil : path
    }
    let different = failures.compactMap { $0 }
    guard different.isEmpty else {
      throw EngineError(
        .corrupted,
        """
        \(different.count.counted("object")) of the copy are not what the source has: \(different.listed()), below \
        \(layout.directory) in \(target.backups.location). Remove them and copy again.
        """)
    }
    return source.objects.count
  }

  private func areEqual(_ one: ObjectInfo, _ other: ObjectInfo) async throws -> Bool {
    for begin in stride(from: 0, to: one.size, by: Int64.Stride(Self.piece)) {
      let range = begin..<min(begin + Self.piece, one.size)
      let isEqual = try await target.budget.withBytes(2 * range.count) {
        async let here = source.store.get(one.key, range: range, version: one.etag)
        async let there = target.backups.get(other.key, range: range, version: other.etag)
        return try await here.bytes == there.bytes
      }
      guard isEqual else { return false }
    }
    return true
  }
}
