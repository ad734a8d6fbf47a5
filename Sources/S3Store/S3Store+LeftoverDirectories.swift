// Services that keep a tree of their own.
//
// SeaweedFS (4.48, seen) keeps a directory whose last object is gone. Such a leftover is no object: it is neither listed
// nor found. But a conditional PUT under its name is refused as if there were one, and a multipart upload cannot be
// completed (InternalError). Removing the object `name/` removes the leftover, and nothing else when nothing lies in it.

import ObjectStore

extension S3Store {
  /// Runs a write; when it fails because of a leftover directory, removes that and runs it once more.
  func aroundLeftoverDirectory<Value>(
    _ key: ObjectKey, failingWith codes: [StoreError.Code], _ write: () async throws(StoreError) -> Value
  ) async throws(StoreError) -> Value {
    do throws(StoreError) {
      return try await write()
    } catch {
      guard codes.contains(error.code), await removeLeftoverDirectory(key) else {
        throw error
      }
    }
    return try await write()
  }

  /// Whether a leftover directory was under this key, and is gone now.
  private func removeLeftoverDirectory(_ key: ObjectKey) async -> Bool {
    let directory = ObjectKey("\(key)/")
    do throws(StoreError) {
      _ = try await head(key, inBucket: nil, version: nil)
      return false
    } catch {
      guard error.code == .notFound else { return false }
    }
    // It answers to its name with a slash, though a listing shows nothing there. A marker that somebody has put is listed.
    guard (try? await head(directory, inBucket: nil, version: nil)) != nil,
      let page = try? await list(ListRequest(prefix: directory, limit: 1)), page.objects.isEmpty
    else { return false }
    return (try? await removeEmptyDirectory(directory, depth: 0)) != nil
  }

  /// Removes a directory in which there is no object, those in it first: services remove none that holds another.
  private func removeEmptyDirectory(_ directory: ObjectKey, depth: Int) async throws {
    if depth < Self.deepestLeftover {
      let page = try await list(ListRequest(prefix: directory, groupedByDirectory: true))
      for inner in page.directories { try await removeEmptyDirectory(inner, depth: depth + 1) }
    }
    try await delete(directory)
  }

  /// Nobody nests deeper than this, and 1,024 bytes of key do not allow much more.
  private static var deepestLeftover: Int { 128 }
}
