// Reading, writing, copying and removing whole objects.

import Glibc
import ObjectStore

extension LocalStore {
  /// Bytes read between two looks at whether the caller still wants them.
  private static let piece = 4 << 20
  /// How often a write begins anew because the directory it writes to was removed as empty by a delete.
  private static let attempts = 100

  public func head(_ key: ObjectKey) async throws -> ObjectInfo {
    let path = try readable(key, "HeadObject")
    return try await perform("HeadObject", key) { root, _ in
      try openObject(path, key, "HeadObject", in: root).status().info(key)
    }
  }

  public func get(_ key: ObjectKey, range: Range<Int64>?, version: ETag?) async throws -> ObjectContent {
    let path = try readable(key, "GetObject")
    return try await perform("GetObject", key) { root, cancellation in
      let file = try openObject(path, key, "GetObject", in: root)
      let status = try file.status()
      let info = status.info(key)
      if let version, version != info.etag { throw changed("GetObject", key) }
      let wanted = (range ?? 0..<status.size).clamped(to: 0..<status.size)
      let bytes = try [UInt8](unsafeUninitializedCapacity: wanted.count) { buffer, count in
        let raw = UnsafeMutableRawBufferPointer(buffer)
        while count < wanted.count {
          try cancellation.check()
          let piece = UnsafeMutableRawBufferPointer(rebasing: raw[count..<min(count + Self.piece, wanted.count)])
          let read = try file.read(into: piece, at: wanted.lowerBound + Int64(count))
          guard read > 0 else { break }
          count += read
        }
      }
      // Other programs may write in place: then the bytes are of no version at all.
      guard bytes.count == wanted.count, status.hasSameContent(as: try file.status()) else {
        throw changed("GetObject", key)
      }
      return ObjectContent(info: info, bytes: bytes)
    }
  }

  @discardableResult
  public func put(_ key: ObjectKey, _ body: [UInt8], condition: WriteCondition) async throws -> ObjectInfo {
    let path = try writable(key, "PutObject")
    return try await perform("PutObject", key) { root, cancellation in
      try write(path, key, condition, "PutObject", in: root) { file in try file.append(body, cancellation) }
    }
  }

  @discardableResult
  public func copy(
    from source: ObjectKey, inBucket bucket: String, version: ETag?, size: Int64?, to key: ObjectKey
  ) async throws -> ObjectInfo {
    let target = try writable(key, "CopyObject")
    let path = try readable(source, "CopyObject")
    return try await perform("CopyObject", key) { root, cancellation in
      let sourceRoot = bucket == self.root ? try root.openDirectory("") : try openBucket(bucket, source)
      let file = try openObject(path, source, "CopyObject", in: sourceRoot)
      let status = try file.status()
      if let version, version != status.etag { throw changed("CopyObject", source) }
      return try write(target, key, .none, "CopyObject", in: root) { copy in
        try copy.append(contentsOf: file, count: status.size, cancellation)
        guard copy.size == status.size, status.hasSameContent(as: try file.status()) else {
          throw changed("CopyObject", source)
        }
      }
    }
  }

  public func delete(_ key: ObjectKey) async throws { try await delete([key], "DeleteObject") }

  public func delete(_ keys: [ObjectKey]) async throws {
    guard !keys.isEmpty else { return }
    try await delete(keys, "DeleteObjects")
  }

  /// One fsync a directory instead of one an object.
  private func delete(_ keys: [ObjectKey], _ operation: String) async throws {
    // What cannot be a path is not there.
    let paths = keys.compactMap { key in (try? LocalPath(key)).map { (key: key, path: $0) } }
    let groups = Dictionary(grouping: paths, by: \.path.directories)
    try await perform(operation, keys.first) { root, cancellation in
      var firstError: (any Error)?
      for (directories, members) in groups {
        try cancellation.check()
        do {
          try remove(members.map(\.path.name), directories, in: root)
        } catch {
          firstError = firstError ?? translated(error, operation, members[0].key)
        }
      }
      if let firstError { throw firstError }
    }
  }

  private func remove(_ names: [String], _ path: [String], in root: Descriptor) throws(SystemFailure) {
    guard let directory = try root.openDirectoryIfPresent(path.joined(separator: "/")) else { return }
    var failure: SystemFailure?
    for name in names {
      do throws(SystemFailure) {
        guard try directory.status(of: name).isRegular else { continue }
        try directory.removeFile(name)
      } catch {
        if error.number != ENOENT { failure = failure ?? error }
      }
    }
    // Also when nothing was there: an earlier call may have failed between removing and this.
    try directory.sync()
    directories.prune(path, in: root)
    if let failure { throw failure }
  }

  /// Writes an object: beside its place, durable, then renamed.
  /// - Parameter fill: writes the content; called once more when the directory was removed meanwhile.
  func write(
    _ path: LocalPath, _ key: ObjectKey, _ condition: WriteCondition, _ operation: String,
    in root: Descriptor, fill: (PendingFile) throws -> Void
  ) throws -> ObjectInfo {
    var attempt = 1
    while true {
      var made = false
      do {
        let file = try PendingFile(in: try directories.open(path.directories, in: root))
        made = true
        if try isTaken(file, path, condition) { throw taken(operation, key) }
        try fill(file)
        return try file.publish(as: path.name, condition: condition).info(key)
      } catch {
        let number = (error as? SystemFailure)?.number
        if number == ENOENT, !made, attempt < Self.attempts {
          attempt += 1
          continue
        }
        directories.prune(path.directories, in: root)
        guard number == EEXIST, made else { throw error }
        // Somebody was faster, with an object or with a directory.
        let isDirectory = (try? root.openDirectory(path.relative)) != nil
        throw isDirectory ? SystemFailure("rename", EISDIR) : taken(operation, key)
      }
    }
  }

  /// Whether the write would be refused; looked at before its bytes are written in vain.
  private func isTaken(
    _ file: PendingFile, _ path: LocalPath, _ condition: WriteCondition
  ) throws(SystemFailure) -> Bool {
    do throws(SystemFailure) {
      let status = try file.status(of: path.name)
      guard !status.isDirectory else { throw SystemFailure("rename", EISDIR) }
      return condition == .absent
    } catch {
      guard error.number == ENOENT else { throw error }
      return false
    }
  }

  private func openObject(
    _ path: LocalPath, _ key: ObjectKey, _ operation: String, in root: Descriptor
  ) throws -> Descriptor {
    do throws(SystemFailure) {
      return try root.openFile(path.relative)
    } catch {
      guard [ENOENT, ENOTDIR, EISDIR, ENXIO].contains(error.number) else { throw error }
      throw absent(operation, key)
    }
  }

  private func openBucket(_ bucket: String, _ source: ObjectKey) throws -> Descriptor {
    do throws(SystemFailure) {
      return try Descriptor.directory(bucket)
    } catch {
      guard error.number == ENOENT || error.number == ENOTDIR else { throw error }
      throw failure(
        .bucketNotFound, "CopyObject", source, "there is no directory \(bucket) to copy from",
        remedy: "Check the root paths in the configuration of the source's store.")
    }
  }

  /// The path of a key to read; what cannot be a path is not there.
  private func readable(_ key: ObjectKey, _ operation: String) throws -> LocalPath {
    do throws(KeyRefusal) {
      return try LocalPath(key)
    } catch {
      throw failure(.notFound, operation, key, "there is no such file below \(root), for \(error.reason)")
    }
  }

  /// The path of a key to write.
  func writable(_ key: ObjectKey, _ operation: String) throws -> LocalPath {
    do throws(KeyRefusal) {
      return try LocalPath(key)
    } catch {
      throw refusal(error, operation, key)
    }
  }

  private func taken(_ operation: String, _ key: ObjectKey) -> StoreError {
    failure(.preconditionFailed, operation, key, "the file exists already")
  }

  private func changed(_ operation: String, _ key: ObjectKey) -> StoreError {
    failure(.changed, operation, key, "it is another version now")
  }
}
