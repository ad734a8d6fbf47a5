// Keys that invite mistakes: they come back byte for byte, or are refused by name.

import ObjectStore

extension Conformance {
  static let keys: [ConformanceCheck] = [
    ConformanceCheck("odd characters in keys come back as they went") { subject in
      let names = [
        "a b", " lead", "trail ", "a+b", "+", "%", "100%", "a%20b", "%2F", "%2f", "a&b=c", "a?b#c", "it's",
        "say \"hi\"",
        "<x>", "a;b,c:d", "(x)[y]{z}", "$@!*|^`", "~t", "..a", "a..", "...", ".hidden", "-dash",
        "\u{e9}", "e\u{301}", "\u{65e5}\u{672c}", "\u{1f600}", "\u{1f469}\u{200d}\u{1f4bb}", "1/2/3/4/5/6/7/8",
      ]
      try await subject.write(names)
      let listed = try await subject.store.listAll(subject.key("")).map(\.key)
      try expect("the listing", listed, is: names.map { subject.key($0) }.sorted())
      for name in names {
        let content = try await subject.store.get(subject.key(name), range: nil, version: nil)
        try expect("the object \(name)", bytes: content.bytes, are: Array(name.utf8))
        try expect("the listing of \(name)", try await subject.store.listAll(subject.key(name)).count >= 1, is: true)
        let copy = subject.key("copies/\(name)")
        try await subject.store.copy(
          from: subject.key(name), inBucket: subject.store.location.bucket, version: content.info.etag, to: copy)
        try expect("the size of the copy of \(name)", try await subject.store.head(copy).size, is: content.info.size)
      }
      try await subject.store.delete(names.map { subject.key($0) })
      try expect("the copies left", try await subject.names().count, is: names.count)
      for name in names { try await subject.store.delete(subject.key("copies/\(name)")) }
      try expect("what is left", try await subject.names(), is: [])
    },
    ConformanceCheck("keys with backslashes are held or refused") { subject in
      try await Self.checkKeys(["back\\slash", "\\"], subject.capabilities.backslashes, subject)
    },
    ConformanceCheck("keys with empty segments are held or refused") { subject in
      try await Self.checkKeys(["a//b", "a/", "//c"], subject.capabilities.emptySegments, subject)
    },
    ConformanceCheck("keys with dot segments are held or refused") { subject in
      try await Self.checkKeys(["a/../b", "..", "a/.", "./a", "x/../../y"], subject.capabilities.dotSegments, subject)
    },
    ConformanceCheck("an object beside objects below its name is held or refused") { subject in
      try await subject.write(["beside/below"])
      try await Self.checkKeys(["beside"], subject.capabilities.objectBesideDirectory, subject)
      try await subject.write(["first"])
      try await Self.checkKeys(["first/below", "first/x/y"], subject.capabilities.objectBesideDirectory, subject)
      if subject.capabilities.objectBesideDirectory != .undefined {
        let content = try await subject.store.get(subject.key("beside/below"), range: nil, version: nil)
        try expect("the object below", bytes: content.bytes, are: Array("beside/below".utf8))
      }
    },
    ConformanceCheck("the longest keys are held, longer segments than it can hold are refused") { subject in
      var name = ""
      let room = 1024 - subject.prefix.utf8.count
      while name.utf8.count < room - 120 { name += String(repeating: "k", count: 99) + "/" }
      name += String(repeating: "e", count: room - name.utf8.count)
      try expect("the bytes of the long key", subject.key(name).byteCount, is: 1024)
      let wide = String(repeating: "\u{e9}", count: 120)
      try await subject.write([name, wide])
      for name in [name, wide] {
        let content = try await subject.store.get(subject.key(name), range: nil, version: nil)
        try expect("the object of the long key", bytes: content.bytes, are: Array(name.utf8))
      }
      try expect("the listing", try await subject.names(), is: [name, wide].sorted { ObjectKey($0) < ObjectKey($1) })
      let longest = subject.capabilities.longestSegment
      if longest < room {
        try await subject.write([String(repeating: "s", count: longest)])
        try await Self.checkKeys([String(repeating: "s", count: longest + 1)], .refused, subject)
      }
    },
  ]

  /// Writes the keys if they are held, or sees to it that they are refused without a trace.
  private static func checkKeys(
    _ names: [String], _ support: KeySupport, _ subject: ConformanceSubject
  ) async throws {
    guard support != .undefined else { return }
    let before = try await subject.store.listAll("").map(\.key)
    for name in names {
      let key = subject.key(name)
      guard support == .refused else {
        try await subject.store.put(key, Array(name.utf8), condition: .none)
        let content = try await subject.store.get(key, range: nil, version: nil)
        try expect("the object \(name)", bytes: content.bytes, are: Array(name.utf8))
        try expect(try await subject.names().contains(name), "\(name) is not listed under this name")
        continue
      }
      for condition in [WriteCondition.none, .absent] {
        let error = try await expect("writing \(name)", fails: .unsupported) {
          try await subject.store.put(key, [1], condition: condition)
        }
        try expect("the error's key", error.key, is: key)
        try expect(!error.reason.isEmpty, "the refusal of \(name) gives no reason")
      }
      try await expect("beginning an upload of \(name)", fails: .unsupported) {
        let upload = try await subject.store.beginUpload(key)
        let part = try await subject.store.uploadPart(upload, number: 1, [1])
        return try await subject.store.completeUpload(upload, parts: [part], condition: .none)
      }
      for upload in try await subject.store.listAllUploads(subject.key("")) {
        try await subject.store.abortUpload(upload.upload)
      }
      try await expect("HEAD of \(name)", fails: .notFound) { try await subject.store.head(key) }
      try await expect("GET of \(name)", fails: .notFound) {
        try await subject.store.get(key, range: nil, version: nil)
      }
      try await subject.store.delete(key)
      try await subject.store.delete([key])
      try expect("what is there after \(name)", try await subject.store.listAll("").map(\.key), is: before)
    }
  }
}
