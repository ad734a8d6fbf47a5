import Glibc
import LocalStore
import ObjectStore
import Testing

/// What is particular about objects that are files.
@Suite(.timeLimit(.minutes(2))) struct TreeTests {
  private let directory: TemporaryDirectory
  private var store: LocalStore { directory.store }

  init() throws { directory = try TemporaryDirectory() }

  @Test func anObjectIsAFileOfItsKeyAndNothingElseIsLeft() async throws {
    try await store.put("a/b/c", Array("hello".utf8), condition: .none)
    #expect(try directory.everything() == ["a/b/cf", "a/bd", "ad"])
    #expect(try shell("cat \(directory.path)/a/b/c") == "hello")
    try shell("mkdir -p \(directory.path)/x && printf world > \(directory.path)/x/y")
    #expect(try await store.get("x/y", range: nil, version: nil).bytes == Array("world".utf8))
    #expect(try await store.listAll("").map(\.key) == ["a/b/c", "x/y"])
  }

  @Test func directoriesGoWithTheirLastObjectAndTheRootStays() async throws {
    try await store.put("a/b/c/d", [1], condition: .none)
    try await store.put("a/x", [1], condition: .none)
    try await store.delete("a/b/c/d")
    #expect(try directory.everything() == ["a/xf", "ad"])
    try await store.delete(["a/x"])
    #expect(try directory.everything() == [])
    #expect(try await store.listAll("") == [])
  }

  @Test func aRefusedWriteLeavesNoDirectories() async throws {
    try await store.put("file", [1], condition: .none)
    for key in ["file/below", "file/x/y", "new/\(String(repeating: "n", count: 256))", "new/../x"] {
      #expect(await storeError { try await store.put(ObjectKey(key), [1], condition: .none) }?.code == .unsupported)
    }
    #expect(await storeError { try await store.put("file", [2], condition: .absent) }?.code == .preconditionFailed)
    #expect(try directory.everything() == ["filef"])
  }

  @Test(
    arguments: [
      ("a//b", "empty name"), ("a/", "empty name"), ("", "empty name"), ("/etc/passwd", "empty name"), ("../x", "'..'"),
      ("a/../../x", "'..'"), ("./a", "'.'"), ("a\u{0}b", "NUL"), (".milvus-backupfs-tmp-1", "this program's own"),
      ("a/.milvus-backupfs-uploads/b", "this program's own"),
      ("\u{e9}" + String(repeating: "x", count: 254), "at most 255 bytes"),
    ]) func aKeyThatATreeCannotHoldIsRefusedWithTheReason(_ name: String, _ reason: String) async throws
  {
    let key = ObjectKey(name)
    try await store.put("source", [1], condition: .none)
    let calls: [() async throws -> Void] = [
      { try await store.put(key, [1], condition: .none) }, { _ = try await store.beginUpload(key) },
      { try await store.copy(from: "source", inBucket: directory.path, version: nil, to: key) },
    ]
    for call in calls {
      let error = await storeError(call)
      #expect(error?.code == .unsupported && error?.key == key)
      #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
      #expect(error?.remedy.isEmpty == false)
    }
    #expect(await storeError { try await store.head(key) }?.code == .notFound)
    #expect(await storeError { try await store.get(key, range: nil, version: nil) }?.code == .notFound)
    try await store.delete(key)
    #expect(try directory.everything() == ["sourcef"])
  }

  @Test func symbolicLinksAreNeitherFollowedNorListed() async throws {
    let outside = try TemporaryDirectory()
    try shell(
      """
      echo secret > \(outside.path)/secret
      ln -s \(outside.path) \(directory.path)/link
      ln -s \(outside.path)/secret \(directory.path)/file
      """)
    try await store.put("real", [1], condition: .none)
    #expect(try await store.listAll("").map(\.key) == ["real"])
    #expect(try await store.listAll("link/") == [])
    #expect(try await store.list(ListRequest(prefix: "", groupedByDirectory: true)).directories == [])
    for key in ["link/secret", "file"] as [ObjectKey] {
      #expect(await storeError { try await store.get(key, range: nil, version: nil) }?.code == .unsupported)
      #expect(await storeError { try await store.head(key) }?.code == .unsupported)
    }
    let error = await storeError { try await store.put("link/new", [1], condition: .none) }
    #expect(error?.code == .unsupported && error?.reason.contains("symbolic link") == true)
    #expect(
      await storeError { try await store.copy(from: "link/secret", inBucket: directory.path, version: nil, to: "c") }?
        .code == .unsupported)
    try await store.delete(["link/secret", "file", "link"])
    #expect(try outside.everything() == ["secretf"])
    #expect(try directory.everything() == ["filel", "linkl", "realf"])
  }

  @Test func aFileThatAnotherProgramChangedIsAnotherVersion() async throws {
    let old = try await store.put("k", Array("first".utf8), condition: .none).etag
    let changes = [
      "printf other > $f", "printf x | dd of=$f conv=notrunc status=none", "truncate -s 5 $f; touch -d @1000000 $f",
      "cp $f $f.new && touch -r $f $f.new && mv $f.new $f",
    ]
    for change in changes {
      let before = try await store.head("k").etag
      try shell("f=\(directory.path)/k; \(change)")
      #expect(try await store.head("k").etag != before, "\(change)")
      #expect(await storeError { try await store.get("k", range: 0..<1, version: before) }?.code == .changed)
    }
    #expect(await storeError { try await store.get("k", range: nil, version: old) }?.code == .changed)
  }

  @Test func whatIsNoFileIsNoObject() async throws {
    try shell("mkfifo \(directory.path)/pipe; mkdir -p \(directory.path)/empty/deeper")
    #expect(try await store.listAll("") == [])
    #expect(try await store.list(ListRequest(prefix: "", groupedByDirectory: true)) == ListPage(objects: []))
    for key in ["pipe", "empty", "empty/deeper"] as [ObjectKey] {
      #expect(await storeError { try await store.head(key) }?.code == .notFound)
      #expect(await storeError { try await store.get(key, range: nil, version: nil) }?.code == .notFound)
    }
    let error = await storeError { try await store.put("empty", [1], condition: .absent) }
    #expect(error?.code == .unsupported)
  }

  @Test func uploadsLieInAHiddenDirectoryThatGoesWithTheLastOfThem() async throws {
    let first = try await store.beginUpload("a/b")
    let second = try await store.beginUpload("a/c")
    _ = try await store.uploadPart(first, number: 1, [1, 2])
    let part = try await store.uploadPart(second, number: 1, [3])
    #expect(try await store.listAll("") == [])
    #expect(try await store.listAll(".milvus-backupfs-uploads/") == [])
    try await store.abortUpload(first)
    try await store.completeUpload(second, parts: [part], condition: .none)
    #expect(try directory.everything() == ["a/cf", "ad"])
  }

  @Test(arguments: ["../../etc", "..", "x", "", String(repeating: "a", count: 31) + "/"])
  func anUploadOfAStrangeNameIsNotFound(_ id: String) async throws {
    let upload = MultipartUpload(key: "k", id: id)
    try await store.abortUpload(upload)
    #expect(await storeError { try await store.uploadPart(upload, number: 1, [1]) }?.code == .uploadNotFound)
    let part = UploadedPart(number: 1, etag: ETag("x"), size: 1)
    #expect(
      await storeError { try await store.completeUpload(upload, parts: [part], condition: .none) }?.code
        == .uploadNotFound)
  }

  @Test func aPartThatWasReplacedOrNeverSentIsNotUsed() async throws {
    let upload = try await store.beginUpload("k")
    let old = try await store.uploadPart(upload, number: 1, [1])
    let new = try await store.uploadPart(upload, number: 1, [2])
    let never = UploadedPart(number: 2, etag: new.etag, size: 1)
    for parts in [[old], [new, never], [new, new], []] {
      #expect(
        await storeError { try await store.completeUpload(upload, parts: parts, condition: .none) }?.code
          == .unsupported)
    }
    try await store.completeUpload(upload, parts: [new], condition: .none)
    #expect(try await store.get("k", range: nil, version: nil).bytes == [2])
  }

  @Test func leftoversOfACrashAreFoundByASweepOnceTheyAreOld() async throws {
    try await store.put("a/kept", [1], condition: .none)
    let upload = try await store.beginUpload("pending")
    try shell(
      """
      cd \(directory.path)
      mkdir -p b/c && echo x > b/c/.milvus-backupfs-tmp-old && touch -d '2 days ago' b/c/.milvus-backupfs-tmp-old
      echo x > a/.milvus-backupfs-tmp-young
      cd .milvus-backupfs-uploads
      mkdir 0123456789abcdef0123456789abcdef-ended && echo x > 0123456789abcdef0123456789abcdef-ended/part-1
      mkdir fedcba9876543210fedcba9876543210
      touch -d '2 days ago' 0123456789abcdef0123456789abcdef-ended fedcba9876543210fedcba9876543210
      """)
    #expect(try await store.listAll("").map(\.key) == ["a/kept"])
    #expect(try await store.removeLeftovers(olderThan: 86_400) == 3)
    #expect(try await store.removeLeftovers(olderThan: 86_400) == 0)
    #expect(try await store.listAllUploads("").map(\.upload) == [upload])
    let left = try directory.everything()
    #expect(left.contains("a/.milvus-backupfs-tmp-youngf") && left.contains("a/keptf") && !left.contains("bd"))
    try shell("touch -d '2 days ago' \(directory.path)/a/.milvus-backupfs-tmp-young")
    #expect(try await store.removeLeftovers(olderThan: 86_400) == 1)
  }

  @Test func aRootThatIsMissingOrAFileIsNamedWithItsSetting() async throws {
    for (path, reason) in [("/nonexistent/root", "does not exist"), ("\(directory.path)/file", "is not a directory")] {
      try shell("touch \(directory.path)/file")
      let missing = LocalStore(root: path, rootSetting: "minio.backupRootPath")
      let calls: [() async throws -> Void] = [
        { _ = try await missing.list(ListRequest(prefix: "")) }, { _ = try await missing.head("k") },
        { try await missing.put("k", [1], condition: .none) }, { try await missing.delete("k") },
        { _ = try await missing.beginUpload("k") },
      ]
      for call in calls {
        let error = await storeError(call)
        #expect(error?.code == .bucketNotFound)
        #expect(error?.reason.contains(reason) == true)
        #expect(error?.remedy.contains("minio.backupRootPath") == true)
      }
    }
  }
}
