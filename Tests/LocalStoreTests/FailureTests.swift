import Glibc
import LocalStore
import ObjectStore
import Testing

/// Disks that are full or read-only, on file systems made for the purpose; that needs root.
@Suite(.enabled(if: geteuid() == 0, "mounts file systems"), .timeLimit(.minutes(2))) struct FailureTests {
  /// A small file system in memory.
  private final class SmallDisk: Sendable {
    let directory: TemporaryDirectory
    init(_ size: String) throws {
      directory = try TemporaryDirectory()
      try shell("mount -t tmpfs -o size=\(size) tmpfs '\(directory.path)'")
    }
    deinit { _ = try? shell("umount '\(directory.path)'") }
  }

  @Test func aFullDiskIsToldAndLeavesNothing() async throws {
    let disk = try SmallDisk("1m")
    let store = disk.directory.store
    let kept = try await store.put("dir/kept", [UInt8](repeating: 1, count: 300_000), condition: .none)
    let large = [UInt8](repeating: 2, count: 2 << 20)
    let upload = try await store.beginUpload("other/upload")
    let part = try await store.uploadPart(upload, number: 1, [UInt8](repeating: 3, count: 400_000))
    let calls: [() async throws -> Void] = [
      { try await store.put("new/dir/object", large, condition: .none) },
      { try await store.put("dir/kept", large, condition: .none) },
      { _ = try await store.uploadPart(upload, number: 2, large) },
      { try await store.completeUpload(upload, parts: [part], condition: .none) },
      { try await store.put("dir/again", large, condition: .absent) },
    ]
    for call in calls {
      let error = await storeError(call)
      #expect(error?.code == .noSpace)
      #expect(error?.remedy.contains("minio.backupRootPath") == true)
      #expect(error?.isTransient == false)
    }
    try await store.abortUpload(upload)
    #expect(try disk.directory.everything() == ["dir/keptf", "dird"])
    #expect(try await store.head("dir/kept").etag == kept.etag)
    try await store.put("after", [1], condition: .none)
  }

  @Test func aReadOnlyDiskIsReadAndNotWritten() async throws {
    let disk = try SmallDisk("1m")
    let store = disk.directory.store
    try await store.put("k", [1, 2], condition: .none)
    try shell("mount -o remount,ro '\(disk.directory.path)'")
    #expect(try await store.get("k", range: nil, version: nil).bytes == [1, 2])
    #expect(try await store.listAll("").map(\.key) == ["k"])
    let calls: [() async throws -> Void] = [
      { try await store.put("k", [3], condition: .none) }, { try await store.put("new/k", [3], condition: .none) },
      { try await store.delete("k") }, { try await store.delete(["k"]) }, { _ = try await store.beginUpload("u") },
    ]
    for call in calls {
      let error = await storeError(call)
      #expect(error?.code == .accessDenied)
      #expect(error?.remedy.contains("mount it writable") == true)
    }
  }

  @Test func copiesReachFromOneFileSystemIntoAnother() async throws {
    let (disk, other) = (try SmallDisk("32m"), try TemporaryDirectory())
    let body = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
    let source = try await other.store.put("s", body, condition: .none)
    let copied = try await disk.directory.store.copy(
      from: "s", inBucket: other.path, version: source.etag, to: "deep/t")
    #expect(try await disk.directory.store.get("deep/t", range: nil, version: copied.etag).bytes == body)
  }
}
