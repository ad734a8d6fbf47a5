// Listings. The protocol's call, and which directory it begins in; the walk itself is in `KeyWalk`.

import ObjectStore

extension LocalStore {
  public func list(_ request: ListRequest) async throws -> ListPage {
    try await perform("ListObjects", request.prefix) { root, cancellation in
      // What lies before the prefix's last slash is a directory, or else nothing has the prefix.
      let bytes = request.prefix.string.utf8
      let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
      let directory = slash.map { String(request.prefix.string[..<$0]) } ?? ""
      guard slash == nil || (try? LocalPath.segments(directory)) != nil else { return ListPage(objects: []) }
      guard let start = try root.openDirectoryIfPresent(directory) else { return ListPage(objects: []) }
      var walk = KeyWalk(request, cancellation)
      try walk.visit(start, path: slash == nil ? "" : directory + "/")
      return walk.page
    }
  }
}
