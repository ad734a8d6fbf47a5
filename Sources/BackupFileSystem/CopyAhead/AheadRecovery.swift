// Removing what a daemon that died had moved ahead of a copier.
//
// Only what certainly is such a leftover is removed: it has the version that the journal names, or, where the crash came
// before that was known, the size, and was written while that daemon lived. If the copied directory has metadata by now,
// somebody has completed the backup, and the objects are part of it: then they stay.
//
// A request outlives its daemon: a store that has all of it may carry it out later. What was under way and is not there is
// looked for again a few times, before anybody can begin the copy anew and meet it (seen: about one in 50 daemons killed
// in mid-copy).

import BackupFormat
import Glibc
import ObjectStore
import SystemPackage

extension BackupFileSystem {
  /// How long after the last line of its journal a daemon's request may have reached the store, in seconds.
  private static let slack: Int64 = 120
  /// When to look again for what was under way, each after the one before.
  private static let looks: [Duration] = [.milliseconds(250), .milliseconds(500), .milliseconds(1250)]

  /// Deals with the journals of daemons that are gone; answers sentences for the log. Journals of stores that are not
  /// mounted here, or that do not answer, stay for another time.
  public func recoverCopies() async -> [String] {
    guard let directory = settings.journalDirectory else { return [] }
    var report: [String] = []
    for path in Self.journals(in: directory) {
      guard let file = try? FileDescriptor.open(path, .readOnly, options: [.closeOnExec]) else { continue }
      defer { try? file.close() }
      // Its writer holds the lock as long as it lives.
      guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else { continue }
      guard let text = Self.contents(file), let leftovers = AheadLeftovers(text) else {
        _ = path.withPlatformString { Glibc.unlink($0) }
        continue
      }
      var status = stat()
      guard fstat(file.rawValue, &status) == 0 else { continue }
      guard let store = stores.values.first(where: { $0.objects.location == leftovers.target }) else { continue }
      do {
        let removed = try await Self.remove(leftovers, from: store.objects, writtenUntil: Int64(status.st_mtim.tv_sec))
        _ = path.withPlatformString { Glibc.unlink($0) }
        if removed > 0 {
          report.append(
            "removed \(removed) objects below \(leftovers.prefix) in \(leftovers.target) that an earlier mount had moved "
              + "for a copy that was not finished")
        }
      } catch {
        report.append(
          "what an earlier mount left below \(leftovers.prefix) could not be removed, the next mount tries again: \(error)"
        )
      }
    }
    return report
  }

  private static func remove(
    _ leftovers: AheadLeftovers, from store: any ObjectStore, writtenUntil end: Int64
  ) async throws -> Int {
    guard !leftovers.objects.isEmpty else { return 0 }
    for file in [MetaFile.backup, .full] {
      if try await head(ObjectKey("\(leftovers.prefix)\(file.path)"), in: store) != nil { return 0 }
    }
    var keys: [ObjectKey] = []
    var unknown = leftovers.objects
    var looks = looks[...]
    while true {
      var absent: [AheadLeftovers.Object] = []
      for object in unknown {
        guard let present = try await head(object.key, in: store) else {
          absent.append(object)
          continue
        }
        let isOurs =
          object.etag.map { $0 == present.etag } ?? (present.size == object.size && present.modified <= end + slack)
        if isOurs { keys.append(object.key) }
      }
      // What had arrived is gone; what had not may be on its way, unless that was long ago.
      unknown = absent.filter { $0.etag == nil }
      guard !unknown.isEmpty, Timestamp.now.seconds <= end + slack, let delay = looks.popFirst() else { break }
      try await Task.sleep(for: delay)
    }
    if !keys.isEmpty { try await store.delete(keys) }
    return keys.count
  }

  private static func head(_ key: ObjectKey, in store: any ObjectStore) async throws -> ObjectInfo? {
    do {
      return try await store.head(key)
    } catch let error as StoreError where error.code == .notFound {
      return nil
    }
  }

  private static func journals(in directory: FilePath) -> [FilePath] {
    guard let handle = directory.withPlatformString({ opendir($0) }) else { return [] }
    defer { closedir(handle) }
    var found: [FilePath] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasPrefix(AheadJournal.prefix), name.hasSuffix(AheadJournal.suffix) {
        found.append(directory.appending(name))
      }
    }
    return found.sorted { $0.string < $1.string }
  }

  private static func contents(_ file: FileDescriptor) -> String? {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      guard let count = try? chunk.withUnsafeMutableBytes({ try file.read(into: $0) }) else { return nil }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += chunk[..<count]
    }
  }
}
