// The directory `.milvus-backupfs` at the top of the mount: what the program tells of itself. It answers to its name but is
// listed nowhere, so that no tool that walks a tree copies it.

import ObjectStore
import Synchronization
import SystemPackage

/// Inode numbers of the program's own directories.
struct ServiceDirectory: Sendable {
  /// Name of the directory below the mount's root.
  static let name: ObjectKey = ".milvus-backupfs"

  /// The directory itself.
  let inode: InodeNumber
  /// Its directory `jobs`.
  let jobs: InodeNumber

  /// Adds the directories to a tree.
  init(in tree: inout Tree) {
    inode = tree.addHidden(Tree.root, Self.name, .directory(Node.Directory(scope: 0, isLocal: true)))
    jobs = tree.add(inode, "jobs", .directory(Node.Directory(scope: 0, isLocal: true)))
    tree.add(inode, "refresh", .control(.refresh))
    tree.add(inode, "stats", .control(.stats))
    tree.add(inode, "version", .control(.version))
  }

  /// Brings the names in `jobs` up to date.
  func update(_ tree: inout Tree, jobNames: [String]) {
    let wanted = Set(jobNames.map { ObjectKey($0) })
    let present = (try? tree.directory(jobs).children) ?? [:]
    for (name, inode) in present where !wanted.contains(name) { tree.unlink(inode) }
    // In the order of the jobs, which is that of the inode numbers.
    for name in jobNames where present[ObjectKey(name)] == nil {
      tree.add(jobs, ObjectKey(name), .control(.job(name)))
    }
  }
}

extension BackupFileSystem {
  /// What a control file shows. May be called while the tree is locked.
  func text(of target: ControlTarget) -> String {
    switch target {
    case .stats: statisticsText()
    case .refresh: "hint: write the name of a store, STORE/BACKUP, or an empty line to have listings read again\n"
    default: controls.text(of: target)
    }
  }

  /// Carries out a line that was written to a control file.
  func submit(_ line: String, to target: ControlTarget) async throws(FileSystemError) {
    if case .create(let name) = target, stores.values.contains(where: { $0.name == name && $0.isReadOnly }) {
      throw FileSystemError(.readOnlyFileSystem, "the store \(name) was mounted read-only: no backup can be made in it")
    }
    guard target == .refresh else { return try await controls.submit(line, to: target) }
    let path = line.split(separator: "/").map { ObjectKey($0.trimming { $0.isWhitespace }) }.filter { $0.byteCount > 0 }
    try state.withLock { (state) throws(FileSystemError) in
      var current = Tree.root
      for name in path {
        guard let next = try state.tree.directory(current).children[name] else {
          throw FileSystemError(.noSuchFileOrDirectory, "there is no \(line) whose listing could be read again")
        }
        current = next
      }
      for (scope, _) in state.scopes where current == Tree.root || state.tree.lies(scope, in: current) {
        state.scopes[scope]?.listedAt = nil
      }
    }
  }
}

extension Substring {
  /// Without what a condition holds for at both ends.
  fileprivate func trimming(_ condition: (Character) -> Bool) -> String {
    var rest = self
    while let first = rest.first, condition(first) { rest.removeFirst() }
    while let last = rest.last, condition(last) { rest.removeLast() }
    return String(rest)
  }
}
