// A directory tree as a store: what `storageType: local` means. Each object is a file, its key the path below the root.
//
// Invariants:
// - An object appears whole or not at all: written beside its place under a hidden name, made durable, renamed.
// - No call reaches anything outside the root: paths are resolved by the kernel (openat2), which refuses `..` and links.
// - Directories exist only as long as there is something in them.
// - What this store keeps for itself begins with `.milvus-backupfs-`; listings leave it out, and no key may contain it.
//
// Other programs may use the tree at the same time. What they change in place is noticed, as far as the time stamps of
// the file system tell; links, devices and names that are no UTF-8 are not objects. Durability of a directory that
// another process is making at the same moment is that process's business.

import Glibc
import ObjectStore

/// A store whose bucket is a directory.
public struct LocalStore: ObjectStore {
  /// Where the unfinished uploads lie, below the root.
  static let uploadsDirectory = LocalPath.reservedPrefix + "uploads"

  public let location: StoreLocation
  public let limits: UploadLimits
  /// The directory, as an absolute path.
  let root: String
  /// The configuration key that names it, for messages.
  let rootSetting: String
  let directories = DirectoryMaker()
  let completed = CompletedUploads()

  /// Opens a directory. Nothing is touched yet; a directory that does not exist is reported by each call.
  ///
  /// All stores of one machine are one service (`file://`): objects are copied between them inside the kernel.
  /// - Parameters:
  ///   - root: absolute path; it may be or pass a symbolic link.
  ///   - rootSetting: the configuration key that it comes from, named in errors.
  public init(root: String, rootSetting: String = "minio.rootPath") {
    self.root = root
    self.rootSetting = rootSetting
    location = StoreLocation(provider: "local", endpoint: "file://", bucket: root)
    // A file system has no bounds of this kind. The number of parts keeps their names in order.
    limits = UploadLimits(minimumPartSize: 1, maximumParts: 10_000, maximumSinglePut: .max)
  }

  /// Runs file work on a thread that may wait, with the root open; all it throws becomes a `StoreError`.
  func perform<Value: Sendable>(
    _ operation: String, _ key: ObjectKey?,
    _ work: @escaping @Sendable (Descriptor, Cancellation) throws -> Value
  ) async throws -> Value {
    do {
      return try await FileWorkers.shared.run { cancellation in
        try work(try openRoot(operation, key), cancellation)
      }
    } catch {
      throw translated(error, operation, key)
    }
  }

  private func openRoot(_ operation: String, _ key: ObjectKey?) throws -> Descriptor {
    do throws(SystemFailure) {
      return try Descriptor.directory(root)
    } catch {
      guard error.number == ENOTDIR else { throw error }
      throw failure(
        .bucketNotFound, operation, key, "\(root) is not a directory", remedy: "Set \(rootSetting) to a directory.")
    }
  }
}
