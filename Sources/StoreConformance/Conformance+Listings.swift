// Listings: which keys, in which order, in pages, grouped by directory, and up to date.

import ObjectStore

extension Conformance {
  static let listings: [ConformanceCheck] = [
    ConformanceCheck("a listing has the keys that begin with its prefix and no others") { subject in
      try await subject.write(["ab", "abc/d", "abd", "b", "c/ab"])
      try expect("below ab", try await subject.names("ab"), is: ["ab", "abc/d", "abd"])
      try expect("below abc", try await subject.names("abc"), is: ["abc/d"])
      try expect("below abc/", try await subject.names("abc/"), is: ["abc/d"])
      try expect("below abc/d", try await subject.names("abc/d"), is: ["abc/d"])
      try expect("below c/a", try await subject.names("c/a"), is: ["c/ab"])
      for nothing in ["abc/d/", "b/", "x", "x/y/z", "c/ab/"] {
        let page = try await subject.store.list(ListRequest(prefix: subject.key(nothing)))
        try expect("below \(nothing)", page, is: ListPage(objects: []))
      }
    },
    ConformanceCheck("keys come in the order of their bytes") { subject in
      // A slash sorts between '.' and '0', so a directory's keys lie among its neighbours'.
      let names = [
        "A", "Z", "a b", "a!", "a-", "a-b/1", "a.", "a.b/1", "a/1", "a/1.x", "a/10", "a/2/3", "a/B", "a/b", "a0",
        "a0b/1",
        "aa", "a~", "a\u{e9}", "a\u{65e5}", "a\u{1f600}", "b",
      ]
      try await subject.write(names.shuffled())
      try expect("the order", try await subject.names(), is: names.sorted { ObjectKey($0) < ObjectKey($1) })
    },
    ConformanceCheck("pages together are the listing, grouped or not, and keep to their limit") { subject in
      // `b-1` lies before `b/1`, but in a tree `b` comes before `b-1`.
      let dash = subject.capabilities.ordersAcrossPages ? "b-1" : "b1"
      let names = ["a", dash, "b/1", "b/2/3", "b/2/4", "b0", "c/1", "c/2", "d/e/f/g", "e"].sorted()
      try await subject.write(names)
      let grouped = ["a", dash, "b/", "b0", "c/", "d/", "e"].sorted()
      for limit in [1, 2, 3, 7, 1000] {
        let flat = try await Self.pages(subject, "", grouped: false, limit: limit)
        try expect("the keys in pages of \(limit)", flat, is: names)
        let top = try await Self.pages(subject, "", grouped: true, limit: limit)
        try expect("the groups in pages of \(limit)", top, is: grouped)
        let below = try await Self.pages(subject, "b/", grouped: true, limit: limit)
        try expect("the groups below b/ in pages of \(limit)", below, is: ["b/1", "b/2/"])
        let cut = try await Self.pages(subject, "b", grouped: true, limit: limit)
        try expect("the groups that begin with b in pages of \(limit)", cut, is: [dash, "b/", "b0"].sorted())
      }
    },
    ConformanceCheck("everything below a prefix is listed by several requests at once as well") { subject in
      let names = Set(
        ["a/b", "a-/c", "a0", "meta/x", "\u{65e5}/\u{672c}/1", "\u{65e5}a/2"]
          + (0..<60).map { "logs/1/\(446_300 + $0 / 2)/\($0 % 2)/\($0)" })
      try await subject.write(names.shuffled())
      for limit in [2, 7, 30, 1000] {
        var seen: Set<ObjectKey> = []
        try await subject.store.listAtOnce(subject.key(""), limit: limit) { page, _ in
          seen.formUnion(page.objects.map(\.key))
        }
        try expect("the keys in pages of \(limit)", seen, is: Set(names.map { subject.key($0) }))
      }
      var some: Set<ObjectKey> = []
      try await subject.store.listAtOnce(subject.key("logs/1/44631"), limit: 5) {
        page, _ in some.formUnion(page.objects.map(\.key))
      }
      try expect(
        "the keys of ten segments", some,
        is: Set(names.filter { $0.hasPrefix("logs/1/44631") }.map { subject.key($0) }))
    },
    ConformanceCheck("a listing goes on behind a key that was removed meanwhile") { subject in
      let names = (0..<9).map { "dir\($0 / 3)/\($0)" }
      try await subject.write(names)
      var request = ListRequest(prefix: subject.key(""), limit: 2)
      var seen: [ObjectKey] = []
      repeat {
        let page = try await subject.store.list(request)
        seen += page.objects.map(\.key)
        try await subject.store.delete(page.objects.map(\.key))
        request.continuation = page.continuation
      } while request.continuation != nil
      try expect("what was seen", seen, is: names.map { subject.key($0) })
      try expect("what is left", try await subject.names(), is: [])
    },
    ConformanceCheck("a listing shows at once what was written and not what was removed") { subject in
      for round in 0..<8 {
        let name = "fresh/\(round % 2)/object"
        try await subject.write([name])
        try expect("after writing", try await subject.names("fresh/"), is: [name])
        let groups = try await Self.pages(subject, "fresh/", grouped: true, limit: 10)
        try expect(
          "the groups after writing",
          subject.capabilities.forgetsEmptyDirectories ? groups : groups.filter { $0 == "fresh/\(round % 2)/" },
          is: ["fresh/\(round % 2)/"])
        try await subject.store.delete(subject.key(name))
        try expect("after removing", try await subject.names("fresh/"), is: [])
      }
    },
    ConformanceCheck("more than a thousand keys are listed in order and removed in one call") { subject in
      let names = (0..<1105).map { "many/\($0 % 5)/\(10_000 + $0)" }
      try await subject.write(names)
      let listed = try await subject.names("many/")
      try expect("the number of keys", listed.count, is: names.count)
      try expect(listed == names.sorted(), "the keys are not those that were written, in order")
      let first = try await subject.store.list(ListRequest(prefix: subject.key("many/"), limit: 5000))
      try expect(
        first.continuation != nil || first.objects.count == names.count, "a page that is not the last says it is")
      let absent = (0..<20).map { "many/absent/\($0)" }
      try await subject.store.delete((names + absent).map { subject.key($0) })
      try expect("what is left", try await subject.names("many/"), is: [])
    },
  ]

  /// Names of keys and groups of all pages, in the order in which they must be merged.
  static func pages(
    _ subject: ConformanceSubject, _ prefix: String, grouped: Bool, limit: Int
  ) async throws -> [String] {
    var request = ListRequest(prefix: subject.key(prefix), groupedByDirectory: grouped, limit: limit)
    var names: [String] = []
    repeat {
      let page = try await subject.store.list(request)
      let objects = page.objects.map(\.key)
      try expect(objects == objects.sorted(), "the objects of a page are not in order")
      try expect(page.directories == page.directories.sorted(), "the directories of a page are not in order")
      try expect(grouped || page.directories.isEmpty, "a listing that is not grouped has directories")
      try expect(objects.count + page.directories.count <= limit, "a page has more entries than its limit of \(limit)")
      for name in (objects + page.directories).sorted() {
        names.append(String(name.string.dropFirst(subject.prefix.count)))
      }
      try expect(page.continuation != request.continuation || page.continuation == nil, "a listing does not go on")
      request.continuation = page.continuation
    } while request.continuation != nil
    return names
  }
}
