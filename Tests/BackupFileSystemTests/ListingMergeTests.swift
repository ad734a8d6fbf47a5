// Taking over listings page by page, and the table that the tree's nodes lie in.

import ObjectStore
import Testing

@testable import BackupFileSystem

@Suite("Listings are taken over page by page")
struct ListingMergeTests {
  private func object(_ key: String, size: Int64 = 1) -> ObjectInfo {
    ObjectInfo(key: ObjectKey(key), size: size, etag: ETag("\"\(size)\""), modified: 0)
  }

  /// A tree with one backup, and its number.
  private func backup() throws -> (tree: Tree, inode: InodeNumber) {
    var tree = Tree(stores: ["store"])
    let store = try #require(tree.directory(Tree.root).children["store"])
    var listing = tree.beginMerge(into: store, prefixLength: 0)
    tree.merge(ListPage(objects: [], directories: ["b/"]), except: [], &listing)
    #expect(tree.finish(listing) == 0)
    return (tree, try #require(tree.directory(store).children["b"]))
  }

  /// Paths of all files below a directory.
  private func files(_ tree: Tree, _ inode: InodeNumber) -> Set<String> {
    guard let children = tree.nodes[inode]?.directory?.children else { return [] }
    var found: Set<String> = []
    for child in children.values {
      if tree.nodes[child]?.directory != nil {
        found.formUnion(files(tree, child))
      } else {
        found.insert(tree.path(child))
      }
    }
    return found
  }

  @Test("what a page shows is there before the next one, and nothing goes before the last")
  func pages() throws {
    var (tree, backup) = try backup()
    var first = tree.beginMerge(into: backup, prefixLength: 2)
    tree.merge(ListPage(objects: [object("b/x/1"), object("b/x/2"), object("b/y/z/3")]), except: [], &first)
    #expect(files(tree, backup) == ["b/x/1", "b/x/2", "b/y/z/3"])
    #expect(tree.finish(first) == 0)

    var second = tree.beginMerge(into: backup, prefixLength: 2)
    tree.merge(ListPage(objects: [object("b/x/1", size: 9)]), except: [], &second)
    #expect(files(tree, backup) == ["b/x/1", "b/x/2", "b/y/z/3"])
    tree.merge(ListPage(objects: [object("b/x/2")]), except: [], &second)
    #expect(tree.finish(second) == 0)
    #expect(files(tree, backup) == ["b/x/1", "b/x/2"])
    let x = try #require(tree.directory(backup).children["x"])
    let one = try #require(tree.directory(x).children["1"])
    #expect(tree.nodes[one]?.file?.object?.size == 9)
    #expect(tree.nodes.count == 6, "root, store, backup, x and two files")
  }

  /// The directories below a backup that a listing has shown whole, by path; `.` is the backup itself.
  private func whole(_ tree: Tree, _ inode: InodeNumber, _ listing: ListingMerge) -> Set<String> {
    var found: Set<String> = tree.isWhole(inode, listing) ? [String(tree.path(inode).dropFirst(2))] : []
    for child in tree.nodes[inode]?.directory?.children.values ?? [] where tree.nodes[child]?.directory != nil {
      found.formUnion(whole(tree, child, listing))
    }
    return found
  }

  private func page(_ keys: [String], next: String? = "next") -> ListPage {
    ListPage(objects: keys.map { object($0) }, continuation: next)
  }

  @Test("a directory is whole when a page came to it and left it again")
  func wholeDirectories() throws {
    var (tree, backup) = try backup()
    var listing = tree.beginMerge(into: backup, prefixLength: 2)
    let middle = ListRequest(prefix: "b/", continuation: "middle")
    tree.merge(
      page(["b/a/1", "b/c/1", "b/c/x/2", "b/c/y/3", "b/d", "b/e/x/4"]), asked: middle, except: [], &listing)
    #expect(whole(tree, backup, listing) == ["c", "c/x", "c/y"], "what came before and what comes behind is not known")
    tree.merge(page(["b/e/x/5", "b/e/y/6", "b/f/7"]), asked: middle, except: [], &listing)
    #expect(whole(tree, backup, listing) == ["c", "c/x", "c/y", "e/y"], "e began in an earlier page")
    var unordered = page(["b/h/1", "b/i/1", "b/j/1"])
    unordered.isOrdered = false
    tree.merge(unordered, asked: middle, except: [], &listing)
    let grouped = ListRequest(prefix: "b/", groupedByDirectory: true)
    tree.merge(page(["b/k/1", "b/l/1", "b/m/1"]), asked: grouped, except: [], &listing)
    #expect(whole(tree, backup, listing) == ["c", "c/x", "c/y", "e/y"], "neither in order nor all that lies below")
    let next = tree.beginMerge(into: backup, prefixLength: 2)
    #expect(whole(tree, backup, next) == [], "another listing has its own opinion")
  }

  @Test("nothing comes before the first page of a prefix, and nothing behind its last one")
  func endsOfAPrefix() throws {
    var (tree, backup) = try backup()
    var listing = tree.beginMerge(into: backup, prefixLength: 2)
    func shown(_ keys: [String], _ prefix: ObjectKey, from: String?, to: String?, ordered: Bool = true) -> Set<String> {
      var listed = page(keys, next: to)
      listed.isOrdered = ordered
      tree.merge(listed, asked: ListRequest(prefix: prefix, continuation: from), except: [], &listing)
      return whole(tree, backup, listing)
    }
    #expect(
      shown(["b/s/10/x/1", "b/s/11/x/2", "b/s/12/x/3"], "b/s/1", from: nil, to: "n") == [
        "s/10", "s/10/x", "s/11", "s/11/x",
      ])
    #expect(
      shown(["b/s/13/x/1", "b/s/14/x/2"], "b/s/1", from: "n", to: nil).subtracting(["s/10", "s/10/x", "s/11", "s/11/x"])
        == ["s/14", "s/14/x"])
    let next = tree.beginMerge(into: backup, prefixLength: 2)
    listing = next
    #expect(shown(["b/t/20/1", "b/t/21/2"], "b/t/2", from: nil, to: nil, ordered: false) == ["t/20", "t/21"])
    #expect(shown(["b/u/20/1"], "b/u/", from: nil, to: nil) == ["t/20", "t/21", "u", "u/20"], "u itself was asked for")
    listing = tree.beginMerge(into: backup, prefixLength: 2)
    #expect(shown(["b/v/20/1", "b/v/21/1"], "b/v/", from: nil, to: "n", ordered: false) == [])
    #expect(shown(["b/w/20/1", "b/w/21/1"], "b/w/", from: "n", to: nil, ordered: false) == [])
  }

  @Test("a directory that is whole has all its names and no others, whatever the pages", arguments: UInt64(1)...20)
  func wholeAgainstNames(seed: UInt64) async throws {
    var state = seed
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let parts = ["a", "a-", "a0", "ab", "b", "é", "日", "4463", "4463-1", "44630"]
    let store = MemoryStore()
    var names: Set<String> = []
    let limit = [1, 2, 3, 10, 30][random(5)]
    var (tree, backup) = try backup()
    var wholes = 0
    for _ in 0..<4 {
      // Others remove some and put some, between two listings.
      for name in names where random(4) == 0 {
        names.remove(name)
        try await store.delete(ObjectKey(name))
      }
      for _ in 0..<random(120) {
        // Names of a backup never change from directory to file.
        let path = (0..<random(5)).map { _ in random(2) == 0 ? parts[random(parts.count)] : "\(random(40))" }
        let name = (["b"] + path + ["f\(random(100))"]).joined(separator: "/")
        names.insert(name)
        try await store.put(ObjectKey(name), [1], condition: .none)
      }
      var listing = tree.beginMerge(into: backup, prefixLength: 2)
      try await store.listAtOnce("b/", limit: limit) { page, request in
        tree.merge(page, asked: request, except: [], &listing)
        for path in whole(tree, backup, listing) {
          wholes += 1
          let prefix = "b/\(path)/"
          let expected = Set(
            names.filter { $0.hasPrefix(prefix) }.map { $0.dropFirst(prefix.count).split(separator: "/")[0] })
          var inode = backup
          for part in path.split(separator: "/") {
            inode = try #require(tree.directory(inode).children[ObjectKey(String(part))])
          }
          #expect(Set(try tree.directory(inode).children.map { Substring($0.name.string) }) == expected, "\(path)")
        }
      }
      _ = tree.finish(listing)
      #expect(files(tree, backup) == names)
    }
    #expect(wholes > 0)
  }

  @Test("what a page does not show goes with the end of its directory")
  func renewed() throws {
    var (tree, backup) = try backup()
    var first = tree.beginMerge(into: backup, prefixLength: 2)
    let keys = ["b/a/old", "b/c/1", "b/c/old", "b/c/old2/x", "b/d/old"]
    tree.merge(ListPage(objects: keys.map { object($0) }), except: [], &first)
    #expect(tree.finish(first) == 0)
    var second = tree.beginMerge(into: backup, prefixLength: 2)
    let c = try #require(tree.directory(backup).children["c"])
    let made = tree.add(c, "made", .file(Node.File(object: object("b/c/made"))))
    tree.touch(made)
    tree.merge(
      page(["b/a/1", "b/c/1", "b/d/1"]), asked: ListRequest(prefix: "b/", continuation: "middle"), except: [], &second)
    #expect(files(tree, backup) == ["b/a/1", "b/a/old", "b/c/1", "b/c/made", "b/d/1", "b/d/old"])
    #expect(tree.finish(second) == 0)
    #expect(files(tree, backup) == ["b/a/1", "b/c/1", "b/c/made", "b/d/1"])
  }

  @Test("a directory that is listed by itself is whole, and what only it has shown goes with the next one")
  func level() throws {
    var (tree, backup) = try backup()
    var first = tree.beginMerge(into: backup, prefixLength: 2)
    tree.merge(ListPage(objects: ["b/a/1", "b/gone/2", "b/old"].map { object($0) }), except: [], &first)
    #expect(tree.finish(first) == 0)

    var second = tree.beginMerge(into: backup, prefixLength: 2)
    tree.merge(ListPage(objects: [object("b/a/3"), object("b/file")]), except: [], &second)
    var level = LevelMerge(backup, prefixLength: 2)
    level.take(
      ListPage(objects: [object("b/new")], directories: ["b/a/", "b/file/", "b/removed/"]), except: ["b/removed/"],
      of: second, into: &tree)
    #expect(!tree.isWhole(backup, second))
    level.take(
      ListPage(objects: [object("b/z")], directories: ["b//", "b/ghost/", "b/x/"]), except: [], of: second, into: &tree)
    level.finish(of: second, in: &tree)
    #expect(whole(tree, backup, second) == [""])
    #expect(Set(try tree.directory(backup).children.map(\.name.string)) == ["a", "file", "ghost", "new", "x", "z"])
    #expect(files(tree, backup) == ["b/a/1", "b/a/3", "b/file", "b/new", "b/z"], "of what is in a nothing was said")

    tree.merge(ListPage(objects: ["b/file/9", "b/new", "b/x/9", "b/z"].map { object($0) }), except: [], &second)
    #expect(tree.finish(second) == 1)
    #expect(Set(try tree.directory(backup).children.map(\.name.string)) == ["a", "file", "ghost", "new", "x", "z"])
    #expect(files(tree, backup) == ["b/a/3", "b/file/9", "b/new", "b/x/9", "b/z"])
    var third = tree.beginMerge(into: backup, prefixLength: 2)
    tree.merge(ListPage(objects: [object("b/a/3")]), except: [], &third)
    #expect(tree.finish(third) == 0)
    #expect(try tree.directory(backup).children.map(\.name.string) == ["a"])
  }

  @Test("a version put by others gets a number of its own when the kernel knows the old one")
  func anotherVersion() throws {
    var (tree, backup) = try backup()
    var first = tree.beginMerge(into: backup, prefixLength: 2)
    tree.merge(ListPage(objects: [object("b/known"), object("b/new"), object("b/same")]), except: [], &first)
    #expect(tree.finish(first) == 0)
    let before = try tree.directory(backup).children
    let (known, new, same) = (try #require(before["known"]), try #require(before["new"]), try #require(before["same"]))
    tree.remember(known)
    tree.remember(same)
    tree.override(known) { $0.permissions = 0o600 }

    var second = tree.beginMerge(into: backup, prefixLength: 2)
    var touched = object("b/same")
    touched.modified = 7
    tree.merge(ListPage(objects: [object("b/known", size: 9), object("b/new", size: 9), touched]), except: [], &second)
    #expect(tree.finish(second) == 0)
    let after = try tree.directory(backup).children
    let other = try #require(after["known"])
    #expect(other != known)
    #expect(tree.nodes[other]?.file?.object?.size == 9)
    #expect(tree.overrides[other]?.permissions == 0o600)
    #expect(tree.nodes[known]?.isLinked == false)
    #expect(tree.nodes[known]?.file?.object?.size == 1, "who has it open sees the version that he opened")
    #expect(after["new"] == new, "the kernel has never heard of it")
    #expect(after["same"] == same)
    #expect(tree.nodes[same]?.file?.object?.modified == 7)
    tree.forget(known, count: 1)
    #expect(tree.nodes[known] == nil)
    #expect(files(tree, backup) == ["b/known", "b/new", "b/same"])
  }

  @Test("what was made or removed here while a listing runs is kept")
  func changedMeanwhile() throws {
    var (tree, backup) = try backup()
    var listing = tree.beginMerge(into: backup, prefixLength: 2)
    tree.merge(ListPage(objects: [object("b/d/old"), object("b/gone")]), except: [], &listing)
    let gone = try #require(tree.directory(backup).children["gone"])
    tree.unlink(gone)
    tree.touch(backup)
    let made = tree.add(backup, "made", .file(Node.File(object: object("b/made"))))
    tree.touch(made)
    tree.merge(ListPage(objects: [object("b/late")]), except: ["b/late"], &listing)
    #expect(tree.finish(listing) == 0)
    #expect(files(tree, backup) == ["b/d/old", "b/made"])
  }

  @Test("an object whose key is also a directory is hidden and counted, in one page or two")
  func shadowed() throws {
    var (tree, backup) = try backup()
    for _ in 0..<2 {
      var one = tree.beginMerge(into: backup, prefixLength: 2)
      tree.merge(
        ListPage(objects: [object("b/a"), object("b/a/b"), object("b//c"), object("b/./d")]), except: [], &one)
      #expect(tree.finish(one) == 3)
      #expect(files(tree, backup) == ["b/a/b"])
      var two = tree.beginMerge(into: backup, prefixLength: 2)
      tree.merge(ListPage(objects: [object("b/a")]), except: [], &two)
      tree.merge(ListPage(objects: [object("b/a/b")]), except: [], &two)
      #expect(tree.finish(two) == 1)
      #expect(files(tree, backup) == ["b/a/b"])
    }
  }

  @Test("a directory that is removed here between two pages comes back whole")
  func removedBetweenPages() throws {
    var (tree, backup) = try backup()
    var listing = tree.beginMerge(into: backup, prefixLength: 2)
    tree.merge(ListPage(objects: [object("b/d/1")]), except: [], &listing)
    tree.unlink(try #require(tree.directory(backup).children["d"]))
    tree.merge(ListPage(objects: [object("b/d/2")]), except: ["b/d/1"], &listing)
    #expect(tree.finish(listing) == 0)
    #expect(files(tree, backup) == ["b/d/2"])
  }

  @Test("a backup that is removed while it is listed leaves nothing behind")
  func removedScope() throws {
    var (tree, backup) = try backup()
    var listing = tree.beginMerge(into: backup, prefixLength: 2)
    tree.merge(ListPage(objects: [object("b/d/1")]), except: [], &listing)
    tree.unlink(backup)
    tree.merge(ListPage(objects: [object("b/d/2"), object("b/e")]), except: [], &listing)
    _ = tree.finish(listing)
    #expect(tree.nodes.count == 2, "root and store")
  }

  @Test("children answer like a dictionary", arguments: [UInt64(1), 2, 3])
  func children(seed: UInt64) {
    var state = seed
    func next(_ bound: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % bound
    }
    var children: Children = [:]
    var wanted: [ObjectKey: InodeNumber] = [:]
    for _ in 0..<2_000 {
      let name = ObjectKey("\(next(4))")
      let inode = next(2) == 0 ? nil : Optional(next(100))
      children[name] = inode
      wanted[name] = inode
      #expect(children.count == wanted.count && children.isEmpty == wanted.isEmpty)
      #expect(children.values.sorted() == wanted.values.sorted())
      for name in (0..<4).map({ ObjectKey("\($0)") }) { #expect(children[name] == wanted[name]) }
      #expect(Set(children.map(\.name)) == Set(wanted.keys))
    }
  }

  @Test("the table answers like a dictionary", arguments: [UInt64(1), 2, 3])
  func table(seed: UInt64) {
    var state = seed
    func next(_ bound: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % bound
    }
    var table = NodeTable()
    var wanted: [InodeNumber: ObjectKey] = [:]
    var counter: UInt64 = 0
    for step in 0..<5_000 {
      if next(3) < 2 {
        counter += 1
        // The upper 16 bits are an order of copying, not a place.
        let inode = next(3) << 48 | counter
        table.insert(Node(parent: 1, name: ObjectKey("\(step)"), content: .file(Node.File())), as: inode)
        wanted[inode] = ObjectKey("\(step)")
      } else if let inode = wanted.keys.min(), next(2) == 0 {
        table.remove(inode)
        table.remove(inode)
        wanted[inode] = nil
        #expect(table[inode] == nil)
        table.update(inode) { $0.references = 1 }
      } else if let inode = wanted.keys.max() {
        table.update(inode) { $0.name = "changed" }
        wanted[inode] = "changed"
      }
      #expect(table.count == wanted.count)
    }
    for (inode, name) in wanted { #expect(table[inode]?.name == name && table.parent(of: inode) == 1) }
    #expect(table[counter + 1_000] == nil && table.parent(of: counter + 1_000) == nil)
  }
}
