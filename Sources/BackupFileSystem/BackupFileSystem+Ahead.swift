// Recognising a tree that is being copied, so that its objects can be moved ahead of the copier.
//
// The sign: one thread has made the target's directory, has read the source's directory of the same place, and copies a
// file of one into the other under its own name, whole.

import Glibc
import ObjectStore
import Synchronization
import SystemPackage

extension BackupFileSystem {
  /// Begins to help the copier of a file, if it copies a tree and is not helped already.
  func helpCopier(of reader: ReadSession, into writer: WriteSession) {
    guard let directory = settings.journalDirectory, let plan = state.withLock({ plan(reader, writer, $0) }) else {
      return
    }
    let journal: AheadJournal
    do {
      journal = try AheadJournal(
        directory: directory, name: "\(getpid())-\(aheads.nextNumber)", target: writer.store.location,
        prefix: plan.prefix)
    } catch {
      return
    }
    let copy = AheadCopy(
      AheadCopy.Environment(
        source: reader.store, target: writer.store, prefix: plan.prefix, present: plan.present,
        copier: ObjectCopier(budget: transferBudget), journal: journal,
        next: { [weak self] cursor in self?.next(&cursor) },
        throttles: settings.throttles,
        isCopierAlive: { [inspector] in inspector.isRunning(writer.thread) },
        ended: { [weak self, aheads] in
          self?.state.withLock { $0.traces.endedCopying(plan.scopes, by: writer.thread) }
          aheads.remove(plan.identity)
        }))
    guard aheads.insert(copy, plan.identity) else {
      journal.remove()
      return
    }
    state.withLock { $0.traces.copies(plan.scopes, by: writer.thread) }
    Task { await copy.run(from: plan.cursor) }
  }

  /// The next file of a copier; nil at the end, and while what comes next is still to be listed.
  private func next(_ cursor: inout TreeCursor) -> TreeCursor.File? {
    state.withLock { state in
      cursor.next(in: state.tree) { directory in isStillToBeListed(directory, in: state) }
    }
  }

  /// Ends all help: what was moved ahead and not asked for is removed. To be called when the mount is gone.
  public func endCopies() async { await aheads.endAll() }

  /// What is to be moved for a copier.
  private struct Plan {
    var identity: AheadCopies.Identity
    var prefix: ObjectKey
    var present: Set<ObjectKey> = []
    var scopes: [InodeNumber]
    var cursor: TreeCursor
  }

  private func plan(_ reader: ReadSession, _ writer: WriteSession, _ state: borrowing State) -> Plan? {
    let tree = state.tree
    guard let source = tree.nodes[reader.inode], let target = tree.nodes[writer.inode], source.name == target.name,
      !Tree.isMetadata(reader.inode), isListedAround(reader.inode, in: state),
      let pair = state.traces.outermostPair(source.parent, target.parent, of: writer.thread, in: tree),
      let store = tree.store(of: pair.target).flatMap({ stores[$0] })
    else { return nil }
    let identity = AheadCopies.Identity(thread: writer.thread, store: store.name, target: pair.target)
    guard !aheads.contains(identity), let (_, key) = try? location(of: pair.target, in: tree) else { return nil }
    var cursor = TreeCursor(pair.source, in: tree)
    var walk = cursor
    // What comes before this file was copied already, or left out on purpose.
    while let file = walk.next(in: tree) {
      guard file.inode == reader.inode else { continue }
      cursor = walk
      break
    }
    // The copier's paths lead through the stores' directories: the kernel looks them up again each second.
    let backups = [pair.source, pair.target].compactMap { tree.nodes[$0]?.directory?.scope }
    let scopes = backups + backups.compactMap { tree.nodes[$0]?.parent }
    var plan = Plan(identity: identity, prefix: ObjectKey("\(key)/"), scopes: scopes, cursor: cursor)
    // While the source was listed it copied without help.
    walk = TreeCursor(pair.target, in: tree)
    while let file = walk.next(in: tree) { plan.present.insert(ObjectKey("\(plan.prefix)\(file.path)")) }
    return plan
  }
}
